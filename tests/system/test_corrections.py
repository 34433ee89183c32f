"""What comes late corrects the last closed window, in a run and after a restart: a new revision on a real ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from agent.model import SECOND, Kind
from agent.shift import Calendar, Shift
from tests.system.recorder_rig import START, Bench, batch, inspection


async def closed_hour(folder):
    """A recorder whose first hour was closed, with what was told of it."""
    bench = await Bench(folder).open()
    await bench.start(3500)
    await bench.take("press1", batch(3610))
    await bench.take("trim1", batch(3610))
    await bench.recorder.tick()
    return bench, {key(one): one.body for one in bench.records(Kind.KPI)}


def key(record):
    return record.body["name"], record.machine


def late():
    """A part inspected in the first hour, told after it."""
    return replace(inspection(0), time=START + 3599 * SECOND)


def corrections(bench, told):
    """Figures of revision 1, by name and machine."""
    found = {key(one): one.body for one in bench.records(Kind.KPI)[len(told) :]}
    assert {body["revision"] for body in found.values()} <= {1}
    return found


@pytest.mark.parametrize("restart", [False, True])
async def test_a_late_inspection_is_a_new_revision_of_a_closed_hour(tmp_path, restart):
    bench, told = await closed_hour(tmp_path)
    if restart:
        await bench.close()
        bench = await Bench(tmp_path).open()
        await bench.start(3700)
        await bench.recorder.tick()
    assert corrections(bench, told) == {}
    await bench.recorder.inspect(late())
    await bench.recorder.tick()
    found = corrections(bench, told)
    await bench.close()
    assert found["inspection_reject", "press1"]["numerator"] == 1
    for name, body in told.items():
        assert {**found[name], "revision": 0} == body


async def test_a_device_that_was_heard_after_the_end_corrects_the_hour_it_was_missing_in(tmp_path):
    bench = await Bench(tmp_path).open()
    await bench.start(3500)
    await bench.take("press1", batch(3610))
    await bench.recorder.tick()
    bench.mono += 10 * SECOND
    await bench.recorder.tick()
    told = {key(one): one.body for one in bench.records(Kind.KPI)}
    assert told["utilization", "trim1"]["covered_s"] == 0
    await bench.take("trim1", batch(3620))
    await bench.recorder.tick()
    found = corrections(bench, told)
    await bench.close()
    assert found["utilization", "trim1"]["covered_s"] == 100
    assert found["utilization", "press1"]["covered_s"] == 100


async def test_a_plan_that_changed_over_a_restart_is_a_new_revision(tmp_path, monkeypatch):
    bench, told = await closed_hour(tmp_path)
    await bench.close()
    pause = ((dt.time(8, 10), dt.time(8, 20)),)
    day, night = Shift("day", dt.time(8), dt.time(20), breaks=pause), Shift("night", dt.time(20), dt.time(8))
    monkeypatch.setattr("tests.system.recorder_rig.CALENDAR", Calendar([day, night]))
    for revisions in ({1}, set()):
        bench = await Bench(tmp_path).open()
        before = len(bench.records(Kind.KPI))
        await bench.start(3700)
        await bench.recorder.tick()
        new = {key(one): one.body for one in bench.records(Kind.KPI)[before:]}
        await bench.close()
        assert {body["revision"] for body in new.values()} == revisions
        if new:
            assert new["utilization", "press1"]["expected_s"] == 3000
            assert new["utilization", "press1"]["covered_s"] == told["utilization", "press1"]["covered_s"]
