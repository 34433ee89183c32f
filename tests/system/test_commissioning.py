"""The commands an engineer uses on site, against the simulated plant's real servers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.stage import line_file

ROOT = Path(__file__).parents[2]
COOKER3 = (ROOT / "firmware_configs" / "lines" / "cooker3.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Iterator[dict[str, Any]]:
    """What the plant said when it was ready; it stands still, and ends when its standard input does."""
    folder = tmp_path_factory.mktemp("plant")
    command = [sys.executable, "-m", "simulators", "cooker3", "--hold", "--attached", "--folder", str(folder)]
    command += ["--opcua-port", "0", "--modbus-port", "0", "--start", "2026-11-22T08:00:00+08:00"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(20)


def tanchang(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=50)


def graded(output: str) -> dict[str, list[str]]:
    """Device -> its tags' grades, as printed."""
    found: dict[str, list[str]] = {}
    device = ""
    for line in output.splitlines():
        if match := re.match(r"  (good|doubtful|bad) ", line):
            found[device].append(match[1])
        elif match := re.match(r"(\w+)  ", line):
            device = match[1]
            found[device] = []
    return found


def test_a_live_check_reads_every_tag_of_the_line_once(plant, tmp_path):
    path = tmp_path / "line.toml"
    path.write_text(line_file(COOKER3, plant, 1883, 8080), encoding="utf-8")
    done = tanchang("check", str(path), "--live")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "press1  127.0.0.1" in done.stdout
    assert "tanchang simulators cooker3, SIMULATED at 1x" in done.stdout
    grades = graded(done.stdout)
    assert {name: len(tags) for name, tags in grades.items()} == {"cell1": 24, "press1": 6, "assembly1": 6, "meter1": 2}
    told = [grade for tags in grades.values() for grade in tags]
    assert set(told) <= {"good", "doubtful"}
    assert "of the gateway" not in done.stdout.replace("this gateway's clock", "")
    assert told.count("doubtful") == done.stdout.count("this gateway's clock") == 3, "the plant's clock is not ours"
    assert re.search(r"good +light +16\b", done.stdout), "the idle lamp"


def test_a_live_check_fails_for_what_is_not_there(plant, tmp_path):
    wrong = line_file(COOKER3, plant, 1883, 8080)
    wrong = wrong.replace('address = "HR5"', 'address = "HR300"', 1).replace("s=trim1.good", "s=trim9.good")
    wrong = wrong.replace("unit = 10", "unit = 11")
    path = tmp_path / "line.toml"
    path.write_text(wrong, encoding="utf-8")
    done = tanchang("check", str(path), "--live")
    assert done.returncode == 1, done.stdout + done.stderr
    grades = graded(done.stdout)
    assert (grades["cell1"].count("bad"), grades["press1"].count("bad"), grades["meter1"]) == (1, 1, ["bad", "bad"])
    assert done.stdout.count("BadNodeIdUnknown 0x80340000: the device has nothing at this address") == 2
    assert done.stdout.splitlines()[-1].endswith("4 bad")
