"""The ledger on a real disk: dense, durable, one writer, honest when the disk fails."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import numpy as np
import pytest

from agent.counter import CounterState
from agent.ledger import Block, Ledger, LedgerError, Observed, Reader
from agent.model import SECOND, Batch, Kind, Record
from agent.storage import samples
from agent.storage.schema import SCHEMA


def fact(number, machine="press1", kind=Kind.COUNT, time=None):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(kind, machine, number * 1000 if time is None else time, body, simulated=True)


async def not_durable(ledger):
    async with asyncio.timeout(10):
        while ledger.durable:  # noqa: ASYNC110 - a property of a thread, there is nothing to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
async def ledger(tmp_path):
    one = await Ledger.open(tmp_path)
    yield one
    await one.close()


async def test_records_come_back_as_they_were_with_a_dense_seq(ledger):
    first = await ledger.commit([fact(1), fact(2)])
    second = await ledger.commit([fact(3)])
    assert [record.seq for record in first + second] == [1, 2, 3]
    assert await ledger.records(0, 10) == [*first, *second]
    assert await ledger.records(1, 1) == [first[1]]
    assert ledger.last_seq == 3


async def test_changes_handed_in_together_are_one_transaction_in_order(ledger):
    before = ledger._stand.commits
    await ledger.commit([fact(0)])
    done = await asyncio.gather(*(ledger.commit([fact(number)]) for number in range(1, 60)))
    assert [one[0].body["total"] for one in done] == [one[0].seq - 1 for one in done] == list(range(1, 60))
    assert ledger._stand.commits - before == 2


async def test_everything_is_there_after_a_restart(tmp_path):
    ledger = await Ledger.open(tmp_path)
    state = CounterState(65, 412, 1, 99, 7, 5000, 98)
    await ledger.commit([fact(1)], counters={("press1", "good"): state}, observed={"press1": Observed(99, "silent")})
    await ledger.move_cursor("mqtt", 1)
    name, root = ledger.id, ledger.root
    await ledger.close()
    again = await Ledger.open(tmp_path)
    assert (again.id, again.root, again.last_seq, again.cursor("mqtt")) == (name, root, 1, 1)
    assert again.counters == {("press1", "good"): state}
    assert again.observed == {"press1": Observed(99, "silent")}
    assert (await again.commit([fact(2)]))[0].seq == 2
    await again.close()
    assert Reader(tmp_path).verify() == 2


async def test_what_a_driver_goes_on_by_is_written_with_the_samples_and_no_damage(tmp_path):
    ledger = await Ledger.open(tmp_path)
    one = np.array([1])
    batch = Batch(one.astype(np.uint32), one.astype(np.float64), one.astype(np.int64), one.astype(np.uint32), 7, 1)
    block = Block("press1", ("a", "b"), 1, 1, 1, samples.encode([batch]))
    await ledger.commit(blocks=[block], marks={"press1.place": "old"})
    await ledger.commit(marks={"press1.place": "new", "press1.whole": "x" * 5000})
    await ledger.close()
    again = await Ledger.open(tmp_path)
    assert again.salvaged is None
    await again.commit([fact(1)])
    await again.close()
    reader = Reader(tmp_path)
    assert reader.marks() == {"press1.place": "new", "press1.whole": "x" * 5000}
    assert [one.value.tolist() for one in reader.batches("press1", ["a", "b"], 1)] == [[1.0]]
    assert reader.batches("press1", ["a", "b"], 2) == reader.batches("press1", ["b", "a"], 1) == []
    reader.close()


async def test_the_root_tells_two_histories_apart(tmp_path):
    one, two = await Ledger.open(tmp_path / "one"), await Ledger.open(tmp_path / "two")
    assert one.id != two.id
    assert one.root == two.root
    await one.commit([fact(1)])
    await two.commit([fact(2)])
    assert one.root != two.root
    assert len(one.root) == 4
    await one.close()
    await two.close()


async def test_a_waiter_is_woken_by_the_next_record_and_only_then(ledger):
    waiting = asyncio.create_task(ledger.wait_past(0))
    await ledger.commit(observed={"press1": Observed(1)})
    assert not waiting.done()
    await ledger.commit([fact(1)])
    assert await waiting == 1


async def test_a_second_agent_is_refused_by_name(ledger, tmp_path):
    with pytest.raises(LedgerError, match=rf"process {os.getpid()}.*stop that one"):
        await Ledger.open(tmp_path)


async def test_a_ledger_of_a_newer_version_is_refused_by_name_and_left_alone(tmp_path):
    await (await Ledger.open(tmp_path)).close()
    with apsw.Connection(str(tmp_path / "ledger.db")) as db:
        db.pragma("user_version", SCHEMA + 1)
        db.execute("UPDATE meta SET value = 'signed with its own number' WHERE key = 'sum'")
    db.close()
    for _ in range(2):
        with pytest.raises(LedgerError, match="newer tanchang"):
            await Ledger.open(tmp_path)


async def test_a_reader_filters_by_kind_machine_and_time(ledger, tmp_path):
    await ledger.commit([fact(1), fact(2, "trim1"), fact(3, kind=Kind.STATE), fact(4)])
    reader = Reader(tmp_path)
    assert [record.seq for record in reader.records(kind=Kind.COUNT, machine="press1")] == [1, 4]
    assert [record.seq for record in reader.records(since=2000, until=4000)] == [2, 3]
    assert [record.seq for record in reader.records(limit=2, newest=True)] == [4, 3]
    assert reader.counts() == {Kind.COUNT: 3, Kind.STATE: 1}
    with pytest.raises(apsw.ReadOnlyError):
        reader._db.execute("DELETE FROM record")


async def test_samples_come_back_by_tag_and_time(ledger, tmp_path):
    for second in range(3):
        times = np.arange(4, dtype=np.int64) + second * 4
        batch = Batch(
            np.array([0, 1, 0, 1], np.uint32),
            np.array(times * 0.5, np.float64),
            times,
            np.zeros(4, np.uint32),
            int(times[-1]),
            second,
        )
        block = Block("press1", ("clock", "good"), int(times[0]), int(times[-1]), 4, samples.encode([batch]))
        await ledger.commit(blocks=[block])
    series = Reader(tmp_path).samples("press1", "good", since=2, until=10)
    assert series.source_time.tolist() == [3, 5, 7, 9]
    assert series.value.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert Reader(tmp_path).samples("press1", "nothing").value.tolist() == []


async def test_a_ledger_that_fills_up_gives_up_old_samples_and_never_a_record(tmp_path):
    ledger = await Ledger.open(tmp_path, max_bytes=4096 * 200, group_s=0)
    for second in range(60):
        block = Block("press1", ("clock",), second * SECOND, second * SECOND, 1, os.urandom(20_000))
        await ledger.commit([fact(second)], blocks=[block])
    assert ledger.durable
    await ledger.close()
    reader = Reader(tmp_path)
    assert reader.verify() > 60
    assert reader.counts()[Kind.COUNT] == 60
    gaps = reader.records(Kind.GAP)
    assert {(one.body["what"], one.body["cause"], one.simulated) for one in gaps} == {("samples", "store_full", True)}
    assert gaps[0].body["from"] == "1970-01-01T00:00:00.000Z"
    kept = [block.first for block in reader._blocks({1}, 0, 2**62)]
    assert kept == [second * SECOND for second in range(60 - len(kept), 60)]
    assert gaps[-1].time == kept[0] - SECOND
    reader.close()


async def test_an_altered_record_is_found(tmp_path):
    ledger = await Ledger.open(tmp_path)
    await ledger.commit([fact(number) for number in range(1, 6)])
    await ledger.close()
    with apsw.Connection(str(tmp_path / "ledger.db")) as db:
        db.execute("UPDATE record SET body = replace(body, '\"delta\":1', '\"delta\":2') WHERE seq = 3")
    db.close()
    with pytest.raises(LedgerError, match=r"record 3 .* damaged"):
        Reader(tmp_path).records()
    with pytest.raises(LedgerError, match="record 3"):
        Reader(tmp_path).verify()


async def test_a_missing_record_is_found(tmp_path):
    ledger = await Ledger.open(tmp_path)
    await ledger.commit([fact(number) for number in range(1, 6)])
    await ledger.close()
    with apsw.Connection(str(tmp_path / "ledger.db")) as db:
        db.execute("DELETE FROM record WHERE seq = 5")
    db.close()
    with pytest.raises(LedgerError, match="chain"):
        Reader(tmp_path).verify()


async def test_a_full_disk_is_said_and_nothing_is_lost_when_there_is_room_again(tmp_path):
    ledger = await Ledger.open(tmp_path, max_bytes=4096 * 24)
    small = [asyncio.create_task(ledger.commit([fact(1)]))]
    await small[0]
    big = Record(Kind.AUDIT, "", 0, {"event": "x" * 200_000}, simulated=False)
    pending = [asyncio.create_task(ledger.commit([big])), asyncio.create_task(ledger.commit([fact(2)]))]
    await not_durable(ledger)
    assert not any(task.done() for task in pending)
    assert ledger.last_seq == 1
    assert "full" in str(ledger.trouble)
    ledger.max_bytes = 4096 * 1000
    written = await asyncio.gather(*pending)
    assert [one[0].seq for one in written] == [2, 3]
    assert ledger.durable
    await ledger.close()
    assert Reader(tmp_path).verify() == 3


async def test_what_cannot_be_written_to_the_end_is_refused_not_claimed(tmp_path):
    ledger = await Ledger.open(tmp_path, max_bytes=4096 * 24)
    big = Record(Kind.AUDIT, "", 0, {"event": "x" * 200_000}, simulated=False)
    pending = asyncio.create_task(ledger.commit([big]))
    await not_durable(ledger)
    await ledger.close()
    with pytest.raises(LedgerError, match="not recorded"):
        await pending
    with pytest.raises(LedgerError, match="closed"):
        await ledger.commit([fact(1)])
    assert Reader(tmp_path).verify() == 0


async def test_a_commit_that_failed_after_reaching_the_disk_is_not_written_twice(tmp_path):
    ledger = await Ledger.open(tmp_path)
    write = ledger._store.write

    def write_then_fail(changes, wall):
        write(changes, wall)
        raise apsw.IOError("fsync")

    ledger._store.write = write_then_fail  # type: ignore[method-assign]
    assert [record.seq for record in await ledger.commit([fact(1), fact(2)])] == [1, 2]
    await ledger.commit([fact(3)])
    await ledger.close()
    assert [record.body["total"] for record in Reader(tmp_path).records()] == [1, 2, 3]
    assert Reader(tmp_path).verify() == 3


async def test_a_body_that_is_not_json_stays_with_its_caller(ledger):
    with pytest.raises(ValueError, match="JSON"):
        await ledger.commit([Record(Kind.AUDIT, "", 0, {"value": float("nan")}, simulated=False)])
    assert (await ledger.commit([fact(1)]))[0].seq == 1


def test_no_other_sqlite_shares_the_process_of_the_ledger():
    code = "import agent.ledger, sys; print([m for m in sys.modules if 'sqlite' in m or m == 'aiosqlite'])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


WRITER = """
import asyncio, sys
from pathlib import Path
from agent.counter import CounterState
from agent.ledger import Ledger
from agent.model import Kind, Record

