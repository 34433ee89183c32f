"""From batches to records, figures and what is shown: on a real ledger, with the wall's clock in the test's hand."""

from __future__ import annotations

import asyncio
import datetime as dt

import apsw
import numpy as np
import pytest

from agent.app import watch_of
from agent.clock import Watch
from agent.faults import fault
from agent.flashing import Lamp
from agent.ledger import Ledger, Reader
from agent.live import CounterRule, DeviceRule, MachineRule, TagRef
from agent.model import (
    BAD_NO_DATA,
    SECOND,
    Batch,
    Cause,
    Inspection,
    Kind,
    Line,
    Machine,
    MachineState,
    Order,
    Origin,
    Plan,
    Record,
    State,
    Verdict,
)
from agent.recorder import Recorder
from agent.shift import Calendar, Shift
from gateway import payload
from tests.system.test_ledger_damaged import WIRE

START = int(dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC).timestamp()) * SECOND
TAGS = ("light", "reason", "good", "scrap", "cycle")
RUN, STOP, STARVED = 4, 1, 34
PATTERNS: dict[Lamp, MachineState] = {
    RUN: MachineState(State.EXECUTING),
    STOP: MachineState(State.NOT_EXECUTING, Cause.STOPPED),
    STARVED: MachineState(State.NOT_EXECUTING, Cause.STARVED),
}
NAMES = ("press1", "trim1")
MACHINES = tuple(Machine(name, {"en": name}, {31: "die-protection"}) for name in NAMES)
LINE = Line("foshan", "appliances", "cooker3", {}, 17.0, "UTC", MACHINES, {}, {"utilization": 90.0})
CALENDAR = Calendar([Shift("day", dt.time(8), dt.time(20))])
SIMULATED = Origin("tanchang", "simulator", simulated=True, speed=1.0)


def rule(name):
    tag = {word: TagRef(name, word) for word in TAGS}
    good, scrap = CounterRule(tag["good"], 2**16), CounterRule(tag["scrap"], 2**16)
    return MachineRule(name, tag["light"], PATTERNS, 1 / 16, good, scrap, tag["reason"], tag["cycle"])


def device(name, tags=TAGS):
    return DeviceRule(name, "scripted", "nowhere:1", tuple((tag, "") for tag in tags), 0.1)


def batch(seconds, token=1, bad=(), at=None, **values):
    """What a device says at START + seconds: the tags given, of that time or of START + at."""
    index = [TAGS.index(name) for name in values]
    source = START + int((seconds if at is None else at) * SECOND)
    return Batch(
        np.array(index, np.uint32),
        np.array(list(values.values()), np.float64),
        np.full(len(index), source, np.int64),
        np.array([BAD_NO_DATA if name in bad else 0 for name in values], np.uint32),
        START + int(seconds * SECOND),
        token,
    )


def first(seconds, good=100, **values):
    return batch(seconds, **({"light": RUN, "reason": 0, "good": good, "scrap": 10, "cycle": 16.0} | values))


class Bench:
    """A recorder on a ledger, and the wall's clock."""

    def __init__(self, folder):
        self.folder, self.mono = folder, 0

    async def open(self, group_s=0.001):
        self.ledger = await Ledger.open(self.folder, group_s=group_s)
        devices = [device(name) for name in NAMES] + [device("meter1", ("power",))]
        rules = [rule(name) for name in NAMES]
        self.recorder = Recorder(LINE, rules, devices, CALENDAR, self.ledger, lambda: self.mono, lambda: START)
        await self.recorder.restore()
        return self

    async def take(self, name, *batches):
        """Hand over, then let the wall's clock go on far enough that the block is written."""
        takes = [asyncio.create_task(self.recorder.take(name, one)) for one in batches]
        await asyncio.sleep(0)
        self.mono += SECOND
        await self.recorder.tick()
        await asyncio.gather(*takes)

    async def start(self, seconds=0, **values):
        for name in NAMES:
            await self.recorder.connected(name, SIMULATED)
            await self.take(name, first(seconds, **values))

    async def close(self):
        await self.recorder.close()
        await self.ledger.close()

    def records(self, kind=None, machine=None):
        reader = Reader(self.folder)
        reader.verify()
        found = reader.records(kind, machine, limit=10**6)
        reader.close()
        return found

    def figure(self, name, machine, kind="shift"):
        figures = self.recorder.now().figures
        return next(one for one in figures if (one.name, one.machine, one.window.kind) == (name, machine, kind))

    def machine(self, name="press1"):
        return next(one for one in self.recorder.now().machines if one.name == name)


@pytest.fixture
async def bench(tmp_path):
    one = await Bench(tmp_path).open()
    yield one
    await one.close()


