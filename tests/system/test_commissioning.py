"""The commands an engineer uses on site, against the simulated plant's real servers."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main, parser
from agent.commands.probe import Scope
from agent.demo.stage import line_file
from agent.linefile import load

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


def test_a_modbus_probe_finds_units_registers_and_limits_and_writes_a_table_that_loads(plant, tmp_path):
    address = f"modbus://127.0.0.1:{plant['modbus']['port']}"
    done = tanchang("probe", address, "--units", "1,10", "--name", "cell", "--timeout", "0.5")
    assert done.returncode == 0, done.stderr
    assert "unit 1: tanchang simulators cooker3" in done.stderr
    assert "  registers: HR0 to HR9\n  10 registers at once, answers in " in done.stderr
    assert "  registers: IR52 to IR53, IR342 to IR343\n  2 registers at once" in done.stderr
    first, second = loaded(tmp_path, done.stdout)
    assert (first.name, first.address, len(first.tags)) == ("cell_1", first.address, 10)
    assert [(second.name, tag.name) for tag in second.tags] == [
        ("cell_10", name) for name in ("ir52", "ir53", "ir342", "ir343")
    ]


def test_a_value_that_the_engineer_sees_tells_type_and_word_order(plant):
    address = f"modbus://127.0.0.1:{plant['modbus']['port']}"
    done = tanchang("probe", address, "--units", "10", "--expect", "IR342=41873")
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'IR342 is 41873 as datatype = "f32", word_order = "ABCD"\n'
    done = tanchang("probe", address, "--units", "10", "--expect", "IR342=17")
    assert (done.returncode, done.stdout) == (1, "")
    assert "IR342 holds 4723 9100, which is 17 in no way" in done.stderr


def test_an_opcua_probe_browses_the_server_and_writes_a_table_that_loads(plant, tmp_path):
    done = tanchang("probe", plant["opcua"], "--name", "cell1", "--security", "none")
    assert done.returncode == 0, done.stderr
    assert "server: tanchang simulators cooker3 1" in done.stderr
    assert "  None None: Anonymous\n" in done.stderr
    assert "urn:tanchang:simulators:cooker3, 24 variables" in done.stderr
    (device,) = loaded(tmp_path, done.stdout)
    wanted = [table for table in tomllib.loads(COOKER3)["device"] if table["name"] == "cell1"]
    assert {(tag.node, tag.datatype) for tag in device.tags} == {
        (tag["node"], tag["datatype"]) for table in wanted for tag in table["tag"]
    }
    assert device.namespace == wanted[0]["namespace"]


def test_a_server_without_a_secured_endpoint_is_not_looked_at_until_that_is_asked_for(
    plant, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["probe", plant["opcua"], "--name", "cell1"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "offers no SignAndEncrypt endpoint; switch one of Aes256_Sha256_RsaPss" in told.err
    assert list(tmp_path.iterdir()) == [], "no keys for a server that takes none"
    assert main(shlex.split(told.err.splitlines()[-1])[1:]) == 0
    (device,) = loaded(tmp_path, capsys.readouterr().out)
    assert (device.name, device.security) == ("cell1", "none")


@pytest.mark.parametrize(
    ("words", "code", "remedy"),
    [
        (["http://127.0.0.1"], 2, "write opc.tcp://host:port/ or modbus://host:port"),
        (["modbus://127.0.0.1:1", "--units", "1-900"], 2, "write numbers from 0 to 255"),
        (["modbus://127.0.0.1:1", "--units", "1-2", "--expect", "HR8=1"], 2, "write --units 1 --expect HR8=16.2"),
        (["modbus://127.0.0.1:1"], 1, "check power, cable and address"),
        (["opc.tcp://127.0.0.1:1/"], 1, "check address and port"),
        (["opc.tcp://me:secret@127.0.0.1:1/"], 2, "url: write host and port"),
        (["opc.tcp://127.0.0.1:1/", "--security", "sign"], 2, "security: must be 'none' or 'sign_and_encrypt'"),
        (["opc.tcp://127.0.0.1:1/", "--server-thumbprint", "ab:cd"], 2, "64 hexadecimal digits"),
        (["opc.tcp://127.0.0.1:1/", "--password-file", "p"], 2, "write the username it belongs to"),
        (["opc.tcp://127.0.0.1:1/", "--user-certificate", "c"], 2, "write both user_certificate and user_private_key"),
        (["opc.tcp://127.0.0.1:1/", "--security", "none", "--username", "a"], 2, "a password is never sent over"),
    ],
)
def test_a_probe_that_cannot_look_says_what_to_do(words, code, remedy, capsys):
    assert main(["probe", *words]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert remedy in told.err


def test_what_the_command_takes_unless_told_is_what_the_probe_takes():
    written = vars(parser().parse_args(["probe", "opc.tcp://h:1/"]))
    assert Scope(**{key: value for key, value in written.items() if key not in ("command", "address")}) == Scope()


def loaded(folder: Path, tables: str) -> list[Any]:
    """The devices of a line file with these tables, which the line file's own checker accepts."""
    path = folder / "line.toml"
    path.write_text('site = "a"\narea = "b"\nline = "c"\ntakt = "17s"\n\n' + tables, encoding="utf-8")
    return list(load(path).devices)
