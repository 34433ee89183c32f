"""What a recorder takes up after a restart or a kill, and what becomes of the gateway's clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.app import watch_of
from agent.clock import Watch
from agent.faults import fault
from agent.ledger import Ledger, Reader
from agent.model import (
    SECOND,
    Kind,
    Record,
    State,
)
from agent.recorder import Recorder
from gateway import payload
from tests.system.recorder_rig import (
    CALENDAR,
    LINE,
    NAMES,
    RUN,
    START,
    STARVED,
    STOP,
    Bench,
    at,
    batch,
    first,
    inspection,
)
from tests.system.test_ledger_damaged import WIRE


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


async def test_what_a_new_link_restates_is_shown_and_no_sample_again_and_waits_for_what_it_restates(tmp_path):
    bench = await Bench(tmp_path).open()
    await bench.start()
    await bench.recorder.disconnected("press1", fault("press1", "not_connected", "gone", START))
    told = batch(16, good=101)
    taking = asyncio.create_task(bench.recorder.take("press1", told))
    await asyncio.sleep(0)
    restating = asyncio.create_task(bench.recorder.take("press1", replace(told, restated=True)))
    await asyncio.wait({restating}, timeout=0.1)
    assert not restating.done()
    bench.mono += SECOND
    await bench.recorder.tick()
    assert await taking
    assert await restating
    await bench.take("press1", replace(first(20, good=101), restated=True))
    assert bench.machine().good == 1
    await bench.close()
    reader = Reader(tmp_path)
    assert reader.samples("press1", "good").value.tolist() == [100, 101]
    reader.close()
