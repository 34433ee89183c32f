"""Documents cannot lie: what they show loads, what they name exists, and locks keep their rules."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from agent.cli import COMMANDS, VERSION, parser
from agent.linefile import load
from tests.bench.__main__ import BENCHMARKS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_line_file_of_the_readme_loads(tmp_path: Path) -> None:
    text = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert len(text) == 1
    path = tmp_path / "line.toml"
    path.write_text(text[0], encoding="utf-8")
    assert load(path).equipment.machines[0].name == "press1"


def test_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"^(?:\.venv/bin/)?tanchang (\w+)", README, re.MULTILINE))
    assert named <= {*COMMANDS, "simulate", "tour"}
    assert set(COMMANDS) - {"demo"} <= named
    demo = re.search(r"tanchang (demo --for .*)", README)
    assert demo
    assert parser().parse_args(demo[1].split()).duration == "60s"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_that_a_document_shows_is_taken_with_its_options(path: Path) -> None:
    for line in re.findall(r"^ *tanchang (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
        words = shlex.split(line.partition(" > ")[0], comments=True)
        assert words[0] in ("simulate", "tour") or parser().parse_args(words).command == words[0], line


def test_the_version_is_the_same_everywhere() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_make_target_named_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCS:
        assert set(re.findall(r"make ([a-z]+)`", path.read_text(encoding="utf-8"))) <= targets, path.name


def test_make_bench_runs_every_benchmark_there_is() -> None:
    files = (ROOT / "tests" / "bench").glob("*.py")
    assert {one.stem for one in files if "async def measure()" in one.read_text(encoding="utf-8")} == set(BENCHMARKS)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_link_within_the_project_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(path: Path) -> None:
    text = path.read_text()
    pins = re.findall(r"^[a-z0-9-]+(?:\[.*\])?==", text, re.MULTILINE)
    assert pins
    assert "://" not in text
    for block in re.split(r"^(?=[a-z0-9-]+(?:\[.*\])?==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_front_end_lock_holds_integrity_and_no_address() -> None:
    lock = json.loads((ROOT / "gateway" / "web" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert "integrity" in entry, name
        assert "resolved" not in entry, name


def test_no_file_names_a_path_of_one_machine_or_a_package_index() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split(
        "\n"
    )
    home = re.compile(
        "|".join(["(?<![\\w.])/" + "work/", "(?<![\\w.])/" + "root/", "py" + "pi\\.org", "npm" + "js\\.org"])
    )
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in {".onnx", ".png", ".webp", ".woff2"} or not path.is_file():
            continue
        assert not home.search(path.read_text(encoding="utf-8")), name


def test_the_architecture_names_every_module_of_agent_and_gateway_and_none_that_is_not_there() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "agent", "gateway"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split("\n")
    modules = {path for path in listed if path.endswith(".py") and not path.endswith("__.py")}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named: list[str] = []
    room = ""
    for line in re.search(r"```\n(.*?)```", text, re.DOTALL)[1].splitlines():  # type: ignore[index]
        if not line.startswith(" "):
            room = line.split()[0]
            assert (ROOT / room).is_dir(), room
        words = line.split()
        named += [room + word.strip(",;:") for word in words if word.strip(",;:").endswith(".py")]
        folders = [word.strip(",;:") for word in words[1:] if word.strip(",;:").endswith("/")]
        assert [folder for folder in folders if not (ROOT / room / folder).is_dir()] == []
    assert len(named) == len(set(named))
    assert modules - set(named) == set()
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_module_of_the_agent_has_a_floor_in_the_whole() -> None:
    """A room's own contract is exhaustive within the room; where its modules stand among all others is one list."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["name"] == "One way down")
    floors = [module.strip() for layer in layers for module in layer.split("|")]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "agent").rglob("[!_]*.py")}
    of_one_floor = ("agent.demo", "agent.taglist")
    assert len(floors) == len(set(floors))
    assert {floor for floor in floors if floor.startswith("agent.")} == {
        module for module in modules if not module.startswith(of_one_floor)
    } | {*of_one_floor}
