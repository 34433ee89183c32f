"""From batches to records, figures and what is shown: on a real ledger, with the wall's clock in the test's hand."""

from __future__ import annotations

import asyncio

import apsw
import pytest

from agent.faults import fault
from agent.ledger import Reader
from agent.model import (
    BAD_NO_DATA,
    SECOND,
    Kind,
    Order,
    Origin,
    Plan,
    State,
)
from tests.system.recorder_rig import (
    NAMES,
    SIMULATED,
    START,
    STOP,
    Bench,
    at,
    batch,
    first,
)


@pytest.fixture
async def bench(tmp_path):
    one = await Bench(tmp_path).open()
    yield one
    await one.close()


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