def at(record):
    return (record.time - START) / SECOND


async def test_before_anything_is_heard_all_is_unknown_and_nothing_is_counted(bench):
    machine = bench.machine()
    assert (machine.state.state, machine.good, machine.simulated) == (State.UNKNOWN, None, False)
    assert bench.recorder.now().figures == ()


async def test_a_batch_becomes_states_counts_and_figures(bench):
    await bench.start()
    await bench.take("press1", batch(16, good=101), batch(32, good=102), batch(40, light=STOP, reason=31))
    await bench.take("press1", batch(60))
    states = bench.records(Kind.STATE, "press1")
    assert [(at(one), one.body["word"], one.body["reason_word"]) for one in states] == [
        (0, "executing", None),
        (40, "stopped", "die-protection"),
    ]
    counts = [one.body for one in bench.records(Kind.COUNT, "press1")]
    assert [(one["counter"], one["delta"], one["total"], one["note"]) for one in counts] == [
        ("good", 0, 0, "baseline"),
        ("scrap", 0, 0, "baseline"),
        ("good", 1, 1, None),
        ("good", 1, 2, None),
    ]
    utilization = bench.figure("utilization", "press1")
    assert (utilization.numerator, utilization.denominator) == (40, 60)
    assert bench.figure("good", "press1").value == 2
    assert bench.machine().good == 2
    assert all(one.simulated for one in bench.records(machine="press1"))


async def test_a_machine_that_only_vouches_for_itself_keeps_its_coverage(bench):
    """Batches without rows bring no record and no sample, yet they are observation."""
    await bench.start()
    for seconds in range(1, 30):
        await bench.take("press1", batch(seconds))
        await bench.take("trim1", batch(seconds))
    assert bench.figure("utilization", "press1").coverage == 1.0
    assert Reader(bench.folder).observed()["press1"].time == START + 29 * SECOND


async def test_what_is_shown_was_on_disk_before(bench):
    await bench.start()
    before = bench.recorder.now()
    taking = asyncio.create_task(bench.recorder.take("press1", batch(16, good=101, light=STOP)))
    await asyncio.sleep(0)
    assert bench.machine() == before.machines[0]
    await bench.recorder.changed()
    assert bench.machine().good == 1
    assert bench.recorder.now().seq == Reader(bench.folder).last_seq
    assert not taking.done()
    bench.mono += SECOND
    await bench.recorder.tick()
    await taking
    assert Reader(bench.folder).samples("press1", "good").value.tolist() == [100, 101]


async def test_while_the_disk_fails_nothing_is_shown_that_is_not_on_it_and_a_fault_says_so(bench):
    await bench.start()

    def refuse(_changes, _wall):
        raise apsw.FullError("database or disk is full")

    bench.ledger._store.write = refuse
    taking = asyncio.create_task(bench.recorder.take("press1", batch(16, good=101)))
    while bench.recorder.now().durable:  # noqa: ASYNC110 - a property of a thread, there is nothing to wait for
        await asyncio.sleep(0.001)
    now = bench.recorder.now()
    assert (now.machines[0].good, [one.code for one in now.faults]) == (0, ["not_durable"])
    await bench.recorder.changed()
    now = bench.recorder.now()
    assert (now.machines[0].good, now.durable, now.faults) == (1, True, ())
    bench.mono += SECOND
    await bench.recorder.tick()
    await taking


async def test_a_lost_device_is_unknown_from_its_last_batch_and_its_gap_is_recorded_when_it_ends(bench):
    await bench.start()
    await bench.take("press1", batch(50))
    assert await bench.recorder.disconnected("press1", fault("press1", "not_connected", "gone", START))
    assert not await bench.recorder.disconnected("press1", fault("press1", "not_connected", "gone", START))
    machine, link = bench.machine(), bench.recorder.devices()[0]
    assert (machine.state.state, machine.since) == (State.UNKNOWN, START + 50 * SECOND)
    assert link.gap_since == START + 50 * SECOND
    assert {tag.status for tag in link.tags} == {BAD_NO_DATA}
    assert [one.code for one in bench.recorder.now().faults] == ["not_connected"]
    await bench.recorder.connected("press1", SIMULATED)
    await bench.take("press1", first(110, good=103))
    assert await bench.recorder.clear("press1")
    gap = bench.records(Kind.GAP)
    assert [(one.machine, one.body["what"], one.body["cause"]) for one in gap] == [
        ("press1", "press1", "not_connected")
    ]
    assert gap[0].body["to"].endswith("08:01:50.000Z")
    assert bench.records(Kind.COUNT, "press1")[-1].body["note"] == "late"
    words = [(at(one), one.body["word"]) for one in bench.records(Kind.STATE, "press1")]
    assert words == [(0, "executing"), (50, "unknown"), (110, "executing")]
    utilization = bench.figure("utilization", "press1")
    assert (utilization.covered, utilization.expected) == (50, 110)
    assert [one.body["set"] for one in bench.records(Kind.FAULT)] == [True, False]
    assert bench.recorder.devices()[0].reconnects == 1


