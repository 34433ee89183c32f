"""Every observed second and every part is in exactly one shift and one hour, whatever the order of events."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from agent.figures.windows import PATIENCE, Windows, current
from agent.live import Span
from agent.model import SECOND, Cause, Line, Machine, MachineState, State, Verdict, Window
from agent.shift import Calendar, Shift

START = 1_772_438_400 * SECOND  # 2026-03-02 08:00 UTC
LINE = Line("s", "a", "l", {}, 17.0, "UTC", (Machine("press1", {}, {}), Machine("trim1", {}, {})), {}, {})
CALENDAR = Calendar([Shift("day", dt.time(8), dt.time(20)), Shift("night", dt.time(20), dt.time(8))])
RUN = MachineState(State.EXECUTING)
IDLE = MachineState(State.NOT_EXECUTING, Cause.IDLE)


def covered(figures, machine="press1"):
    return sum(one.covered for one in figures if (one.name, one.machine) == ("utilization", machine))


def parts(figures, machine="press1"):
    return sum(one.value for one in figures if (one.name, one.machine) == ("good", machine))


@given(st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 3), st.booleans()), min_size=1, max_size=30))
def test_hours_and_shifts_each_add_up_to_all_that_was_observed(steps):
    windows, now, made, told = Windows(LINE, CALENDAR), START, 0, []
    windows.advance(now)
    for seconds, good, running in steps:
        then, now = now, now + seconds * SECOND
        windows.advance(now)
        windows.span("press1", Span(RUN if running else IDLE, then, now), simulated=True)
        windows.parts("press1", "good", good, now - 1, late=False, simulated=True)
        made += good
        told += windows.close(now, now, 0)
    open_ones = [entry.figures(now) for entry in windows.look()]
    for kind in ("hour", "shift"):
        figures = [one for page in told + open_ones for one in page if one.window.kind == kind]
        assert covered(figures) == (now - START) / SECOND
        assert parts(figures) == made
        assert all(one.simulated for one in figures if one.covered)
    closed = [(page[0].window.kind, page[0].window.start) for page in told]
    assert len(closed) == len(set(closed))


def test_unknown_time_is_in_no_window():
    windows = Windows(LINE, CALENDAR)
    windows.advance(START)
    windows.span("press1", Span(MachineState(State.UNKNOWN), START, START + 60 * SECOND), simulated=False)
    assert covered(windows.look()[0].figures(START + 60 * SECOND)) == 0


def test_a_window_waits_for_the_last_device_but_not_for_ever():
    windows, end = Windows(LINE, CALENDAR), START + 3600 * SECOND
    windows.advance(START)
    windows.advance(end)
    assert windows.close(end, end - 1, 0) == []
    assert windows.close(end, end - 1, PATIENCE - 1) == []
    assert len(windows.close(end, end - 1, PATIENCE)) == 1
    assert windows.close(end, end, PATIENCE) == []


def test_a_verdict_after_the_end_corrects_the_closed_window_once():
    windows, end = Windows(LINE, CALENDAR), START + 3600 * SECOND
    windows.advance(START)
    windows.advance(end)
    windows.close(end, end, 0)
    windows.verdict("press1", Verdict.PASS, end - 1, simulated=True)
    (page,) = windows.close(end, end, 0)
    assert {one.revision for one in page} == {1}
    assert all(one.closed and one.simulated for one in page)
    assert windows.close(end, end, 0) == []


def test_what_is_shown_is_the_latest_window_of_each_kind_that_has_begun():
    windows = Windows(LINE, CALENDAR)
    windows.advance(START)
    windows.advance(START + 3600 * SECOND)
    entries = windows.look()
    assert [one.book.window.label for one in current(entries, START + 3599 * SECOND)] == ["day", "08:00"]
    assert [one.book.window.label for one in current(entries, START + 3600 * SECOND)] == ["day", "09:00"]


def test_a_look_does_not_change_with_what_comes_later():
    windows = Windows(LINE, CALENDAR)
    windows.advance(START)
    entries = windows.look()
    windows.parts("press1", "good", 5, START, late=False, simulated=False)
    assert parts(entries[0].figures(START + SECOND)) == 0


def test_time_seen_late_corrects_the_closed_window_once():
    windows, end = Windows(LINE, CALENDAR), START + 3600 * SECOND
    windows.advance(START)
    windows.advance(end)
    windows.span("press1", Span(RUN, START, end), simulated=False)
    windows.close(end, end, 0)
    windows.span("press1", Span(RUN, START, end), simulated=False)
    assert windows.close(end, end, 0) == []
    windows.span("trim1", Span(IDLE, end - 60 * SECOND, end + SECOND), simulated=False)
    (page,) = windows.close(end, end, 0)
    assert {one.revision for one in page} == {1}
    assert covered(page, "trim1") == 60
    assert windows.close(end, end, 0) == []


def test_a_window_taken_up_and_sealed_is_told_again_only_when_something_new_comes():
    end = START + 3600 * SECOND
    windows = Windows(LINE, CALENDAR, {"hour": end})
    windows.advance(end)
    windows.reopen(Window("hour", "08:00", START, end), 2)
    windows.parts("press1", "good", 5, end - 2, late=False, simulated=False)
    windows.span("press1", Span(RUN, START, end), simulated=False)
    windows.seal()
    assert windows.close(end, end, 0) == []
    windows.parts("press1", "good", 1, end - 1, late=False, simulated=False)
    (page,) = windows.close(end, end, 0)
    assert {one.revision for one in page} == {3}
    assert (parts(page), covered(page)) == (6, 3600)


def test_a_holiday_has_hours_and_no_shift():
    windows = Windows(LINE, Calendar(CALENDAR.shifts, {dt.date(2026, 3, 2): ()}))
    windows.advance(START)
    (hour,) = windows.look()
    assert (hour.book.window.kind, hour.book.planned) == ("hour", ())


def test_a_window_taken_up_under_another_plan_is_told_again():
    end = START + 3600 * SECOND
    for planned_s, told in ((3600.0, 0), (3000.0, 1)):
        windows = Windows(LINE, CALENDAR, {"hour": end})
        windows.advance(end)
        windows.reopen(Window("hour", "08:00", START, end), 0, planned_s)
        windows.seal()
        pages = windows.close(end, end, 0)
        assert [page[0].revision for page in pages] == [1] * told
        assert windows.close(end, end, 0) == []
