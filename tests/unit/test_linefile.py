"""Line files: the shipped ones load, and every mistake in a wrong one is told with its remedy."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from agent.linefile import LineFileError, load, schema
from agent.model import Cause
from agent.wiring import calendar, machine_rules

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "firmware_configs" / "lines").glob("*.toml"))
GOOD = SHIPPED[0].read_text(encoding="utf-8")


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "line.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LineFileError) as caught:
        load(path)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_line_file_loads_and_fits_its_schema(path: Path) -> None:
    line = load(path)
    assert line.equipment.machines
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), json.loads(json.dumps(schema())))


def test_the_schema_file_that_editors_read_is_the_schema_of_today() -> None:
    path = ROOT / "firmware_configs" / "schema" / "line.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(schema())), "run make schema"


def test_the_ledgers_size_and_pace_are_in_the_engineers_units(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    table = '[ledger]\nsize = "1.5GB"\nsamples = "3d"\nsamples_size = "500MiB"\ncommit = "1s"\n[panel]'
    path.write_text(GOOD.replace("[panel]", table, 1), encoding="utf-8")
    ledger = load(path).ledger
    assert (ledger.size, ledger.samples, ledger.samples_size) == (1_500_000_000, 259_200, 500 * 2**20)
    assert ledger.commit == 1.0
    path.write_text(GOOD, encoding="utf-8")
    ledger = load(path).ledger
    assert (ledger.size, ledger.samples, ledger.samples_size) == (2 * 2**30, None, None)
    assert ledger.commit == pytest.approx(0.205)


def test_the_least_coverage_is_written_in_per_cent(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load(path).equipment.least_coverage == 0.5
    path.write_text(f"least_coverage = 80\n{GOOD}", encoding="utf-8")
    assert load(path).equipment.least_coverage == 0.8
    assert mistakes(tmp_path, f"least_coverage = 120\n{GOOD}")


def test_a_lamp_of_stopped_can_stand_for_a_stop_code(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text(GOOD.replace("stopped = [1]", 'stopped = [1, 3, "0~1"], codes = { 3 = 12, "1~0" = 31 }', 1))
    line = load(path)
    [patterns] = [one.patterns for one in machine_rules(line, line.devices) if (0, 1) in one.patterns]
    assert [patterns[lamp].reason for lamp in (1, 3, (0, 1))] == [None, 12, 31]
    assert {patterns[lamp].cause for lamp in (1, 3, (0, 1))} == {Cause.STOPPED}


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('takt = "17s"', "takt = 17", "takt: write a time with its unit, such as '200ms' or '17s', not 17"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Shangai"', "timezone: no time zone 'Asia/Shangai'"),
        ("unit = 1\n", "unti = 1\n", "device press1, unti: unknown key; did you mean 'unit'?"),
        ('good = "press1.good"', 'good = "press1.god"', "machine press1, good: no tag 'press1.god'; did you mean"),
        ('name = "press1"\ndisplay', 'name = "trim1"\ndisplay', "machine trim1: this name is used twice"),
        ('good = "press1.good"', 'good = "press1.cycle"', "press1.cycle must be an unsigned integer"),
        ('machine = "diecast1"', 'machine = "diecast9"', "camera cam1, machine: no machine 'diecast9'"),
        ('tag = "press1.light", executing = [4]', 'tag = "press1.light", executing = [34]', "lamp 34 is listed as"),
        ("stopped = [1]", "stopped = [1], codes = { 3 = 12 }", "state, codes: '3' is no lamp of stopped: add it there"),
        ('driver = "opcua"', 'driver = "opcda"', "device cell1, driver: write one of modbus, opcua"),
        ('from = "08:00"', 'from = "8:00"', "shift day, from:"),
        ("[panel]", '[ledger]\nsize = "9MB"\n[panel]', "ledger, size: a ledger needs '64MiB' at least"),
        ("[panel]", "[ledger]\nsize = 9000\n[panel]", "ledger, size: write an amount with its unit, such as '500MiB'"),
        ("[panel]", '[ledger]\nrecords = "8h"\n[panel]', "ledger, records: figures and displays need the records of"),
        ("[panel]", '[ledger]\ncommit = "1min"\n[panel]', "ledger, commit: write '50ms' to '10s'"),
        ("port = 1883", "port = 99999", "mqtt, port: must be less than or equal to 65535, not 99999"),
        ("port = 1883", 'cert_file = "a.pem"', "mqtt: cert_file without ca_file: set ca_file"),
    ],
)
def test_a_mistake_is_told_in_the_engineers_words(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    assert wrong in GOOD
    assert any(told in mistake for mistake in mistakes(tmp_path, GOOD.replace(wrong, right, 1)))


GOLDEN_WEEK = """
[[exception]]
from = 2026-10-01
to = 2026-10-07

[[exception]]
from = 2026-10-10
shifts = ["day"]
shift = [{ name = "extra", from = "20:00", to = "23:00", breaks = [["21:00", "21:15"]] }]
"""


def test_holidays_and_worked_saturdays_are_days_with_shifts_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text(GOOD + GOLDEN_WEEK, encoding="utf-8")
    made = calendar(load(path))
    assert sorted(made.exceptions) == [date(2026, 10, day) for day in (*range(1, 8), 10)]
    assert made.exceptions[date(2026, 10, 7)] == ()
    assert [one.name for one in made.exceptions[date(2026, 10, 10)]] == ["day", "extra"]
    assert made.exceptions[date(2026, 10, 10)][0] == next(one for one in made.shifts if one.name == "day")


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("to = 2026-10-07", "to = 2026-09-07", "write the last of the days, at most a year after the first"),
        ('shifts = ["day"]', 'shifts = ["dya"]', "exception 2026-10-10: no shift 'dya'; known: day"),
        ("from = 2026-10-10", "from = 2026-10-05", "2026-10-05 is in exception 2026-10-01 already; keep one"),
    ],
)
def test_a_wrong_exception_is_told(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    assert any(told in mistake for mistake in mistakes(tmp_path, GOOD + GOLDEN_WEEK.replace(wrong, right)))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace('takt = "17s"', "takt = 17").replace("unit = 1\n", "unti = 1\n").replace("port = 1883", "port = 0")
    )
    assert len(mistakes(tmp_path, text)) >= 3


def test_a_file_that_is_no_toml_is_one_mistake(tmp_path: Path) -> None:
    assert "not TOML" in mistakes(tmp_path, "site = [")[0]


def test_the_command_prints_all_mistakes_exits_2_and_shows_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text(GOOD.replace('takt = "17s"', "takt = 17").replace("port = 1883", "port = 0"), encoding="utf-8")
    for command in ("check", "run"):
        arguments = [sys.executable, "-m", "agent.cli", command, str(path)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 2
        assert "Traceback" not in done.stderr


def test_a_missing_file_is_told_without_a_traceback(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "agent.cli", "check", str(tmp_path / "nothing.toml")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "check the path" in done.stderr


def test_the_command_line_imports_nothing_heavy() -> None:
    code = "import sys, agent.cli; agent.cli.parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = {"numpy", "pydantic", "asyncua", "pymodbus", "onnxruntime", "fastapi", "paho", "apsw", "asyncio"}
    assert not heavy & set(done.stdout.split())
