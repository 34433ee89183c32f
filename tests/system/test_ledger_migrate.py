"""A ledger of schema 1, as agents before this one wrote it, on a real disk: all of it is in today's."""

from __future__ import annotations

import json
import shutil
import zlib
from collections import namedtuple

import apsw
import pytest

from agent.commands.proof import report_of
from agent.counter import CounterState
from agent.ledger import Ledger, LedgerError, Observed, Reader
from agent.model import SECOND, Kind, Record
from agent.storage import migrate
from agent.storage.record import canonical, chained, content
from agent.storage.schema import FIRST_TABLES, SCHEMA
from agent.storage.store import Stand, standing
from tests.system.test_ledger_cold import TAGS, second

KEY = ("press1", "good")
STATE = CounterState(20, 20, 0, 20 * SECOND)


def fact(number):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(Kind.COUNT, "press1", number * SECOND, body, simulated=True, seq=number)


@pytest.fixture
def old(tmp_path):
    """20 counts, 12 of them told, and 30 s of samples in the tables of schema 1."""
    db = apsw.Connection(str(tmp_path / "ledger.db"))
    db.pragma("journal_mode", "wal")
    root = "00" * 32
    with db:
        db.execute(FIRST_TABLES)
        for number in range(1, 21):
            one = fact(number)
            body = canonical(one.body)
            signed = content(one, body, 99)
            root = chained(root, signed)
            row = (number, one.kind.value, one.machine, one.time, body, 1, zlib.crc32(signed), 99)
            db.execute("INSERT INTO record VALUES(?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.execute("INSERT INTO counter VALUES('press1', 'good', 20, 20, 0, ?, 0, NULL, 0)", (20 * SECOND,))
        db.execute("INSERT INTO observed VALUES('press1', ?, NULL)", (20 * SECOND,))
        db.execute("INSERT INTO cursor VALUES('mqtt', 12)")
        db.execute("INSERT INTO tag_list VALUES(1, 'press1', ?)", (json.dumps(TAGS),))
        for number in range(30):
            one = second(number)
            block = (one.first, one.last, one.rows, one.body, zlib.crc32(one.body))
            db.execute("INSERT INTO block(tag_list, first, last, rows, body, crc) VALUES(1, ?, ?, ?, ?, ?)", block)
        meta = {"id": "0123456789abcdef", "root": root, "commits": "30", "compacted": "0"}
        counters, observed = {KEY: STATE}, {"press1": Observed(20 * SECOND)}
        meta["sum"] = standing(Stand(20, root, 30), meta, counters, observed, {"mqtt": 12}, 1)
        db.executemany("INSERT INTO meta VALUES(?, ?)", meta.items())
        db.pragma("user_version", 1)
    db.close()
    return tmp_path


async def test_a_ledger_of_schema_1_goes_on_whole_and_a_copy_stays(old):
    ledger = await Ledger.open(old, group_s=0)
    assert (ledger.salvaged, ledger.id, ledger.last_seq) == (None, "0123456789abcdef", 20)
    assert (ledger.cursor("mqtt"), ledger.counters) == (12, {KEY: STATE})
    assert await ledger.records(0, 100) == [fact(number) for number in range(1, 21)]
    for number in range(30, 160):
        await ledger.commit(blocks=[second(number)])
    await ledger.commit([fact(21)], counters={KEY: CounterState(21, 21, 0, 21 * SECOND)})
    await ledger.close()
    reader = Reader(old)
    assert sorted(set((reader.samples("press1", "good").source_time // SECOND).tolist())) == list(range(160))
    reader.close()
    report, blocks = report_of(old)
    assert (report.last, report.violations, blocks) == (21, [], [])
    copy = old / "ledger-schema1.db"
    report, blocks = report_of(copy)
    assert (report.last, report.violations, blocks) == (20, [], [])
    assert apsw.Connection(str(copy)).pragma("user_version") == 1
    assert Reader(copy).cursors() == {"mqtt": 12}


async def test_a_newer_reader_reads_an_old_ledger_as_it_is(old):
    assert len(Reader(old).samples("press1", "good").value) == 30 * 5
    assert Reader(old).verify() == 20
    assert apsw.Connection(str(old / "ledger.db")).pragma("user_version") == 1


async def test_a_migration_that_fails_midway_leaves_the_old_ledger(old, monkeypatch):
    monkeypatch.setattr(migrate, "ADDED", {SCHEMA: "CREATE TABLE hot(slot INTEGER PRIMARY KEY); SELECT wrong"})
    with pytest.raises(apsw.SQLError):
        await Ledger.open(old)
    with apsw.Connection(str(old / "ledger.db")) as db:
        assert db.pragma("user_version") == 1
        assert not list(db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'hot'"))
    monkeypatch.undo()
    ledger = await Ledger.open(old)
    assert (ledger.salvaged, ledger.last_seq) == (None, 20)
    await ledger.close()


async def test_without_room_for_a_copy_nothing_is_changed_and_it_says_how_much_to_free(old, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1000))
    with pytest.raises(LedgerError, match="free 1 MiB on its disk"):
        await Ledger.open(old)
    monkeypatch.undo()
    assert Reader(old).verify() == 20
    assert not (old / "ledger-schema1.db").exists()


async def test_a_damaged_ledger_of_schema_1_is_salvaged(old):
    with apsw.Connection(str(old / "ledger.db")) as db:
        db.execute("UPDATE record SET crc = crc + 1 WHERE seq = 15")
    db.close()
    ledger = await Ledger.open(old)
    assert "record 15" in str(ledger.salvaged)
    assert ledger.counters == {KEY: STATE}
    gap, *rest = await ledger.records(ledger.cursor("mqtt"), 100)
    assert gap.body["unread"] == [[15, 15]]
    assert sum(one.body["delta"] for one in rest) == 8
    await ledger.close()
