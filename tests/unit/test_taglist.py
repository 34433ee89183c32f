"""Imported tag lists: what is taken means the same, what is not is told with its reason, nothing is guessed."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from agent.linefile import load
from agent.taglist import kepware
from agent.taglist.command import DIALECTS
from agent.taglist.draft import Choices
from agent.taglist.sheet import SheetError
from drivers.modbus.device import ModbusDevice

LISTS = Path(__file__).parent / "taglists"
CHOICES = Choices("press1", host="192.168.10.21", word_order="CDAB", endian={"BB": "DCBA"})
LINE = 'site = "a"\narea = "b"\nline = "c"\ntakt = "17s"\n\n'
KEPWARE = (LISTS / "kepware.csv").read_text(encoding="utf-8").split("\n", 1)[0]


def adopted(dialect, content, choices=CHOICES):
    return DIALECTS[dialect].adopt(DIALECTS[dialect].read(content), choices)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_becomes_the_same_tables_however_it_was_saved(dialect, encoding, separator):
    text = io.StringIO(newline="")
    rows = csv.reader((LISTS / f"{dialect}.csv").read_text(encoding="utf-8").splitlines())
    csv.writer(text, delimiter=separator).writerows(rows)
    told = adopted(dialect, text.getvalue().encode(encoding))
    assert told.toml == (LISTS / f"{dialect}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_line_files_own_checker_accepts_the_tables(dialect, tmp_path):
    path = tmp_path / "line.toml"
    tables = (LISTS / f"{dialect}.toml").read_text(encoding="utf-8")
    # How an OPC UA link is secured no tag list says.
    tables = tables.replace("namespace =", 'security = "none"\nnamespace =')
    path.write_text(LINE + tables, encoding="utf-8")
    devices = load(path).devices
    assert len(devices) == (2 if dialect == "neuron" else 1)
    assert all("192.168.10.21" in device.address for device in devices)


@pytest.mark.parametrize(
    ("dialect", "source", "reason"),
    [
        ("kepware", "reset", "write only; nothing is ever written to a PLC"),
        ("kepware", "array", "an array; write a row for each of its values"),
        ("kepware", "default", "data type 'Default' does not say what stands there; set it to one of Boolean,"),
        ("kepware", "bare", "does not say whether it counts from 0 or 1; give --address-base"),
        ("kepware", "plc", "'DB1.DBW0' is no Modbus address"),
        ("kepware", "half", "which bit of the register?"),
        ("kepware", "root", "scaling 'Square Root' is not linear"),
        ("neuron", "start", "write only; nothing is ever written to a PLC"),
        ("neuron", "odd", "what #LB means differs between Neuron's drivers; give --endian LB=CDAB"),
        ("neuron", "byte", "type 'UINT8' cannot be read"),
        ("neuron", "node", "is no Modbus address of Neuron's, such as 1!400001"),
        ("tia-csv", "hidden", 'tick "Accessible from HMI/OPC UA"'),
        ("tia-csv", "when", "data type 'DTL' is no single value"),
        ("tia-csv", "levels", "an array; name its values one by one"),
    ],
)
def test_a_row_that_is_not_taken_says_why(dialect, source, reason):
    told = adopted(dialect, (LISTS / f"{dialect}.csv").read_bytes())
    (verdict,) = [verdict for verdict in told.verdicts if verdict.source == source]
    assert verdict.word == "rejected"
    assert reason in verdict.why


def test_what_was_changed_is_told():
    told = adopted("kepware", (LISTS / "kepware.csv").read_bytes())
    changed = {verdict.source: verdict.why for verdict in told.verdicts if verdict.word == "changed"}
    assert changed == {
        "Press.Scrap Count": "named press_scrap_count; read every 10 ms, not 5",
        "压机.节拍": "named tag_hr8",
        "压机.温度": "named tag_ir52; not clamped",
    }


def test_the_order_of_words_is_never_guessed():
    for dialect, names in (("kepware", {"压机.节拍"}), ("neuron", {"clock"})):
        told = adopted(dialect, (LISTS / f"{dialect}.csv").read_bytes(), replace(CHOICES, word_order=None))
        refused = {verdict.source for verdict in told.verdicts if "give --word-order" in verdict.why}
        assert refused == names


def kepware_row(name="a", address="400001", datatype="Word", access="RO"):
    return f"{KEPWARE}\n{name},{address},{datatype},1,{access},100,,,,,,,,,,,\n".encode()


@pytest.mark.parametrize(
    ("address", "base", "place"),
    [
        ("400001", None, "HR0"),
        ("400001", 1, "HR0"),
        ("400001", 0, "HR1"),
        ("40010", None, "HR9"),
        ("465536", None, "HR65535"),
        ("365536", None, "IR65535"),
        ("7", 1, "HR6"),
        ("7", 0, "HR7"),
        ("0x10", 0, "HR16"),
    ],
)
def test_an_address_means_what_the_engineer_says_it_does(address, base, place):
    told = adopted("kepware", kepware_row(address=address), replace(CHOICES, address_base=base))
    (device,) = tomllib.loads(told.toml)["device"]
    assert device["tag"][0]["address"] == place


@pytest.mark.parametrize("address", ["400000", "465537", "0x10", "7", "", "4000001", "500001"])
def test_an_address_that_cannot_be_or_says_too_little_is_not_taken(address):
    told = adopted("kepware", kepware_row(address=address))
    assert [verdict.word for verdict in told.verdicts] == ["rejected"]
    assert told.toml == ""


NUMBERS = sorted(set(kepware.TYPES) - {"boolean", "string"})
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(str.strip)


@given(
    rows=st.lists(
        st.tuples(
            NAMES, st.sampled_from("34"), st.integers(0, 9_000), st.sampled_from(NUMBERS), st.integers(10, 10_000)
        ),
        max_size=5,
    )
)
def test_every_tag_of_a_list_reads_the_same_registers_as_before(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, KEPWARE.split(","), restval="")
    writer.writeheader()
    for name, table, offset, kind, pace in rows:
        written = {"Tag Name": name, "Address": f"{table}{offset + 1:05}", "Data Type": kind, "Scan Rate": pace}
        writer.writerow(written | {"Description": name[::-1]})
    told = adopted("kepware", text.getvalue().encode())
    assert len(told.verdicts) == len(rows)
    assert all(verdict.word != "rejected" for verdict in told.verdicts)
    if not rows:
        assert told.toml == ""
        return
    (table,) = tomllib.loads(told.toml)["device"]
    device = ModbusDevice.model_validate(table)
    assert len({tag.name for tag in device.tag}) == len(rows)
    for tag, verdict, (name, space, offset, kind, pace) in zip(device.tag, told.verdicts, rows, strict=True):
        assert (verdict.tag, verdict.source) == (tag.name, name.strip())
        assert (str(int(tag.place[0])), tag.place[1]) == ({"3": "4", "4": "3"}[space], offset)
        assert tag.datatype == kepware.TYPES[kind]
        assert tag.every == pytest.approx(pace / 1000)


@given(low=st.integers(-1000, 1000), span=st.integers(1, 5000), out=st.integers(-1000, 1000), wide=st.integers(1, 999))
def test_linear_scaling_meets_both_ends(low, span, out, wide):
    row = dict.fromkeys(KEPWARE.lower().split(","), "") | {
        "tag name": "a",
        "address": "400001",
        "data type": "Short",
        "scaling": "Linear",
        "raw low": str(low),
        "raw high": str(low + span),
        "scaled low": str(out),
        "scaled high": str(out + wide),
    }
    for negate, sign in (("0", 1), ("1", -1)):
        tag = {"scale": 1.0, "offset": 0.0, **kepware.draft(row | {"negate value": negate}, CHOICES).tag}
        assert low * tag["scale"] + tag["offset"] == pytest.approx(sign * out, abs=1e-6)
        assert (low + span) * tag["scale"] + tag["offset"] == pytest.approx(sign * (out + wide), abs=1e-6)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"PK\x03\x04rest", "save the list as CSV"),
        (b"", "has no column 'tag name', 'address', 'data type'"),
        (b"Name,Type\n", "export the list with its header"),
        (b"\xff\xff\xff", "save the list as UTF-8"),
        (b'tag name,address,data type\n"a,b', "export the list anew"),
    ],
)
def test_a_file_that_is_no_list_is_told_with_its_remedy(content, remedy):
    with pytest.raises(SheetError, match=remedy):
        DIALECTS["kepware"].read(content)


@given(st.binary(max_size=200))
def test_no_file_breaks_the_reader(content):
    for dialect in DIALECTS.values():
        with contextlib.suppress(SheetError):
            dialect.adopt(dialect.read(",".join(dialect.rows.COLUMNS).encode() + b"\n" + content), CHOICES)


def test_a_workbook_means_the_same_as_the_same_list_saved_as_csv(tmp_path):
    for name, dialect in DIALECTS.items():
        book = Workbook()
        for row in csv.reader((LISTS / f"{name}.csv").read_text(encoding="utf-8").splitlines()):
            book.active.append([int(cell) if re.fullmatch("[1-9][0-9]*", cell) else cell for cell in row])
        book.save(tmp_path / "list.xlsx")
        told = dialect.adopt(dialect.read((tmp_path / "list.xlsx").read_bytes()), CHOICES)
        assert told.toml == (LISTS / f"{name}.toml").read_text(encoding="utf-8")


def test_a_workbook_without_its_reader_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SheetError, match=re.escape("pip install 'tanchang[xlsx]'")):
        DIALECTS["neuron"].read(b"PK\x03\x04")


def test_the_command_prints_every_verdict_and_writes_the_tables(tmp_path):
    command = [sys.executable, "-m", "agent.cli", "import", "neuron", str(LISTS / "neuron.csv"), "--device", "press1"]
    command += ["--host", "192.168.10.21", "--word-order", "CDAB", "--endian", "BB=DCBA", "--out", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "(utf-8): 8 accepted, 1 changed, 4 rejected" in done.stderr
    assert "give --address-base 0" in done.stderr
    assert (tmp_path / "x").read_text() == (LISTS / "neuron.toml").read_text()