async def test_what_once_said_that_it_is_simulated_never_looks_real(bench):
    await bench.start()
    await bench.recorder.disconnected("press1", None)
    await bench.recorder.connected("press1", Origin())
    await bench.take("press1", first(110, good=103))
    assert bench.machine().simulated
    assert bench.recorder.devices()[0].origin.simulated
    assert all(one.simulated for one in bench.records(Kind.COUNT, "press1"))


async def test_coverage_falls_second_by_second_while_a_device_is_silent(bench):
    await bench.start()
    await bench.take("press1", batch(10))
    await bench.take("trim1", batch(10))
    await bench.recorder.disconnected("press1", None)
    coverages = []
    for _ in range(4):
        bench.mono += 10 * SECOND
        coverages.append(bench.figure("utilization", "press1").coverage)
    assert coverages == sorted(coverages, reverse=True)
    assert len(set(coverages)) == 4
    assert bench.figure("utilization", "press1").covered == 10


async def test_a_machine_not_heard_of_for_five_seconds_is_shown_unknown_whatever_the_reason(bench):
    await bench.start()
    assert bench.machine().state.state is State.EXECUTING
    bench.mono += 5 * SECOND + 1
    assert bench.machine().state.state is State.UNKNOWN
    assert {tag.status for tag in bench.recorder.devices()[0].tags} == {BAD_NO_DATA}


async def test_after_a_restart_totals_go_on_and_the_time_between_is_unknown(tmp_path):
    bench = await Bench(tmp_path).open()
    await bench.start()
    await bench.take("press1", batch(16, good=101), batch(20))
    await bench.recorder.fault(fault("press1", "suspect_counter", "left behind", START))
    await bench.close()

    again = await Bench(tmp_path).open()
    assert again.machine().state.state is State.UNKNOWN
    assert again.machine().good == 1
    await again.start(600, good=130)
    assert again.machine().good == 30
    words = [(at(one), one.body["word"]) for one in again.records(Kind.STATE, "press1")]
    assert words == [(0, "executing"), (20, "unknown"), (600, "executing")]
    gaps = [(one.machine, one.body["cause"], one.body["from"][14:19]) for one in again.records(Kind.GAP)]
    assert gaps == [("press1", "agent_down", "00:20"), ("trim1", "agent_down", "00:00")]
    counts = [one.body for one in again.records(Kind.COUNT, "press1") if one.body["counter"] == "good"]
    assert [(one["delta"], one["note"]) for one in counts] == [(0, "baseline"), (1, None), (29, "restart")]
    assert [one.body["set"] for one in again.records(Kind.FAULT)] == [True, False]
    await again.close()


async def test_a_gap_that_was_open_when_the_agent_died_is_closed_by_the_next_one(tmp_path):
    bench = await Bench(tmp_path).open()
    await bench.start()
    await bench.take("press1", batch(50))
    await bench.recorder.disconnected("press1", fault("press1", "not_connected", "gone", START))
    await bench.ledger.close()  # as if killed: nothing of the recorder is written any more

    again = await Bench(tmp_path).open()
    assert again.recorder.devices()[0].gap_since == START + 50 * SECOND
    await again.start(600)
    gap = again.records(Kind.GAP, "press1")
    assert [(one.body["cause"], one.body["from"][14:19], one.body["to"][14:19]) for one in gap] == [
        ("not_connected", "00:50", "10:00")
    ]
    words = [(at(one), one.body["word"]) for one in again.records(Kind.STATE, "press1")]
    assert words == [(0, "executing"), (50, "unknown"), (600, "executing")]
    await again.close()


async def test_hours_that_passed_while_the_agent_was_down_are_told_with_their_coverage(tmp_path):
    bench = await Bench(tmp_path).open()
    await bench.start(3000)
    for name in NAMES:
        await bench.take(name, batch(3300))
    await bench.close()

    again = await Bench(tmp_path).open()
    await again.start(3 * 3600 + 60)
    await again.recorder.tick()
    hours = {
        one.body["window"]["label"]: one.body["coverage"]
        for one in again.records(Kind.KPI, "press1")
        if one.body["name"] == "utilization"
    }
    assert hours == {"08:00": pytest.approx(300 / 3600), "09:00": 0.0, "10:00": 0.0}
    await again.close()
    third = await Bench(tmp_path).open()
    await third.start(3 * 3600 + 120)
    await third.recorder.tick()
    assert len(third.records(Kind.KPI)) == len(again.records(Kind.KPI))
    await third.close()


