"""The pytest plugin in a venv that has pytest and nothing of ours: the plant runs, our packages do not leak in."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "simulators" / "pytest_tanchang"
OWN = Path(sysconfig.get_paths()["purelib"])
PYTEST = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py")

THEIR_TESTS = '''
import importlib.util
import socket
import struct
import urllib.parse

import pytest

OURS = ["agent", "drivers", "numpy", "asyncua", "pymodbus", "pydantic", "PIL"]


def registers(where, unit, first, count):
    """One request in the bare protocol: this venv has no Modbus library."""
    with socket.create_connection(where, timeout=20) as link, link.makefile("rb") as replies:
        link.sendall(struct.pack(">HHHBBHH", 1, 0, 6, unit, 3, first, count))
        replies.read(9)
        return struct.unpack(f">{count}H", replies.read(2 * count))


@pytest.mark.parametrize("name", OURS)
def test_none_of_its_packages_is_here(name):
    assert importlib.util.find_spec(name) is None


def test_the_plant_runs_and_its_registers_are_the_truth(tanchang_line):
    line = tanchang_line("cooker3", seed=7, speed=600, start="2026-11-22T08:00:00+08:00")
    assert line.start == "2026-11-22T00:00:00.000Z"
    assert {"order", "product", "quantity"} <= set(line.orders[0])
    first = registers(line.modbus, 1, 0, 10)
    assert registers(line.modbus, 1, 0, 10) == first, "it stands until go"
    line.go()
    while not (line.camera / "000010.png").exists():
        line.truth()
    told = line.stop()
    assert told["seed"] == 7
    press = told["machines"]["press1"]
    assert list(registers(line.modbus, 1, 4, 2)) == [press["raw_end"]["good"], press["raw_end"]["scrap"]]
    address = urllib.parse.urlsplit(line.opcua)
    socket.create_connection((address.hostname, address.port), timeout=20).close()
    assert line.command("modbus off")["event"] == "modbus off"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(line.modbus, timeout=20)
    with pytest.raises(Exception, match="no command 'jump'; write one of go"):
        line.command("jump")


def test_a_line_that_cannot_start_says_why(tanchang_line):
    with pytest.raises(Exception, match="write the offset too"):
        tanchang_line("cooker3", start="2026-11-22T08:00:00")
'''

THEIR_MISTAKE = """
import pytest


def test_a_missing_command_is_told_with_its_remedy(tanchang_line):
    with pytest.raises(Exception, match="tanchang_command in your pytest configuration"):
        tanchang_line("cooker3")
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory) -> Path:
    """The Python of an integrator's venv: pytest's own packages and our plugin's wheel, built here and unpacked."""
    folder = tmp_path_factory.mktemp("theirs")
    venv.create(folder / "venv", with_pip=False)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in PYTEST:
        (site / name).symlink_to(OWN / name)
    for record in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
        (found,) = OWN.glob(f"{record}-[0-9]*.dist-info")
        (site / found.name).symlink_to(found)
    sources = folder / "sources"  # built from a copy: building leaves files behind
    shutil.copytree(PLUGIN, sources)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=sources, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return folder / "venv" / "bin" / "python"


def run(python: Path, folder: Path, text: str, command: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_theirs.py").write_text(text, encoding="utf-8")
    (folder / "simulators.py").write_text("raise SystemExit('the wrong simulators')\n", encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\ntanchang_command = {command}\n", encoding="utf-8")
    arguments = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(arguments, capture_output=True, text=True, cwd=folder, timeout=55, check=False)


def test_an_integrators_suite_has_a_plant_and_none_of_our_packages(theirs, tmp_path):
    done = run(theirs, tmp_path, THEIR_TESTS, str(Path(sys.executable).with_name("tanchang")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout


def test_a_wrong_command_is_told_with_its_remedy(theirs, tmp_path):
    done = run(theirs, tmp_path, THEIR_MISTAKE, "no-such-command-here")
    assert done.returncode == 0, done.stdout + done.stderr
