"""OEE and its factors, failures, micro-stops, the time model, the limiting station, and what all of it weighs."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.figures.definitions import SHIFT_ONLY
from agent.figures.times import BUSY, EXECUTING
from agent.kpi import WindowBook
from agent.model import SECOND, UNKNOWN, Cause, Kpi, Line, Machine, MachineState, State, Verdict, Window
from gateway.payload import encode, figure

NAMES = ("m1", "m2", "m3")
LINE = Line("s", "a", "l", {}, 10.0, "UTC", tuple(Machine(name, {}, {}) for name in NAMES), {}, {})
WINDOW = Window("shift", "day", 1000 * SECOND, 5000 * SECOND)
PLANNED = [(1000 * SECOND, 3000 * SECOND), (3500 * SECOND, 5000 * SECOND)]
RUN = MachineState(State.EXECUTING)
STOP, WAIT, FULL = (MachineState(State.NOT_EXECUTING, one) for one in (Cause.STOPPED, Cause.STARVED, Cause.BLOCKED))
STATES = [RUN, MachineState(State.OUT_OF_SERVICE), UNKNOWN, *(MachineState(State.NOT_EXECUTING, one) for one in Cause)]

timelines = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 600)), max_size=15)
counts = st.tuples(st.integers(0, 900), st.integers(0, 90), st.booleans())


def book_of(*spans: tuple[MachineState, int, int], machine: str = "m3", window: Window = WINDOW) -> WindowBook:
    book = WindowBook(LINE, window, PLANNED)
    for state, start, end in spans:
        book.span(machine, state, start * SECOND, end * SECOND)
    return book


def fed(told: dict[str, list[tuple[MachineState, int]]], parts: list[tuple[int, int, bool]]) -> WindowBook:
    book = WindowBook(LINE, WINDOW, PLANNED)
    for name, spans in told.items():
        at = 900
        for state, seconds in spans:
            book.span(name, state, at * SECOND, (at + seconds) * SECOND)
            at += seconds
    for name, (good, scrap, late) in zip(NAMES, parts, strict=False):
        book.parts(name, "good", good, WINDOW.start, late=late)
        book.parts(name, "scrap", scrap, WINDOW.start, late=late)
    return book


def row(book: WindowBook, name: str, machine: str = "m3", now: int = 5000) -> Kpi:
    return next(one for one in book.figures(now * SECOND) if (one.name, one.machine) == (name, machine))


lines = st.fixed_dictionaries(dict.fromkeys(NAMES, timelines))


@given(lines, st.lists(counts, min_size=3, max_size=3), st.sampled_from((*NAMES, "")))
def test_oee_is_the_product_of_its_factors_and_nothing_is_clamped(told, parts, machine):
    book = fed({name: [(RUN, 200), *spans] for name, spans in told.items()}, parts)
    book.parts(machine or "m3", "good", 1, WINDOW.start)
    factors = [row(book, name, machine).value for name in ("availability", "effectiveness", "quality_ratio")]
    oee = row(book, "oee", machine)
    assert oee.value == pytest.approx(prod(one for one in factors if one is not None) / 100**2)
    assert oee.low is not None
    assert oee.value is not None
    assert oee.high is not None
    assert oee.low <= oee.value * (1 + 1e-12) <= oee.high * (1 + 1e-9)


@given(lines, st.integers(900, 6000))
def test_the_time_model_has_every_second_once(told, now):
    book = fed(told, [])
    for times in book.times(now * SECOND):
        assert times.planned == times.observed + times.unknown
        assert times.observed == sum(times.states.values())
        assert times.busy == sum(times.states.get(word, 0.0) for word in BUSY)
        assert times.productive == times.states.get(EXECUTING, 0.0)
        assert times.unknown >= 0
        assert times.planned <= times.calendar <= 4000


@given(lines, st.lists(counts, min_size=3, max_size=3), st.integers(900, 6000))
def test_a_copy_goes_on_by_itself(told, parts, now):
    book = fed(told, parts)
    copy, before = book.copy(), book.figures(now * SECOND)
    assert copy.figures(now * SECOND) == before
    copy.span("m1", STOP, 4990 * SECOND, 5000 * SECOND)
    copy.parts("m1", "good", 1, WINDOW.start)
    assert book.figures(now * SECOND) == before


def test_a_pace_beyond_the_takt_is_told_as_it_is():
    book = book_of((RUN, 1000, 2000))
    book.parts("m3", "good", 120, 1500 * SECOND)
    assert row(book, "effectiveness", now=2000).value == 120.0
    assert row(book, "oee", "", now=2000).value == 120.0


def test_parts_made_unseen_are_in_the_yield_and_in_no_factor_of_oee():
    book = book_of((RUN, 1000, 2000))
    book.parts("m3", "good", 90, 1500 * SECOND)
    book.parts("m3", "scrap", 10, 1500 * SECOND)
    book.parts("m3", "good", 50, 1900 * SECOND, late=True)
    book.parts("m3", "scrap", 50, 1900 * SECOND, late=True)
    assert row(book, "quality_ratio").value == 90.0
    assert row(book, "first_pass_yield").value == 70.0
    assert row(book, "oee", now=2000).value == 90.0


def test_production_in_a_break_is_in_the_calendar_preset_alone():
    book = book_of((RUN, 2500, 3500))
    assert (row(book, "utilization").numerator, row(book, "utilization").denominator) == (500, 500)
    calendar = row(book, "utilization_calendar")
    assert (calendar.numerator, calendar.denominator, calendar.expected) == (1000, 1000, 4000)
    assert (calendar.low, calendar.high) == (25.0, 100.0)


def test_a_stop_whose_code_comes_later_is_one_stop():
    named = MachineState(State.NOT_EXECUTING, Cause.STOPPED, 31)
    book = book_of((RUN, 1000, 1900), (STOP, 1900, 1910), (named, 1910, 2000), (RUN, 2000, 2100))
    assert (row(book, "mttr").value, row(book, "mtbf").value) == (100.0, 1000.0)
    assert row(book, "micro_stops").value == 1


def test_without_a_stop_there_is_no_mean_time():
    book = book_of((RUN, 1000, 2000))
    assert row(book, "mtbf").value is None
    assert row(book, "mttr").value is None
    assert row(book, "micro_stops").value == 0


@pytest.mark.parametrize(
    ("spans", "stops", "short"),
    [
        ([(RUN, 1100, 1200), (STOP, 1200, 1499), (RUN, 1499, 1600)], 1, 1),
        ([(RUN, 1100, 1200), (STOP, 1200, 1500), (RUN, 1500, 1600)], 1, 0),  # not short
        ([(STOP, 900, 1010), (RUN, 1010, 1600)], 1, 0),  # cut by the window's beginning
        ([(RUN, 4000, 4990), (STOP, 4990, 5100)], 1, 0),  # cut by its end
        ([(RUN, 1100, 1200), (STOP, 1200, 1210), (UNKNOWN, 1210, 1220), (RUN, 1220, 1230)], 1, 0),  # its end unseen
        ([(RUN, 1100, 1200), (STOP, 1200, 1210), (UNKNOWN, 1210, 1220), (STOP, 1220, 1230)], 2, 0),
        ([(RUN, 2900, 3100), (STOP, 3100, 3400), (RUN, 3400, 3600)], 0, 0),  # in a break
        ([(RUN, 2900, 2990), (STOP, 2990, 3510), (RUN, 3510, 3600)], 1, 1),  # over a break: 20 s of plan
    ],
)
def test_which_stop_is_a_micro_stop(spans, stops, short):
    book = book_of(*spans)
    assert row(book, "mttr").denominator == stops
    assert row(book, "micro_stops").value == short


def test_the_threshold_of_a_micro_stop_is_an_argument():
    book = WindowBook(LINE, WINDOW, PLANNED, micro_stop=10 * SECOND)
    for state, start, end in ((RUN, 1000, 1100), (STOP, 1100, 1120), (RUN, 1120, 1200)):
        book.span("m3", state, start * SECOND, end * SECOND)
    assert row(book, "micro_stops").value == 0
    assert row(book.copy(), "micro_stops").value == 0


def test_yields_roll_over_the_stations_that_counted_parts():
    book = WindowBook(LINE, WINDOW, PLANNED)
    for name, good, scrap in (("m1", 90, 10), ("m3", 40, 40)):
        book.parts(name, "good", good, WINDOW.start)
        book.parts(name, "scrap", scrap, WINDOW.start)
    rolled = row(book, "rolled_throughput_yield", "")
    assert (rolled.value, rolled.numerator, rolled.denominator) == (45.0, 45.0, 100.0)


@given(st.permutations(NAMES), st.integers(1, 300), st.integers(301, 900))
def test_the_station_that_waits_least_limits_the_line(order, least, more):
    book = WindowBook(LINE, WINDOW, PLANNED)
    for name, waiting in zip(order, (least, more, more), strict=True):
        book.span(name, WAIT if name == "m3" else FULL, 1000 * SECOND, (1000 + waiting) * SECOND)
        book.span(name, RUN, (1000 + waiting) * SECOND, 2000 * SECOND)
    limit = book.bottleneck(2000 * SECOND)
    assert limit is not None
    assert (limit.machine, limit.waiting) == (order[0], least / 1000)
    assert limit.margin == pytest.approx((more - least) / 1000)


def test_no_station_limits_a_line_on_which_nobody_waits():
    assert book_of((RUN, 1000, 2000)).bottleneck(2000 * SECOND) is None
    assert WindowBook(LINE, WINDOW, PLANNED).bottleneck(2000 * SECOND) is None


def test_hours_are_told_without_the_figures_of_shifts():
    book = book_of((RUN, 1000, 2000), window=Window("hour", "08:00", 1000 * SECOND, 4600 * SECOND))
    assert not {one.name for one in book.figures(2000 * SECOND)} & SHIFT_ONLY.keys()


def test_the_figures_of_five_machines_and_two_windows_stay_small_on_the_wire():
    line = Line(
        "foshan",
        "appliances",
        "cooker3",
        {},
        17.0,
        "UTC",
        tuple(Machine(f"assembly{n}", {}, {}) for n in range(5)),
        {},
        {},
    )
    size = 0
    for kind, hours in (("shift", 12), ("hour", 1)):
        window = Window(kind, "day", 0, hours * 3600 * SECOND)
        book = WindowBook(line, window, [(0, window.end)])
        for n in range(5):
            for at, state in enumerate((RUN, STOP, WAIT, FULL, RUN)):
                book.span(f"assembly{n}", state, at * 700_123_000_000, (at + 1) * 700_123_000_000 - 7_000_000)
            book.parts(f"assembly{n}", "good", 1057, 1)
            book.parts(f"assembly{n}", "scrap", 31, 1)
        book.verdict("assembly0", Verdict.PASS)
        size += len(encode({"value": [figure(one) for one in book.figures(window.end - SECOND)]}))
    assert size < 64_000
