"""The gateway's clock against the monotonic one, with both in the test's hand."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import PLAUSIBLE, STEP, Moved, Watch
from agent.model import SECOND

NOON = int(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC).timestamp()) * SECOND
HOUR = 3600 * SECOND


def told(watch, *looks):
    return [(one.moved.value, one.step_s) for look in looks for one in watch.look(*look)]


def test_clocks_that_go_alike_are_no_fact():
    watch = Watch("UTC")
    assert told(watch, *((second * SECOND, NOON + second * SECOND) for second in range(100))) == []


@given(st.integers(-(10**6), 10**6), st.integers(1, 3600))
def test_every_step_is_a_fact_once_with_both_clocks_and_by_how_much(step_ms, seconds):
    step = step_ms * SECOND // 1000
    watch = Watch("UTC")
    watch.look(7, NOON)
    wall = NOON + seconds * SECOND + step
    facts = watch.look(7 + seconds * SECOND, wall)
    if abs(step) < STEP:
        assert facts == []
    else:
        (fact,) = facts
        assert (fact.moved, fact.mono, fact.after) == (Moved.STEPPED, 7 + seconds * SECOND, wall)
        assert (fact.before, fact.step_s) == (wall - step, step / SECOND)
    assert watch.look(8 + seconds * SECOND, wall + 1) == []


@pytest.mark.parametrize("shown", [0, PLAUSIBLE - 1])
def test_a_start_without_the_time_is_told_and_so_is_when_it_has_it(shown):
    watch = Watch("UTC")
    assert told(watch, (0, shown)) == [("unsynchronised", 0)]
    assert told(watch, (SECOND // 2, shown)) == [("stepped", -0.5)]
    assert told(watch, (SECOND, NOON)) == [("synchronised", (NOON - shown) / SECOND - 0.5)]
    assert told(watch, (2 * SECOND, NOON + SECOND)) == []


def test_a_clock_behind_what_was_recorded_before_is_unsynchronised():
    watch = Watch("UTC", earliest=NOON)
    assert told(watch, (0, NOON - HOUR)) == [("unsynchronised", 0)]
    assert told(watch, (SECOND, NOON + SECOND)) == [("synchronised", 3600)]


def test_a_clock_set_back_behind_the_plausible_is_unsynchronised_again():
    watch = Watch("UTC")
    assert told(watch, (0, NOON), (SECOND, 0)) == [("unsynchronised", -(NOON + SECOND) / SECOND)]


@pytest.mark.parametrize(
    ("change", "offsets"),
    [
        (dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC), (7200, 3600)),
        (dt.datetime(2027, 3, 28, 1, tzinfo=dt.UTC), (3600, 7200)),
    ],
)
def test_a_change_of_summer_time_is_a_fact_and_no_step(change, offsets):
    watch, at = Watch("Europe/Berlin"), int(change.timestamp()) * SECOND
    facts = [fact for mono in range(-3, 4) for fact in watch.look(mono * SECOND, at + mono * SECOND)]
    assert [(one.moved, one.step_s, one.offsets, one.after) for one in facts] == [(Moved.OFFSET, 0, offsets, at)]


def test_a_zone_without_summer_time_never_tells_of_one():
    watch, begin = Watch("Asia/Shanghai"), NOON
    assert told(watch, *((hour * HOUR, begin + hour * HOUR) for hour in range(24 * 366))) == []
