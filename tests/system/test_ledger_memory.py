"""The disk fails and heals: shown and held in memory meanwhile, never claimed, bounded, and all of it written after."""

from __future__ import annotations

import asyncio

import apsw
import numpy as np
import pytest

from agent import ledger as ledger_module
from agent.commands.proof import report_of
from agent.counter import CounterState
from agent.ledger import Block, Ledger, Reader
from agent.model import SECOND, Batch, Kind, Record
from agent.storage import samples
from agent.storage.store import Store
from gateway import live
from tests.system.recorder_rig import Bench, first
from tests.system.test_poller import ORIGIN, batch, rows
from tests.system.test_poller import Bench as PollerBench

KEY = ("press1", "good")


class Disk:
    """Refuses every write while `failing`."""

    failing = False


@pytest.fixture
def disk(monkeypatch):
    one, write = Disk(), Store.write

    def perhaps(self, changes, wall):
        if one.failing:
            raise apsw.IOError("disk I/O error")
        return write(self, changes, wall)

    monkeypatch.setattr(Store, "write", perhaps)
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    return one


async def until(told):
    async with asyncio.timeout(20):
        while not told():  # noqa: ASYNC110 - a property of a thread, there is nothing to wait for
            await asyncio.sleep(0.01)


def fact(number):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(Kind.COUNT, "press1", number * SECOND, body, simulated=True)


def block(second):
    time = np.full(1, second * SECOND, np.int64)
    noise = np.frombuffer(np.random.default_rng(second).bytes(8), np.float64)
    body = samples.encode([Batch(np.zeros(1, np.uint32), noise, time, np.zeros(1, np.uint32), int(time[0]), second)])
    return Block("press1", ("force",), int(time[0]), int(time[0]), 1, body)


async def test_the_line_goes_on_in_memory_says_so_and_is_whole_on_disk_when_it_heals(tmp_path, disk):
    bench = await Bench(tmp_path).open()
    await bench.start()
    disk.failing = True
    for second in range(1, 6):
        taking = asyncio.create_task(bench.recorder.take("press1", first(second, good=100 + second)))
        await asyncio.sleep(0)
        bench.mono += SECOND
        await bench.recorder.tick()
        assert await taking is False
    now = bench.recorder.now()
    (press1, _) = now.machines
    assert (now.durable, press1.good) == (False, 5)
    assert [fault.code for fault in now.faults] == ["not_durable"]
    told = live.live(bench.recorder.line, now, "7F3A", 0, {}).values()
    assert [(one["value"]["durable"], one["quality"]) for one in told if "durable" in one["value"]] == [
        (False, "uncertain")
    ]
    before = bench.ledger.last_seq
    disk.failing = False
    await until(lambda: bench.ledger.durable and bench.ledger.last_seq > before and not bench.ledger._waiting)
    assert bench.recorder.now().faults == ()
    await bench.take("press1", first(6, good=106))
    await bench.close()
    report, blocks = report_of(tmp_path)
    assert (report.violations, blocks, report.tallies[KEY].counted) == ([], [], 6)
    reader = Reader(tmp_path)
    assert reader.samples("press1", "good").value.tolist() == [100, 101, 102, 103, 104, 105, 106]
    reader.close()


async def test_what_only_memory_holds_is_not_acknowledged(tmp_path, disk):
    async with PollerBench(tmp_path) as bench:
        told = []
        script, _ = bench.poll([ORIGIN, *(batch(token) for token in range(1, 400))])
        script.on_acknowledge = lambda token: told.append((token, rows(bench.folder)))
        await until(lambda: len(told) > 3)
        disk.failing = True
        await until(lambda: not bench.ledger.durable)
        acknowledged = len(told)
        await until(lambda: bench.recorder.devices()[0].batches > acknowledged + 100)
        assert len(told) <= acknowledged + 1
        disk.failing = False
    assert all(on_disk >= token for token, on_disk in told)


async def test_memory_is_bounded_the_oldest_samples_give_way_as_a_gap_and_no_count_does(tmp_path, disk, monkeypatch):
    monkeypatch.setattr(ledger_module, "MOST_BYTES", 20 * len(block(1).body))
    ledger = await Ledger.open(tmp_path, group_s=0)
    await ledger.commit([fact(1)], counters={KEY: CounterState(1, 1, 0, SECOND)})
    disk.failing = True
    waiting = [ledger.hand_in([fact(2)])]
    await until(lambda: not ledger.durable)
    for number in range(3, 103):
        state = {KEY: CounterState(number, number, 0, number * SECOND)}
        waiting.append(ledger.hand_in([fact(number)], counters=state, blocks=[block(number)]))
    assert ledger.holding
    disk.failing = False
    written = await asyncio.gather(*waiting)
    assert [one[0].body["total"] for one in written] == list(range(2, 103))
    await ledger.close()
    reader = Reader(tmp_path)
    kept = (reader.samples("press1", "force").source_time // SECOND).tolist()
    (gap,) = reader.records(Kind.GAP)
    reader.close()
    assert kept[-1] == 102
    assert 15 <= len(kept) <= 21
    assert kept == list(range(103 - len(kept), 103))
    assert (gap.body["what"], gap.body["cause"]) == ("samples", "not_durable")
    assert gap.body["from"] == "1970-01-01T00:00:03.000Z"
    assert gap.time == (kept[0] - 1) * SECOND
    assert report_of(tmp_path)[0].violations == []


async def test_beyond_what_memory_may_hold_reading_waits_for_the_disk(tmp_path, disk, monkeypatch):
    bench = await Bench(tmp_path).open()
    await bench.start()
    monkeypatch.setattr(ledger_module, "MOST_RECORDS", 3)
    disk.failing = True
    takes = []
    for second in range(1, 9):
        takes.append(asyncio.create_task(bench.recorder.take("press1", first(second, good=100 + second))))
        await asyncio.sleep(0)
        await until(lambda: not bench.ledger.durable)  # what comes from now on waits behind what fails
    assert not bench.ledger.holding
    assert not takes[-1].done()
    disk.failing = False
    bench.mono += 2 * SECOND
    await bench.recorder.tick()
    await asyncio.gather(*takes)
    await bench.close()
    report, _ = report_of(tmp_path)
    assert (report.violations, report.tallies[KEY].counted) == ([], 8)