async def test_a_clock_set_back_freezes_nothing_and_counts_no_part_twice(bench):
    await bench.start(7000)
    await bench.take("press1", batch(7016, good=101))
    for step in range(1, 4):
        await bench.take("press1", batch(3400 + 16 * step, good=101 + step))
    assert bench.machine().good == 4
    assert bench.machine().observed == START + 3448 * SECOND
    assert [one.body["cause"] for one in bench.records(Kind.GAP)] == ["clock_set_back"]
    await bench.take("press1", batch(3460, light=STOP))
    assert bench.machine().state.word == "stopped"


async def test_orders_plans_and_the_start_are_records_of_the_line(bench):
    await bench.start()
    await bench.recorder.audit("start", "0.1.0")
    await bench.recorder.order(Order("J17", "A", 120, START + 3600 * SECOND))
    await bench.recorder.plan(Plan((), "rules", None, START, 0, 0.0))
    kinds = [one.kind for one in bench.records(machine="")]
    assert kinds == [Kind.AUDIT, Kind.ORDER, Kind.PLAN]
    assert bench.recorder.now().plan.rung == "rules"


async def test_a_device_without_the_plants_clock_is_told_in_plant_time(bench):
    """A meter has no clock of the plant: its gap must not mix two calendars."""
    await bench.start()
    await bench.take("press1", batch(100))
    power = batch(9_000_000, light=4)
    await bench.take("meter1", power)
    await bench.recorder.disconnected("meter1", None)
    await bench.take("meter1", power)
    gap = bench.records(Kind.GAP)[-1]
    assert (gap.body["what"], gap.machine) == ("meter1", "")
    assert at(gap) < 200


