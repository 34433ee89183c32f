"""A window's figures equal a plain second-by-second count, and never say more than was seen."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.figures.times import Tally
from agent.kpi import WindowBook
from agent.model import SECOND, UNKNOWN, Cause, Line, Machine, MachineState, State, Verdict, Window

STATES = [
    MachineState(State.EXECUTING),
    MachineState(State.OUT_OF_SERVICE),
    UNKNOWN,
    *(MachineState(State.NOT_EXECUTING, cause) for cause in Cause),
]
RUN = MachineState(State.EXECUTING)
STOP = MachineState(State.NOT_EXECUTING, Cause.STOPPED)
NAMES = ("m1", "m2", "m3")
WINDOW = Window("shift", "day", 100 * SECOND, 400 * SECOND)
PLANNED = ((100 * SECOND, 220 * SECOND), (250 * SECOND, 400 * SECOND))
LINE = Line(
    "foshan",
    "appliances",
    "cooker3",
    {},
    10.0,
    "Asia/Shanghai",
    tuple(Machine(name, {}, {}) for name in NAMES),
    {},
    {"utilization": 90.0},
)

timelines = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 60)), max_size=20)
lines = st.fixed_dictionaries(dict.fromkeys(NAMES, timelines))


def is_planned(second: int) -> bool:
    return any(a <= second * SECOND < b for a, b in PLANNED)


def fed(timelines) -> tuple[WindowBook, dict[str, Counter[str]], int]:
    """A book, the seconds a plain count gives, and the last second anything was observed."""
    book = WindowBook(LINE, WINDOW, PLANNED)
    counts = {name: Counter() for name in NAMES}
    last = 0
    for name, spans in timelines.items():
        at = 80
        for state, seconds in spans:
            book.span(name, state, at * SECOND, (at + seconds) * SECOND)
            if state is not UNKNOWN and seconds:
                counts[name].update(state.word for second in range(at, at + seconds) if is_planned(second))
                last = max(last, at + seconds if at * SECOND < WINDOW.end else 0)
            at += seconds
    return book, counts, last


def row(figures, name: str, machine: str = ""):
    return next(figure for figure in figures if (figure.name, figure.machine) == (name, machine))


@given(lines)
def test_every_observed_planned_second_is_in_exactly_one_state(timelines):
    book, counts, _ = fed(timelines)
    for name in NAMES:
        assert book.state_seconds(name) == counts[name]


@given(lines, st.integers(80, 450))
def test_utilization_equals_a_count_second_by_second(timelines, now):
    book, counts, last = fed(timelines)
    figures = book.figures(now * SECOND)
    due = sum(is_planned(second) for second in range(max(now, last)))
    for name in NAMES:
        figure = row(figures, "utilization", name)
        assert (figure.numerator, figure.denominator) == (counts[name]["executing"], counts[name].total())
        assert figure.covered == counts[name].total()
        assert figure.expected == due
    whole = row(figures, "utilization")
    assert whole.numerator == sum(count["executing"] for count in counts.values())
    assert whole.denominator == whole.covered == sum(count.total() for count in counts.values())
    assert whole.expected == sum(row(figures, "utilization", name).expected for name in NAMES)


@given(lines, st.integers(80, 450), st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.integers(0, 9))))
def test_coverage_is_a_share_and_the_value_lies_within_its_bounds(timelines, now, parts):
    book, _, _ = fed(timelines)
    for name, good, delta in parts:
        book.parts(name, "good" if good else "scrap", delta, WINDOW.start)
    for figure in book.figures(now * SECOND):
        assert 0.0 <= figure.coverage <= 1.0
        assert (figure.value is None) == (figure.denominator == 0)
        if figure.low is not None and figure.high is not None:
            assert figure.low <= figure.high + 1e-9
            if figure.value is not None:
                assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9
                if figure.coverage == 1.0:
                    assert figure.low == pytest.approx(figure.value) == figure.high


@given(lines)
def test_feeding_a_span_twice_counts_its_seconds_once(timelines):
    once, _, _ = fed(timelines)
    twice = WindowBook(LINE, WINDOW, PLANNED)
    for name, spans in timelines.items():
        at = 80
        for state, seconds in spans:
            for _ in range(2):
                twice.span(name, state, at * SECOND, (at + seconds) * SECOND)
            at += seconds
    assert [twice.state_seconds(name) for name in NAMES] == [once.state_seconds(name) for name in NAMES]


@given(lines, st.integers(80, 450))
def test_a_book_restored_from_its_tallies_goes_on_as_if_nothing_happened(timelines, now):
    book, _, _ = fed(timelines)
    book.parts("m2", "scrap", 2, WINDOW.start)
    restored = WindowBook(LINE, WINDOW, PLANNED, tallies=book.tallies)
    assert restored.figures(now * SECOND) == book.figures(now * SECOND)


def test_the_line_counts_the_last_stations_good_and_everyones_scrap():
    book = WindowBook(LINE, WINDOW, PLANNED)
    for name, good, scrap in (("m1", 9, 1), ("m2", 8, 1), ("m3", 6, 2)):
        book.span(name, RUN, WINDOW.start, WINDOW.start + 100 * SECOND)
        book.parts(name, "good", good, WINDOW.start)
        book.parts(name, "scrap", scrap, WINDOW.start + SECOND)
    figures = book.figures(WINDOW.start + 100 * SECOND)
    assert row(figures, "first_pass_yield").value == 60.0
    assert row(figures, "first_pass_yield", "m1").value == 90.0
    assert row(figures, "good").value == 6
    assert row(figures, "scrap").value == 4
    assert row(figures, "good").denominator == 10
    assert row(figures, "takt").value == 12.5
    assert row(figures, "takt").target == 10.0
    assert row(figures, "utilization", "m2").target == 90.0


def test_unseen_time_bounds_utilization_from_all_stopped_to_all_running():
    book = WindowBook(LINE, WINDOW, PLANNED)
    book.span("m1", RUN, 100 * SECOND, 140 * SECOND)
    book.span("m1", STOP, 140 * SECOND, 150 * SECOND)
    figure = row(book.figures(200 * SECOND), "utilization", "m1")
    assert (figure.value, figure.low, figure.high, figure.coverage) == (80.0, 40.0, 90.0, 0.5)


def test_unseen_time_bounds_yield_by_parts_at_takt_all_bad_or_all_good():
    book = WindowBook(LINE, WINDOW, PLANNED)
    book.span("m1", RUN, 100 * SECOND, 150 * SECOND)
    book.parts("m1", "good", 4, 120 * SECOND)
    book.parts("m1", "scrap", 1, 130 * SECOND)
    figure = row(book.figures(200 * SECOND), "first_pass_yield", "m1")
    assert (figure.value, figure.low, figure.high) == (80.0, 40.0, 90.0)


def test_nothing_seen_gives_no_value_no_coverage_and_the_widest_bounds():
    figure = row(WindowBook(LINE, WINDOW, PLANNED).figures(200 * SECOND), "utilization")
    assert (figure.value, figure.low, figure.high, figure.coverage) == (None, 0.0, 100.0, 0.0)


def test_parts_made_unobserved_count_as_parts_but_not_towards_the_takt():
    book = WindowBook(LINE, WINDOW, PLANNED)
    book.span("m3", RUN, 100 * SECOND, 150 * SECOND)
    book.parts("m3", "good", 5, 140 * SECOND)
    book.parts("m3", "good", 7, 200 * SECOND, late=True)
    figures = book.figures(200 * SECOND)
    assert row(figures, "takt", "m3").value == 10.0
    assert row(figures, "good", "m3").value == 12


def test_parts_belong_to_the_window_they_were_counted_in():
    book = WindowBook(LINE, WINDOW, PLANNED)
    book.parts("m1", "good", 1, WINDOW.start - 1)
    book.parts("m1", "good", 2, WINDOW.end - 1)
    book.parts("m1", "good", 4, WINDOW.end)
    assert book.tallies["m1"].good == 2


def test_verdicts_make_figures_of_their_own_and_touch_no_yield():
    book = WindowBook(LINE, WINDOW, PLANNED)
    for verdict in (Verdict.PASS, Verdict.PASS, Verdict.REJECT, Verdict.ASK):
        book.verdict("m1", verdict)
    figures = book.figures(200 * SECOND)
    values = [row(figures, f"inspection_{word}").value for word in ("pass", "reject", "ask")]
    assert values == [2, 1, 1]
    assert row(figures, "inspection_ask", "m1").denominator == 4
    assert row(figures, "first_pass_yield").value is None
    assert not [figure for figure in figures if figure.machine == "m2" and figure.name.startswith("inspection")]


def test_revision_closing_and_the_simulation_mark_are_on_every_row():
    book = WindowBook(LINE, WINDOW, PLANNED, tallies={"m1": Tally()})
    for figure in book.figures(WINDOW.end, closed=True, revision=2, simulated=True):
        assert (figure.closed, figure.revision, figure.simulated, figure.time) == (True, 2, True, WINDOW.end)


def test_time_out_of_service_is_seen_and_not_used():
    book = WindowBook(LINE, WINDOW, PLANNED)
    book.span("m1", RUN, 100 * SECOND, 125 * SECOND)
    book.span("m1", MachineState(State.OUT_OF_SERVICE), 125 * SECOND, 200 * SECOND)
    assert row(book.figures(200 * SECOND), "utilization", "m1").value == 25.0


def test_figures_are_as_of_the_last_observation_where_the_clock_handed_in_is_behind_it():
    book = WindowBook(LINE, WINDOW, PLANNED)
    book.span("m1", RUN, 100 * SECOND, 150 * SECOND)
    figure = row(book.figures(120 * SECOND), "utilization", "m1")
    assert (figure.coverage, figure.time) == (1.0, 150 * SECOND)
