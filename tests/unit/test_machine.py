"""Lamp patterns become states; what nobody vouched for is UNKNOWN."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.flashing import Lamp, Reading
from agent.machine import Change, Tracker, state_of
from agent.model import UNKNOWN, Cause, MachineState, State

RUN = MachineState(State.EXECUTING)
STOP = MachineState(State.NOT_EXECUTING, Cause.STOPPED)
IDLE = MachineState(State.NOT_EXECUTING, Cause.IDLE)
LAMPS = st.sampled_from([None, 0, 1, 4, 16, 99])
PATTERNS: dict[Lamp, MachineState] = {4: RUN, 1: STOP, 16: IDLE}


def lamp(value, time):
    return Reading(lamp=True, value=value, time=time)


def reason(value, time):
    return Reading(lamp=False, value=value, time=time)


def running():
    tracker = Tracker(PATTERNS)
    tracker.resume(100)
    tracker.advance([lamp(4, 50), reason(0, 50)], 100)
    return tracker


def test_an_unlisted_pattern_is_unknown():
    assert state_of(PATTERNS, 5, None) == UNKNOWN
    assert state_of(PATTERNS, None, 3) == UNKNOWN


def test_a_stop_code_counts_only_while_stopped():
    assert state_of(PATTERNS, 4, 31) == RUN
    assert state_of(PATTERNS, 1, 31).reason == 31
    assert state_of(PATTERNS, 1, 0).reason is None


def test_a_stopped_lamp_stands_for_its_stop_code_unless_the_plc_tells_one():
    patterns: dict[Lamp, MachineState] = {
        4: RUN,
        1: STOP,
        3: replace(STOP, reason=12),
        (0, 1): replace(STOP, reason=31),
    }
    assert [state_of(patterns, lamp, 0).reason for lamp in (1, 3, (0, 1))] == [None, 12, 31]
    assert [state_of(patterns, lamp, 7).reason for lamp in (1, 3, (0, 1))] == [7, 7, 7]
    tracker = Tracker(patterns, flash=10)
    tracker.advance([lamp(4, 0)], 100)
    changes = tracker.advance([lamp(0, 200), lamp(1, 205), lamp(0, 210), lamp(3, 215)], 300)
    assert [(one.time, one.state.reason) for one in changes] == [(200, 31), (215, 12)]


def test_what_was_before_the_first_look_stays_unknown():
    tracker = running()
    assert (tracker.state, tracker.since, tracker.observed) == (RUN, 100, 100)


def test_lamp_and_reason_of_one_time_are_one_change():
    changes = running().advance([lamp(1, 150), reason(31, 150)], 200)
    assert changes == [Change(150, MachineState(State.NOT_EXECUTING, Cause.STOPPED, 31), RUN, 100)]


def test_a_reason_that_was_there_before_the_stop_belongs_to_it():
    changes = running().advance([reason(31, 140), lamp(1, 150)], 200)
    assert [change.state.reason for change in changes] == [31]


def test_a_bad_lamp_is_unknown_from_the_last_time_it_was_seen():
    tracker = running()
    tracker.advance([], 180)
    assert tracker.advance([lamp(None, 190)], 200) == [Change(180, UNKNOWN, RUN, 180)]


def test_a_lost_device_is_unknown_from_its_last_batch_and_comes_back_where_seen_again():
    tracker = running()
    tracker.advance([], 200)
    assert tracker.lose() == [Change(200, UNKNOWN, RUN, 200)]
    assert tracker.lose() == []
    tracker.resume(900)
    assert tracker.advance([lamp(4, 300)], 900) == [Change(900, RUN, UNKNOWN, 900)]


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.booleans(), st.sampled_from([None, 0, 1, 4, 16, 99]), st.integers(0, 1000)), max_size=6
            ),
            st.integers(0, 1000),
        ),
        max_size=20,
    )
)
def test_changes_are_a_chain_in_time(steps):
    tracker, last, state = Tracker(PATTERNS), 0, UNKNOWN
    for rows, until in steps:
        for change in tracker.advance([Reading(*row) for row in rows], until):
            assert change.time >= last
            assert change.previous == state
            assert change.state != change.previous
            last, state = change.time, change.state
        assert tracker.state == state
        assert tracker.observed >= until