async def test_figures_after_a_restart_are_those_before_it(tmp_path):
    bench = await Bench(tmp_path).open()
    await bench.start()
    for step in range(1, 20):
        light = (RUN, STOP, STARVED)[step % 3]
        await bench.take("press1", batch(step * 40, good=100 + step, light=light, reason=31 if light == STOP else 0))
        await bench.take("trim1", batch(step * 40, scrap=10 + step // 5))
    await bench.recorder.inspect(inspection(70))
    before = {(one.name, one.machine, one.window.kind): one for one in bench.recorder.now().figures}
    await bench.close()
    again = await Bench(tmp_path).open()
    after = {(one.name, one.machine, one.window.kind): one for one in again.recorder.now().figures}
    assert {key: (one.numerator, one.denominator, one.covered, one.simulated) for key, one in after.items()} == {
        key: (one.numerator, one.denominator, one.covered, one.simulated) for key, one in before.items()
    }
    assert again.recorder.last_inspections == (inspection(70),)
    await again.close()


def inspection(seconds):
    return Inspection(
        unit="press1-000001",
        machine="press1",
        time=START + seconds * SECOND,
        verdict=Verdict.REJECT,
        score=0.97,
        image_score=0.97,
        process_score=None,
        defect="blowhole",
        model="0123456789ab",
        evidence=None,
        simulated=True,
        took_ms=9.1,
    )


async def test_a_window_is_closed_once_when_every_device_has_passed_its_end(bench):
    await bench.start(3500)
    await bench.take("press1", batch(3610))
    assert bench.records(Kind.KPI) == []
    await bench.take("trim1", batch(3610))
    await bench.recorder.tick()
    closed = bench.records(Kind.KPI)
    assert {one.body["window"]["label"] for one in closed} == {"08:00"}
    keys = [(one.body["name"], one.machine) for one in closed]
    assert len(keys) == len(set(keys))
    utilization = next(one.body for one in closed if (one.body["name"], one.machine) == ("utilization", "press1"))
    assert (utilization["covered_s"], utilization["expected_s"], utilization["closed"]) == (100, 3600, True)
    assert bench.figure("utilization", "press1", "hour").covered == 10
    await bench.take("press1", batch(3700))
    await bench.recorder.tick()
    assert len(bench.records(Kind.KPI)) == len(closed)


async def test_a_window_waits_ten_seconds_for_a_device_that_lags(bench):
    await bench.start(3590)
    await bench.take("press1", batch(3610))
    await bench.recorder.tick()
    assert bench.records(Kind.KPI) == []
    bench.mono += 10 * SECOND
    await bench.recorder.tick()
    assert len(bench.records(Kind.KPI)) > 0


async def test_parts_of_a_closed_window_correct_it(bench):
    await bench.start(3590)
    for name in NAMES:
        await bench.take(name, batch(3610))
    await bench.recorder.tick()
    await bench.take("press1", batch(3620, good=101, at=3595))
    await bench.recorder.tick()
    goods = [one.body for one in bench.records(Kind.KPI, "press1") if one.body["name"] == "good"]
    assert [(one["revision"], one["value"]) for one in goods] == [(0, 0), (1, 1)]


async def test_a_suspect_counter_is_a_fault_until_it_goes_on(bench):
    await bench.start()
    await bench.take("press1", batch(16, good=9000))
    assert [(one.source, one.code) for one in bench.recorder.now().faults] == [("press1.good", "suspect_counter")]
    assert bench.machine().good == 0
    await bench.take("press1", batch(32, good=9001))
    assert bench.recorder.now().faults == ()
    assert bench.machine().good == 1
    assert [one.body["what"] for one in bench.records(Kind.GAP)] == ["press1.good"]


async def test_a_bad_lamp_spoils_only_the_state(bench):
    await bench.start()
    await bench.take("press1", batch(16, bad=("light",), light=0, good=101))
    assert bench.machine().state.state is State.UNKNOWN
    assert bench.machine().good == 1


async def test_plant_time_never_goes_back_and_runs_at_the_speed_the_device_tells(bench):
    await bench.recorder.connected("press1", Origin(simulated=True, speed=60.0))
    await bench.take("press1", first(100))
    assert bench.recorder.plant_time() == START + 160 * SECOND
    bench.mono += SECOND
    assert bench.recorder.plant_time() == START + 220 * SECOND
    await bench.take("press1", batch(110))
    assert bench.recorder.plant_time() >= START + 220 * SECOND


async def test_a_kill_loses_no_part_and_doubles_none(tmp_path):
    """Whatever was not on disk arrives again as the difference of absolute counters."""
    bench = await Bench(tmp_path).open()
    await bench.start()
    await bench.take("press1", batch(16, good=101))
    taking = asyncio.create_task(bench.recorder.take("press1", batch(32, good=102)))
    await bench.ledger.close()  # as if killed: the block, and all that comes later, is never written
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    again = await Bench(tmp_path).open()
    await again.start(300, good=110)
    deltas = [one.body["delta"] for one in again.records(Kind.COUNT, "press1") if one.body["counter"] == "good"]
    assert sum(deltas) == again.machine().good == 10
    await again.close()


async def test_what_becomes_of_the_gateways_clock_is_a_fact_with_both_clocks(tmp_path):
    ledger, clocks = await Ledger.open(tmp_path, group_s=0.001), {"mono": 5 * SECOND, "wall": 7 * SECOND}
    both = (lambda: clocks["mono"], lambda: clocks["wall"])
    recorder = Recorder(LINE, [], [], CALENDAR, ledger, *both, watch=Watch("Europe/Berlin", START))
    await recorder.tick()
    (shown,) = recorder.now().faults
    assert (shown.source, shown.code) == ("clock", "unsynchronised")
    for mono, wall in ((6, START), (7, START + SECOND), (8, START + 3600 * SECOND)):
        clocks.update(mono=mono * SECOND, wall=wall)
        await recorder.tick()
    assert recorder.now().faults == ()
    await ledger.close()
    reader = Reader(tmp_path)
    audits, told = reader.records(Kind.AUDIT), reader.records(Kind.FAULT)
    reader.close()
    assert [one.body["clock"]["moved"] for one in audits] == ["unsynchronised", "synchronised", "stepped"]
    last = audits[-1].body["clock"]
    assert (last["before"], last["after"]) == ("2026-03-02T08:00:02.000Z", "2026-03-02T09:00:00.000Z")
    assert (last["mono_s"], last["step_s"], last["offsets_s"]) == (8.0, 3598.0, None)
    assert [(one.body["source"], one.body["set"]) for one in told] == [("clock", True), ("clock", False)]
    for one in (*audits, *told):
        WIRE.validate(payload.record(ledger.id, one))


async def test_the_agent_knows_the_time_that_its_ledger_last_saw(tmp_path):
    ledger = await Ledger.open(tmp_path)
    await ledger.commit([Record(Kind.AUDIT, "", 0, {"event": "start"}, simulated=False)])
    await ledger.close()
    reader = Reader(tmp_path)
    moved = [fact.moved for fact in watch_of(LINE, reader).look(0, reader.last_wall - SECOND)]
    reader.close()
    assert moved == ["unsynchronised"]
