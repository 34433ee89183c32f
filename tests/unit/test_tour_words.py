"""The words of the public displays: the same ids in each language, none longer than its comment allows."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

LOCALES = Path("gateway/web/tour/locales")
LANGUAGES = ("zh-CN", "en")


def messages(lang: str) -> dict[str, tuple[str, int | None]]:
    """Text and allowed width by id; a comment holds until the next comment or heading."""
    found: dict[str, tuple[str, int | None]] = {}
    most = None
    for row in (LOCALES / f"{lang}.ftl").read_text(encoding="utf-8").splitlines():
        if row.startswith("#"):
            told = re.search(r"at most (\d+)", row)
            most = int(told[1]) if told else None
        elif message := re.match(r"([\w-]+) = (.*)", row):
            found[message[1]] = (message[2], most)
    return found


def width(text: str, lang: str) -> float:
    """Width in Chinese characters, or in letters."""
    if lang == "en":
        return len(text)
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.5 for letter in text)


def test_every_word_is_there_in_both_languages_or_overrides_a_shared_one() -> None:
    zh, en = (set(messages(lang)) for lang in LANGUAGES)
    shared = Path("gateway/web/shared/locales/en.ftl").read_text(encoding="utf-8")
    assert {word for word in zh ^ en if f"\n{word} =" not in shared} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_is_longer_than_its_place(lang: str) -> None:
    plain = {word: held for word, held in messages(lang).items() if "{" not in held[0]}
    assert [word for word, (text, most) in plain.items() if most is not None and width(text, lang) > most] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_says_how_long_it_may_be(lang: str) -> None:
    unbound = [word for word, (_, most) in messages(lang).items() if most is None]
    assert [word for word in unbound if not word.startswith("kpi-")] == []
