"""`tanchang verify ledger` on real files: a live ledger, a copy, a broker's records, a damaged one."""

from __future__ import annotations

import json

import apsw
import pytest

from agent.cli import main
from agent.counter import CounterState
from agent.ledger import Ledger, Reader
from agent.model import SECOND, Kind, Record
from gateway import payload


def fact(number):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(Kind.COUNT, "press1", number * SECOND, body, simulated=True)


@pytest.fixture
async def ledger(tmp_path):
    one = await Ledger.open(tmp_path / "data")
    facts = [fact(number) for number in range(1, 21)]
    await one.commit(facts, counters={("press1", "good"): CounterState(20, 20, 0, 20 * SECOND)})
    yield one
    await one.close()


def tampered(folder, copy, sql):
    """A copy of a ledger in which one statement was carried out."""
    copy.mkdir()
    with apsw.Connection(str(folder / "ledger.db")) as source, apsw.Connection(str(copy / "ledger.db")) as db:
        with db.backup("main", source, "main") as backup:
            backup.step()
        db.execute(sql)
    return copy


def test_a_ledger_in_use_is_proved(ledger, capsys):
    assert main(["verify", "ledger", str(ledger.folder)]) == 0
    told = capsys.readouterr().out
    assert "20 records, 0 violations" in told
    assert "press1.good                        1              20        20" in told


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DELETE FROM record WHERE seq = 7", "seq 8: comes after 6: 1 records before it are missing"),
        ("UPDATE record SET body = replace(body, '\"delta\":1', '\"delta\":2') WHERE seq = 9", "seq 9: is not what"),
        ("UPDATE counter SET total = 21", "press1.good: the ledger keeps epoch 0 total 21"),
        ("UPDATE meta SET value = replace(value, substr(value, 1, 1), 'x') WHERE key = 'root'", "chain"),
    ],
)
def test_a_changed_ledger_is_refused_in_words(ledger, tmp_path, capsys, sql, words):
    copy = tampered(ledger.folder, tmp_path / "copy", sql)
    assert main(["verify", "ledger", str(copy)]) == 1
    assert words in capsys.readouterr().out


def test_a_span_of_time_tells_of_its_own_records_only(ledger, tmp_path, capsys):
    copy = tampered(ledger.folder, tmp_path / "copy", "UPDATE record SET crc = crc + 1 WHERE seq = 9")
    assert main(["verify", "ledger", str(copy), "--from", "1970-01-01T00:00:10Z"]) == 1
    assert "seq 9" not in capsys.readouterr().out
    assert main(["verify", "ledger", str(copy), "--from", "yesterday"]) == 2
    assert "2026-11-22T06:00:00Z" in capsys.readouterr().err


def test_a_brokers_records_and_a_copy_hold_the_same_facts_or_not(ledger, tmp_path, capsys):
    reader = Reader(ledger.folder)
    lines = [json.dumps(payload.record(ledger.id, one)) for one in reader.records()]
    reader.close()
    capture = tmp_path / "capture.jsonl"
    capture.write_text("\n".join([*lines[:5], *lines]), encoding="utf-8")
    command = ["verify", "ledger", str(ledger.folder), "--against"]
    assert main([*command, str(capture)]) == 0
    copy = tampered(ledger.folder, tmp_path / "copy", "SELECT 1")
    assert main([*command, str(copy)]) == 0
    capture.write_text("\n".join(lines[:4] + lines[5:]), encoding="utf-8")
    assert main([*command, str(capture)]) == 1
    assert "seq 5 is missing from the other" in capsys.readouterr().out


def test_what_is_no_ledger_is_said(ledger, tmp_path, capsys):
    assert main(["verify", "ledger", str(tmp_path / "nothing")]) == 2
    assert "there is no ledger at" in capsys.readouterr().err
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ledger.db").write_bytes(b"x" * 5000)
    assert main(["verify", "ledger", str(tmp_path / "broken")]) == 1
    assert "damaged" in capsys.readouterr().out
