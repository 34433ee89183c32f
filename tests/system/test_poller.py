"""The poller against a scripted driver: retries, faults once, acknowledges in order and only what is on disk."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from random import Random

import numpy as np
import pytest

from agent.ledger import Ledger, LedgerError, Reader
from agent.live import DeviceRule, MachineRule, TagRef
from agent.model import SECOND, Batch, Kind, Line, Machine, MachineState, Origin, State
from agent.poller import Poller
from agent.recorder import Recorder
from agent.shift import Calendar, Shift
from drivers.contract import Device, Driver, MisconfiguredError, NotConnectedError, Tag
from drivers.frames import Frames

START = 1_772_438_400 * SECOND
TAG = Tag.model_validate({"name": "light", "every": "10ms"})
LINE = Line("s", "a", "l", {}, 17.0, "UTC", (Machine("press1", {}, {}),), {}, {})
RULE = MachineRule("press1", TagRef("press1", "light"), {4: MachineState(State.EXECUTING)}, 1.0)
DEVICE = DeviceRule("press1", "scripted", "nowhere:1", (("light", ""),), 0.01)
CALENDAR = Calendar([Shift("day", dt.time(0), dt.time(0))])


class ScriptedDevice(Device):
    @property
    def address(self):
        return "nowhere:1"

    @property
    def tags(self):
        return (TAG,)

    def modulus(self, _tag):
        return None


def batch(token):
    one = np.ones(1)
    time = START + token * SECOND
    return Batch(np.zeros(1, np.uint32), one * 4, np.full(1, time), np.zeros(1, np.uint32), time, token)


class Script:
    """What each life of the link does: what connect and each read give or raise, or "hang"; then it hangs."""

    def __init__(self, *lives):
        self.lives = list(lives)
        self.opened, self.closed = 0, 0
        self.on_acknowledge = int
        self.on_open = bool

    def driver(self):
        return ScriptedDriver(self)


class ScriptedDriver(Driver[ScriptedDevice]):
    device_type = ScriptedDevice

    def __init__(self, script):
        super().__init__(device())
        self.script = script
        self.steps = iter(script.lives.pop(0) if script.lives else ["hang"])

    async def connect(self, _tags):
        self.script.opened += 1
        self.script.on_open()
        step = next(self.steps)
        if isinstance(step, Exception):
            raise step
        if step == "hang":
            await asyncio.Event().wait()
        return step

    async def read(self):
        step = next(self.steps, "hang")
        if isinstance(step, Exception):
            raise step
        if step == "hang":
            await asyncio.Event().wait()
        return step

    async def acknowledge(self, token):
        self.script.on_acknowledge(token)

    async def close(self):
        self.script.closed += 1


def device(timeout="10s"):
    return ScriptedDevice(name="press1", driver="scripted", timeout=timeout)


ORIGIN = Origin("tanchang", "script", simulated=True)


class Bench:
    def __init__(self, folder):
        self.folder = folder

    async def __aenter__(self):
        self.ledger = await Ledger.open(self.folder, group_s=0.001)
        self.recorder = Recorder(LINE, [RULE], [DEVICE], CALENDAR, self.ledger)
        self.tasks = [asyncio.create_task(self.recorder.run())]
        return self

    def poll(self, *lives, timeout="10s", frames=None):
        script = Script(*lives)
        task = asyncio.create_task(
            Poller(device(timeout), script.driver, self.recorder, Random(1), frames=frames).run()
        )
        self.tasks.append(task)
        return script, task

    async def until(self, told):
        """Wait for a commit after which `told` of all records is true."""
        async with asyncio.timeout(20):
            while not told(self.records()):
                await self.recorder.changed()
        return self.records()

    def records(self):
        reader = Reader(self.folder)
        found = reader.records(limit=1000)
        reader.close()
        return found

    async def __aexit__(self, *_):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.recorder.close()
        await self.ledger.close()


def faults(records):
    return [(one.body["code"], one.body["set"]) for one in records if one.kind is Kind.FAULT]


def words(records):
    return [one.body["word"] for one in records if one.kind is Kind.STATE]


async def test_a_device_that_cannot_be_reached_is_one_fault_until_it_gives_values(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    refused = [NotConnectedError("refused")]
    async with Bench(tmp_path) as bench:
        _, _ = bench.poll(refused, refused, [ORIGIN, NotConnectedError("no values")], [ORIGIN, batch(1), batch(2)])
        records = await bench.until(lambda found: ("not_connected", False) in faults(found) and words(found))
        assert faults(records) == [("not_connected", True), ("not_connected", False)]
        assert "refused" in next(one for one in records if one.kind is Kind.FAULT).body["message"]
        assert words(records) == ["executing"]
    assert [one.levelname for one in caplog.records] == ["WARNING", "INFO"]
    assert "Check power and network cable" in caplog.text


async def test_a_device_that_falls_silent_becomes_unknown_and_comes_back_by_itself(tmp_path):
    async with Bench(tmp_path) as bench:
        script, _ = bench.poll([ORIGIN, batch(1), "hang"], [ORIGIN, batch(9)], timeout="50ms")
        records = await bench.until(lambda found: any(one.kind is Kind.GAP for one in found))
        assert words(records)[:3] == ["executing", "unknown", "executing"]
        gap = next(one.body for one in records if one.kind is Kind.GAP)
        assert (gap["cause"], gap["what"]) == ("not_connected", "press1")
        assert (gap["from"][17:19], gap["to"][17:19]) == ("01", "09")
        assert script.closed >= 1


async def test_only_what_is_on_disk_is_acknowledged_and_in_order(tmp_path):
    async with Bench(tmp_path) as bench:
        reached = []
        script, _ = bench.poll([ORIGIN, *(batch(token) for token in range(1, 60))])
        script.on_acknowledge = lambda token: reached.append((token, rows(bench.folder)))
        async with asyncio.timeout(20):
            while len(reached) < 20:  # noqa: ASYNC110 - the script's own list, there is nothing to wait for
                await asyncio.sleep(0.01)
    assert [token for token, _ in reached] == list(range(1, len(reached) + 1))
    assert all(on_disk >= token for token, on_disk in reached)


def rows(folder):
    reader = Reader(folder)
    try:
        return len(reader.samples("press1", "light").value)
    finally:
        reader.close()


async def test_the_frames_before_a_link_broke_stay_whatever_fails_after_it(tmp_path):
    """The next drivers note in the same ring; only a link that gave values again can break anew."""
    frames = Frames()
    lost, gone = [ORIGIN, batch(1), batch(2), NotConnectedError("lost")], [NotConnectedError("gone")]
    async with Bench(tmp_path) as bench:
        script, _ = bench.poll(lost, gone, gone, [ORIGIN, batch(3), NotConnectedError("lost again")], frames=frames)
        script.on_open = lambda: frames.notes.append((script.opened, True, b"asked", 0, 5))
        async with asyncio.timeout(20):
            while frames.broken is None or "lost again" not in frames.broken.why:
                if frames.broken is not None:
                    assert (frames.broken.why, times(frames.broken.frames)) == ("nowhere:1: lost", [1])
                await asyncio.sleep(0.005)
        assert times(frames.broken.frames) == [1, 2, 3, 4]
        assert times(frames.last())[:4] == [1, 2, 3, 4]


def times(frames):
    return [one.time for one in frames]


async def test_what_a_device_will_never_give_is_not_asked_again(tmp_path):
    async with Bench(tmp_path) as bench:
        script, task = bench.poll([MisconfiguredError("no node s=good")], [ORIGIN, batch(1)])
        await task
        assert script.opened == 1
        assert faults(bench.records()) == [("misconfigured", True)]


async def test_a_bug_of_a_driver_is_told_with_its_traceback_and_the_device_started_again(tmp_path, caplog):
    async with Bench(tmp_path) as bench:
        bench.poll([ORIGIN, batch(1), ZeroDivisionError("oops")], [ORIGIN, batch(2)])
        records = await bench.until(lambda found: ("internal", False) in faults(found))
        assert faults(records) == [("internal", True), ("internal", False)]
    assert "ZeroDivisionError: oops" in caplog.text


async def test_being_stopped_closes_the_link_and_leaves_nothing_running(tmp_path):
    async with Bench(tmp_path) as bench:
        script, task = bench.poll([ORIGIN, batch(1)])
        await bench.until(lambda found: words(found) == ["executing"])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert script.closed == 1
        left = [one for one in asyncio.all_tasks() if one not in (asyncio.current_task(), *bench.tasks)]
        assert left == []


@pytest.mark.parametrize("answer", [ORIGIN, NotConnectedError("refused")])
async def test_being_stopped_just_as_the_device_answers_stops_all_the_same(tmp_path, monkeypatch, answer):
    waiting = asyncio.Event()

    async def connect(_driver, _tags):
        """Passes over a cancellation that comes together with its answer, as a library may."""
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if isinstance(answer, Exception):
                raise answer from None
        return answer

    monkeypatch.setattr(ScriptedDriver, "connect", connect)
    async with Bench(tmp_path) as bench:
        script, task = bench.poll([])
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)
        assert script.closed == 1


async def test_a_ledger_that_is_gone_ends_the_poller(tmp_path):
    async with Bench(tmp_path) as bench:
        await bench.ledger.close()
        _, task = bench.poll([ORIGIN, batch(1), batch(2), NotConnectedError("gone")])
        with pytest.raises(LedgerError, match="closed"):
            await task
        bench.tasks.clear()
        bench.recorder.close = bench.ledger.close
