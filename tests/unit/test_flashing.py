"""A lamp that flashes is one signal from its first change on, and no state is told that has to be taken back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.flashing import Flashing, Lamp, Reading, pair
from agent.machine import Tracker
from agent.model import UNKNOWN, Cause, MachineState, State

LONGEST = 15
RUN = MachineState(State.EXECUTING)
STOP = MachineState(State.NOT_EXECUTING, Cause.STOPPED)
WAIT = MachineState(State.NOT_EXECUTING, Cause.STARVED)
PATTERNS: dict[Lamp, MachineState] = {4: RUN, 1: STOP, (0, 1): WAIT}
PAIRS = frozenset({(0, 1), (1, 2)})
RUNS = st.lists(st.tuples(st.sampled_from([0, 1, 2, 4]), st.integers(1, 40)), min_size=1, max_size=20)


def lamp(value, time):
    return Reading(lamp=True, value=value, time=time)


def told(runs):
    """What each run of one value is, from the lengths alone: (start, lamp) where it changes."""
    merged: list[list[int]] = []
    for value, length in runs:
        if merged and merged[-1][0] == value:
            merged[-1][1] += length
        else:
            merged.append([value, length])
    starts, at = [], 0
    for _, length in merged:
        starts.append(at)
        at += length
    flash: list = [None] * len(merged)
    for n in range(len(merged) - 1):
        both = tuple(sorted((merged[n][0], merged[n + 1][0])))
        if merged[n][1] <= LONGEST and both in PAIRS:
            flash[n] = both
            if merged[n + 1][1] <= LONGEST:
                flash[n + 1] = both
    changes = []
    for start, (value, _), signal in zip(starts, merged, flash, strict=True):
        found = value if signal is None else signal
        if not changes or changes[-1][1] != found:
            changes.append((start, found))
    return changes, at


@given(RUNS, st.data())
def test_flashing_is_told_as_one_lamp_however_its_readings_come_in(runs, data):
    changes, end = told(runs)
    flashing, at, certain = Flashing(PAIRS, LONGEST), 0, 0
    found: list[Reading] = []
    readings = []
    for value, length in runs:
        readings.append(lamp(value, at))
        at += length
    while readings:
        take = data.draw(st.integers(1, len(readings)))
        batch, readings = readings[:take], readings[take:]
        until = readings[0].time - 1 if readings else end
        some, upto = flashing.settle(batch, max(until, batch[-1].time))
        assert upto >= certain, "what was vouched for is not taken back"
        assert all(one.time >= certain for one in some)
        certain = upto
        found += some
    some, _ = flashing.settle([], end + LONGEST + 1)
    seen = [(one.time, one.value) for one in found + some]
    last_start, last = changes[-1]
    assert seen[: len(changes) - 1] == changes[:-1]
    # The last run may have ended as a flash that nobody saw go on: then it is steady from its last change.
    assert (last_start, last) in seen or isinstance(last, tuple)


def test_a_machine_whose_amber_lamp_flashes_waits_from_the_first_flash_on():
    tracker = Tracker(PATTERNS, flash=LONGEST)
    tracker.advance([lamp(4, 0)], 10)
    assert tracker.advance([lamp(1, 20)], 30) == []
    assert (tracker.state, tracker.observed) == (RUN, 20)
    (change,) = tracker.advance([lamp(0, 32), lamp(1, 40), lamp(0, 52)], 60)
    assert (change.time, change.state) == (20, WAIT)
    assert tracker.advance([], 66) == []
    (change,) = tracker.advance([], 68)
    assert (change.time, change.state) == (52, UNKNOWN)


def test_a_steady_lamp_of_a_pair_is_told_once_it_could_have_flashed():
    tracker = Tracker(PATTERNS, flash=LONGEST)
    tracker.advance([lamp(4, 0)], 10)
    tracker.advance([lamp(1, 20)], 35)
    (change,) = tracker.advance([], 36)
    assert (change.time, change.state, tracker.observed) == (20, STOP, 36)


def test_a_reason_that_comes_while_a_lamp_waits_is_not_lost():
    tracker = Tracker(PATTERNS, flash=LONGEST)
    tracker.advance([lamp(4, 0)], 10)
    tracker.advance([lamp(1, 20), Reading(lamp=False, value=31, time=22)], 25)
    changes = tracker.advance([], 40)
    assert [(one.time, one.state.reason) for one in changes] == [(20, None), (22, 31)]


def test_what_is_lost_while_a_lamp_waits_is_unknown_from_there():
    tracker = Tracker(PATTERNS, flash=LONGEST)
    tracker.advance([lamp(4, 0)], 10)
    tracker.advance([lamp(1, 20)], 25)
    (change,) = tracker.lose()
    assert (change.time, change.state) == (20, UNKNOWN)


def test_a_pair_is_written_with_a_tilde():
    assert pair("1~0") == pair("0~1") == (0, 1)
