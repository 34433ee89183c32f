"""The schedule of faults: the same for the same seed, and every fault in its turn."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from simulators.faults import CODES, KINDS, schedule
from simulators.plant import Plant
from simulators.scenario import COOKER3

EVERY = {(target, kind) for target, kinds in KINDS.items() for kind in kinds}
HOUR = 3_600_000_000_000


@given(seed=st.integers(0, 2**32), pace=st.floats(0.01, 100.0))
def test_each_round_has_every_fault_once_at_the_pace_asked_for(seed, pace):
    one = list(islice(schedule(seed, pace), 2 * len(EVERY)))
    assert one == list(islice(schedule(seed, pace), 2 * len(EVERY)))
    for start in (0, len(EVERY)):
        assert {(fault.target, fault.kind) for fault in one[start : start + len(EVERY)]} == EVERY
    for fault in one:
        assert 0.5 * pace <= fault.pause_s <= 1.5 * pace
        assert 0.5 * pace <= fault.for_s <= 1.5 * pace
        assert (fault.code in CODES) == (fault.kind == "exception")
        assert (fault.step_s is not None) == (fault.kind == "step")


def test_another_seed_has_another_order():
    orders = {tuple((f.target, f.kind) for f in islice(schedule(seed, 1.0), len(EVERY))) for seed in range(20)}
    assert len(orders) == 20


def test_a_plc_that_is_reset_counts_from_nought_and_the_line_makes_the_same_parts():
    whole, cut = Plant(7, 0, COOKER3), Plant(7, 0, COOKER3)
    whole.advance(2 * HOUR)
    cut.advance(HOUR)
    made = {station.plan.name: (station.good, station.scrap) for station in cut.stations}
    told = cut.reset(["press1", "diecast1"])
    assert {change.node: change.value for change in told} == dict.fromkeys(
        ["press1.good", "press1.scrap", "diecast1.good", "diecast1.scrap"], 0
    )
    assert {change.time for change in told} == {HOUR}
    cut.advance(2 * HOUR)
    for one, two in zip(whole.stations, cut.stations, strict=True):
        assert (one.good, one.scrap, one.states) == (two.good, two.scrap, two.states)
        name = two.plan.name
        before = made[name] if name in ("press1", "diecast1") else tuple(-start for start in two.plan.raw)
        expected = ((two.good - before[0]) % 65536, (two.scrap - before[1]) % 65536)
        assert (cut.values[f"{name}.good"], cut.values[f"{name}.scrap"]) == expected
    assert whole.stations[0].totals[0] >= 65536
    assert cut.stations[0].wraps == 1
