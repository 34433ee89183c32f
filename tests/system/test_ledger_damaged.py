"""A damaged ledger: set aside, salvaged, counted on; never a wrong total, never an agent that does not start."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import apsw
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from agent.cli import main
from agent.counter import CounterState
from agent.ledger import Block, Ledger, Observed, Reader
from agent.model import SECOND, Batch, Kind, Line, Record
from agent.recorder import Recorder
from agent.shift import Calendar
from agent.sparkplug import BDSEQ
from agent.storage import samples
from gateway import payload
from tests.faults import flips

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "wire.schema.json").read_text(encoding="utf-8"))
WIRE = Draft202012Validator({**SCHEMA, "$ref": "#/$defs/record"})
KEY = ("press1", "good")


def fact(number):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(Kind.COUNT, "press1", number * SECOND, body, simulated=True)


async def one_by_one(folder, number, told):
    ledger = await Ledger.open(folder)
    state = CounterState(number, number, 0, number * SECOND)
    facts = [fact(one) for one in range(1, number + 1)]
    await ledger.commit(facts, counters={KEY: state}, observed={"press1": Observed(number * SECOND)})
    await ledger.move_cursor("mqtt", told)
    await ledger.close()
    return ledger.id


def alter(folder, sql):
    with apsw.Connection(str(folder / "ledger.db")) as db:
        db.execute(sql)
    db.close()


def test_flipped_bits_and_cut_ends_are_never_a_wrong_total_and_never_a_crash(tmp_path):
    ends: Counter[str] = Counter()
    for seed in range(1000, 1060):
        ends.update(flips.one(seed, tmp_path / str(seed)))
    assert ends["salvaged"] > 10
    assert ends["unharmed"] > 10


@pytest.mark.parametrize(
    ("broken", "unread", "untold"),
    [(5, [[5, 5]], [13, 14, 15, 16, 17, 18, 19, 20]), (15, [[15, 15]], [13, 14, 15, 16, 17, 18, 19, 20])],
)
async def test_what_was_not_told_yet_is_told_once_by_the_new_ledger(tmp_path, caplog, broken, unread, untold):
    old = await one_by_one(tmp_path, 20, told=12)
    alter(tmp_path, f"UPDATE record SET body = replace(body, '\"delta\":1', '\"delta\":2') WHERE seq = {broken}")
    ledger = await Ledger.open(tmp_path)
    assert ledger.id != old
    assert ledger.counters[KEY].counted == 20
    assert ledger.observed == {"press1": Observed(20 * SECOND)}
    gap, *rest = await ledger.records(ledger.cursor("mqtt"), 100)
    assert (gap.kind, gap.body["cause"], gap.body["ledger"], gap.body["unread"]) == (Kind.GAP, "salvaged", old, unread)
    assert [one.body["total"] for one in rest] == untold
    assert sum(one.body["delta"] for one in rest) == 8
    assert await ledger.records(0, 1) == [gap]
    WIRE.validate(payload.record(ledger.id, gap))
    assert len([one for one in caplog.records if "set aside" in one.message]) == 1
    await ledger.close()
    aside = next((tmp_path / "quarantine").glob("*.db"))
    reader = Reader(aside)
    assert reader.id == old
    reader.close()
    assert main(["verify", "ledger", str(tmp_path)]) == 0


async def test_a_total_that_was_altered_is_taken_from_the_records(tmp_path):
    await one_by_one(tmp_path, 20, told=20)
    alter(tmp_path, "UPDATE counter SET total = 21")
    ledger = await Ledger.open(tmp_path)
    assert "totals are not what was written" in str(ledger.salvaged)
    assert ledger.counters[KEY].counted == 20
    assert [one.kind for one in await ledger.records(0, 100)] == [Kind.GAP]
    await ledger.close()
    again = await Ledger.open(tmp_path)
    assert (again.salvaged, again.id, again.counters) == (None, ledger.id, ledger.counters)
    await again.close()


async def test_a_sink_is_not_told_again_what_it_had_whoever_else_is_behind(tmp_path):
    await one_by_one(tmp_path, 20, told=18)
    ledger = await Ledger.open(tmp_path)
    await ledger.move_cursor("sparkplug", 12)
    await ledger.close()
    alter(tmp_path, "UPDATE record SET crc = crc + 1 WHERE seq = 5")
    ledger = await Ledger.open(tmp_path)
    told = {sink: (await ledger.records(at, 100)) for sink, at in ledger.cursors.items()}
    totals = {sink: [one.body.get("total") for one in records] for sink, records in told.items()}
    assert totals == {"mqtt": [None, 19, 20], "sparkplug": [None, *range(13, 19), None, 19, 20]}
    assert {records[0].body["cause"] for records in told.values()} == {"salvaged"}
    await ledger.close()
    assert main(["verify", "ledger", str(tmp_path)]) == 0


async def test_where_the_sums_do_not_hold_a_sink_goes_on_from_where_its_cursor_says_it_stood(tmp_path):
    await one_by_one(tmp_path, 20, told=18)
    alter(tmp_path, "UPDATE counter SET total = 21")
    ledger = await Ledger.open(tmp_path)
    told = [one.body.get("total") for one in await ledger.records(ledger.cursor("mqtt"), 100)]
    assert told == [None, 19, 20]
    await ledger.close()


@pytest.mark.parametrize("hurt", ["UPDATE record SET crc = crc + 1 WHERE seq = 5", "UPDATE counter SET total = 21"])
async def test_the_number_of_the_last_connect_goes_on_in_the_new_ledger(tmp_path, hurt):
    await one_by_one(tmp_path, 20, told=20)
    ledger = await Ledger.open(tmp_path)
    await ledger.commit(marks={BDSEQ: "7"})
    await ledger.close()
    alter(tmp_path, hurt)
    ledger = await Ledger.open(tmp_path)
    assert ledger.salvaged
    await ledger.close()
    reader = Reader(tmp_path)
    assert reader.marks() == {BDSEQ: "7"}
    reader.close()


async def sampled(folder):
    """A ledger with a driver's marks, and a value a second since."""
    await one_by_one(folder, 3, told=3)
    ledger = await Ledger.open(folder)
    index, value, good = np.zeros(1, np.uint32), np.ones(1), np.zeros(1, np.uint32)
    for second in range(3):
        at = np.array([second * SECOND])
        batch = Batch(index, value * second, at, good, int(at[0]), second)
        block = Block("press1", ("good",), int(at[0]), int(at[0]), 1, samples.encode([batch]))
        marks = {"press1.whole": "{}", "press1.since": "0", "press1.place": f"[1,{second}]"}
        await ledger.commit(blocks=[block], marks=marks)
    await ledger.close()