async def main():
    ledger = await Ledger.open(Path(sys.argv[1]))
    state = ledger.counters.get(("press1", "good"), CounterState(0, 0, 0, 0))
    async def one(total):
        body = {"counter": "good", "delta": 1, "total": total, "epoch": 0, "raw": total, "note": None}
        counters = {("press1", "good"): CounterState(total, total, 0, total)}
        await ledger.commit([Record(Kind.COUNT, "press1", total, body, True)], counters=counters)
        print(total, flush=True)
    total, tasks = state.total, set()
    while True:
        total += 1
        tasks.add(asyncio.create_task(one(total)))
        await asyncio.sleep(0.002)

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(3))
def test_kills_at_any_moment_lose_nothing_that_was_acknowledged_and_double_nothing(tmp_path, seed):
    moment = random.Random(seed)
    acknowledged = 0
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        for _ in range(moment.randrange(20, 300)):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
        process.stdout.close()
        process.wait()
    reader = Reader(tmp_path)
    last = reader.verify()
    totals = [record.body["total"] for record in reader.records(limit=100_000)]
    assert totals == list(range(1, last + 1))
    assert last >= acknowledged
    assert (
        reader.counters()["press1", "good"].total
        == last
        == sum(record.body["delta"] for record in reader.records(limit=100_000))
    )
    reader.close()
