"""The panel's words: both languages say everything the pages ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.figures.definitions import FIGURES
from drivers.catalog import DRIVERS
from drivers.modbus import describe as modbus
from drivers.opcua import describe as opcua
from gateway import assets
from gateway.sink import MQTT, SPARKPLUG

LANGUAGES = ("zh-CN", "en")
FOLDERS = ("shared", "panel")
MESSAGE = re.compile(r"^([a-zA-Z][\w-]*) =", re.MULTILINE)
ASKED = re.compile(r"""\bt\(\s*(?:[\w.]+(?: === [\w".]+)? \? )?"([\w-]+)"(?: : "([\w-]+)")?""")
# As docs/wire.md lists them.
GAPS = re.findall(r"cause: `([a-z_ ]+)`", (assets.WEB.parents[1] / "docs" / "wire.md").read_text())[0].split()
ARGUMENT = re.compile(r"\{ *\$(\w+)")


def messages(language: str) -> dict[str, str]:
    text = "\n".join((assets.WEB / folder / "locales" / f"{language}.ftl").read_text() for folder in FOLDERS)
    blocks = MESSAGE.split(text)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


def modules() -> list[Path]:
    return [path for folder in FOLDERS for path in (assets.WEB / folder).glob("*.js")]


def test_both_languages_have_the_same_messages_with_the_same_arguments() -> None:
    chinese, english = (messages(language) for language in LANGUAGES)
    # Remedies come from the agent in English; the other languages bring their own.
    chinese = {name: words for name, words in chinese.items() if not name.startswith("remedy-")}
    assert chinese.keys() == english.keys()
    wrong = [m for m in chinese if set(ARGUMENT.findall(chinese[m])) != set(ARGUMENT.findall(english[m]))]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_the_pages_name_has_words(language: str) -> None:
    known = messages(language)
    asked = {m for path in modules() for pair in ASKED.findall(path.read_text()) for m in pair if m}
    assert len(asked) > 60
    assert asked - known.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_the_model_have_words(language: str) -> None:
    states = ("executing", "stopped", "starved", "blocked", "changeover", "idle", "out_of_service", "unknown")
    kinds = ("state", "count", "inspection", "plan", "kpi", "fault", "gap", "order", "audit", "reason", "verdict")
    verdicts = ("PASS", "REJECT", "ASK")
    wanted = {
        *(f"state-{word}" for word in states),
        *(f"kind-{kind}" for kind in kinds),
        *(f"sink-{sink}" for sink in (MQTT, SPARKPLUG)),
        *(f"verdict-{verdict}" for verdict in verdicts),
        *(f"quality-{quality}" for quality in ("good", "uncertain", "bad")),
        *(f"counted-{verdict.lower()}" for verdict in verdicts),
        *(f"kpi-{name}{part}" for name in FIGURES for part in ("", "-of") if name != "scrap" or not part),
        *(f"unit-{figure.unit}" for figure in FIGURES.values() if figure.unit != "%"),
        *(f"gap-{cause}" for cause in GAPS),
        *(f"time-{kind}" for kind in ("calendar", "planned", "observed", "busy", "productive", "unknown")),
        *(f"preset-{one}{part}" for one in ("planned", "shift", "calendar") for part in ("", "-of")),
        *("over-effectiveness", "over-oee", "kpi-starved_ratio", "kpi-blocked_ratio"),
        *(f"frame-{word}" for word in modbus.WORDS | opcua.WORDS),
        *(f"wire-{driver}" for driver in DRIVERS),
        *(f"frames-{group}" for group in ("last", "refused", "broken")),
        *(f"note-{note}" for note in ("baseline", "wrap", "reset", "restart", "suspect", "late")),
    }
    assert wanted - messages(language).keys() == set()


def test_every_module_and_library_the_pages_import_is_served() -> None:
    wanted = {a for path in modules() for a in re.findall(r'from "([^"]+)"', path.read_text())}
    for address in wanted:
        folder, _, name = address.lstrip("./").partition("/") if address.startswith("/") else ("panel", "", address)
        if folder == "lib":
            path = assets.library(name)
        else:
            own = name.removeprefix("./")
            path = assets.page(folder, own) or assets.page("shared", own)
        assert path is not None, address
        assert path.is_file(), address


@pytest.mark.parametrize("address", ["../assets.py", "../../pyproject.toml", "/etc/passwd", "", ".", "locales"])
def test_nothing_outside_the_folder_is_a_page(address: str) -> None:
    assert assets.page("panel", address) is None