async def test_a_driver_goes_on_by_the_marks_of_a_damaged_ledger_with_the_samples_since(tmp_path):
    await sampled(tmp_path)
    alter(tmp_path, "UPDATE record SET crc = crc + 1 WHERE seq = 2")
    ledger = await Ledger.open(tmp_path)
    assert ledger.salvaged
    await ledger.close()
    reader = Reader(tmp_path)
    assert reader.marks()["press1.place"] == "[1,2]"
    assert [one.value.tolist() for one in reader.batches("press1", ["good"], 0)] == [[0.0, 1.0, 2.0]]
    reader.close()
    assert main(["verify", "ledger", str(tmp_path)]) == 0


async def test_a_driver_whose_samples_since_are_damaged_reads_anew(tmp_path):
    await sampled(tmp_path)
    alter(tmp_path, "UPDATE record SET crc = crc + 1 WHERE seq = 2")
    alter(tmp_path, "UPDATE hot SET body = zeroblob(4000) WHERE turn = 2")
    ledger = await Ledger.open(tmp_path)
    assert ledger.salvaged
    await ledger.close()
    reader = Reader(tmp_path)
    assert reader.marks() == {}
    reader.close()


async def test_a_creation_that_was_torn_is_no_loss(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as torn:
        torn.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            await Ledger.open(tmp_path)
    (tmp_path / "begun.db").write_bytes((tmp_path / "begun.db").read_bytes()[:5000])
    ledger = await Ledger.open(tmp_path)
    assert (ledger.salvaged, await ledger.records(0, 1)) == (None, [])
    await ledger.close()


async def test_a_kill_between_the_two_moves_leaves_the_salvaged_ledger(tmp_path):
    name = await one_by_one(tmp_path, 3, told=0)
    (tmp_path / "ledger.db").rename(tmp_path / "salvage.db")
    ledger = await Ledger.open(tmp_path)
    assert (ledger.id, ledger.last_seq, ledger.salvaged) == (name, 3, None)
    await ledger.close()


async def test_a_file_of_which_nothing_is_left_begins_a_ledger_that_says_so(tmp_path):
    await one_by_one(tmp_path, 3, told=0)
    (tmp_path / "ledger.db").write_bytes(b"")
    ledger = await Ledger.open(tmp_path)
    (gap,) = await ledger.records(0, 10)
    assert gap.body["cause"] == "salvaged"
    assert abs(gap.time - time.time_ns()) < 600 * SECOND
    await ledger.close()


async def test_damage_that_shows_in_use_is_looked_for_in_the_whole_file_at_the_next_start(tmp_path, monkeypatch):
    await one_by_one(tmp_path, 20, told=20)
    ledger = await Ledger.open(tmp_path)

    def broken(changes, wall):
        raise apsw.CorruptError("database disk image is malformed")

    ledger._store.write = broken  # type: ignore[method-assign]
    with pytest.raises(apsw.CorruptError):
        await ledger.commit([fact(21)])
    await ledger.close()
    alter(tmp_path, "UPDATE record SET crc = crc + 1 WHERE seq = 1")
    monkeypatch.setattr("agent.storage.salvage.BUDGET_S", -1.0)
    again = await Ledger.open(tmp_path)
    assert "record 1 " in str(again.salvaged)
    await again.close()


async def test_the_line_shows_a_fault_until_the_agent_starts_on_a_whole_ledger(tmp_path):
    await one_by_one(tmp_path, 3, told=0)
    alter(tmp_path, "UPDATE counter SET total = 21")
    shown = []
    for _ in range(2):
        ledger = await Ledger.open(tmp_path)
        line = Line("foshan", "appliances", "cooker3", {}, 17.0, "UTC", (), {}, {})
        shown.append([one.code for one in Recorder(line, (), (), Calendar(), ledger).now().faults])
        await ledger.close()
    assert shown == [["salvaged"], []]


async def test_a_new_folder_is_no_damage(tmp_path):
    ledger = await Ledger.open(tmp_path)
    assert ledger.salvaged is None
    await ledger.close()
