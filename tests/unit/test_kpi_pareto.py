"""Stops by reason: each stopped instant of the window once, in the row of its reason."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from agent.figures.stops import Reasoned, pareto, plain, stopped
from agent.kpi import WindowBook
from agent.model import SECOND, UNKNOWN, Cause, Line, Machine, MachineState, State, Window

WINDOW = Window("shift", "day", 100 * SECOND, 200 * SECOND)
PLANNED = ((WINDOW.start, WINDOW.end),)
REASONS = ("jam", "no-air", None)

spans = st.lists(
    st.tuples(st.sampled_from(("m1", "m2")), st.sampled_from(REASONS), st.integers(80, 220), st.integers(0, 40)).map(
        lambda one: Reasoned(one[0], one[1], one[2] * SECOND, (one[2] + one[3]) * SECOND)
    ),
    max_size=12,
)


@given(spans)
def test_every_stopped_second_of_the_window_is_in_exactly_one_row(told):
    rows = pareto(told, PLANNED)
    stopped = {
        (span.machine, second)
        for span in told
        for second in range(max(span.start, WINDOW.start), min(span.end, WINDOW.end), SECOND)
    }
    assert sum(row.seconds for row in rows) == len(stopped)
    for name in ("m1", "m2"):
        assert sum(row.machines.get(name, 0) for row in rows) == sum(machine == name for machine, _ in stopped)


@given(spans)
def test_rows_fall_and_their_shares_add_up_to_one(told):
    rows = pareto(told, PLANNED)
    assert [row.seconds for row in rows] == sorted((row.seconds for row in rows), reverse=True)
    assert len({row.reason for row in rows}) == len(rows)
    if rows:
        assert abs(rows[-1].cumulative - 1) < 1e-9
        assert abs(sum(row.share for row in rows) - 1) < 1e-9
    for row in rows:
        assert 0 < row.longest <= row.seconds <= row.longest * row.stops
        assert json.loads(json.dumps(plain(row)))["seconds"] == row.seconds


@given(spans, st.randoms())
def test_neither_order_nor_telling_twice_changes_anything(told, random):
    apart = [
        Reasoned(name, reason, at * 50 * SECOND, at * 50 * SECOND + 30 * SECOND)
        for at, (name, reason) in enumerate((span.machine, span.reason) for span in told)
    ]
    shuffled = apart * 2
    random.shuffle(shuffled)
    assert pareto(shuffled, PLANNED) == pareto(apart, PLANNED)


def test_a_state_told_again_is_no_second_stop_and_a_pause_between_makes_two():
    told = [Reasoned("m1", "jam", start * SECOND, end * SECOND) for start, end in ((90, 110), (110, 120), (130, 135))]
    (row,) = pareto([*told, Reasoned("m2", "jam", 135 * SECOND, 136 * SECOND)], PLANNED)
    assert (row.stops, row.seconds, row.longest, row.machines) == (3, 26, 20, {"m1": 25, "m2": 1})


def test_no_stop_is_no_row():
    assert pareto([Reasoned("m1", "jam", 0, 100 * SECOND)], PLANNED) == ()


PRESS = Machine("m1", {}, {31: "die-protection"})
LINE = Line("s", "a", "l", {}, 10.0, "UTC", (PRESS,), {}, {})
HALTS = [MachineState(State.NOT_EXECUTING, Cause.STOPPED, code) for code in (None, 31, 99)]
states = st.lists(
    st.tuples(st.sampled_from([MachineState(State.EXECUTING), UNKNOWN, *HALTS]), st.integers(0, 40)), max_size=15
)


@given(states)
def test_rows_of_state_records_hold_the_figures_stopped_time(told):
    book = WindowBook(LINE, WINDOW, [(WINDOW.start, WINDOW.end)])
    changes, at = [], 80 * SECOND
    for state, seconds in told:
        changes.append((at, state))
        book.span("m1", state, at, at + seconds * SECOND)
        at += seconds * SECOND
    rows = pareto(stopped(PRESS, changes, at), PLANNED)
    assert sum(row.seconds for row in rows) == book.state_seconds("m1").get("stopped", 0)
    assert {row.reason for row in rows} <= {None, "die-protection", "99"}


def test_a_stop_that_a_break_interrupts_is_one_and_the_break_is_not_in_it():
    (row,) = pareto([Reasoned("m1", "jam", 10 * SECOND, 90 * SECOND)], ((0, 30 * SECOND), (60 * SECOND, 100 * SECOND)))
    assert (row.stops, row.seconds, row.longest) == (1, 50, 50)


def test_standing_for_another_cause_is_another_row():
    told = [
        Reasoned("m1", None, 100 * SECOND, 120 * SECOND, "starved"),
        Reasoned("m1", None, 120 * SECOND, 130 * SECOND),
    ]
    assert [(row.word, row.seconds) for row in pareto(told, PLANNED)] == [("starved", 20), ("stopped", 10)]
