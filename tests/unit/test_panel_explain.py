"""A figure taken apart from the records is the figure the books made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.figures.definitions import SHIFT_ONLY
from agent.figures.times import Counter
from agent.kpi import WindowBook
from agent.model import SECOND, UNKNOWN, Kind, Kpi, Line, Machine, MachineState, Record, Verdict, Window
from gateway.panel.entries import Facts
from gateway.panel.explain import account
from gateway.payload import iso
from tests.system.panel_view import LINE, RUN, STARVED, STOPPED

SIMULATED = True
COUNTERS: dict[str, Counter] = {"good": "good", "scrap": "scrap", "rework": "rework", "energy": "energy"}
WINDOW = Window("shift", "day", 1000 * SECOND, 5000 * SECOND)
PLANNED = ((1000 * SECOND, 2000 * SECOND), (2600 * SECOND, 5000 * SECOND))
BOTH = frozenset(("rework", "energy"))
SHORT = replace(LINE, machines=(Machine("press1", {}, {}, BOTH), Machine("pack1", {}, {})))
STATES = (RUN, STOPPED, STARVED, UNKNOWN)
NAMES = st.sampled_from(["press1", "pack1"])
INSTANT = st.integers(0, 6000).map(lambda s: s * SECOND + 7)
CHANGES = st.lists(st.tuples(INSTANT, st.sampled_from(STATES)), max_size=12)
PARTS = st.lists(
    st.tuples(NAMES, st.sampled_from(["good", "scrap", "rework", "energy"]), INSTANT, st.integers(0, 3),
              st.sampled_from([None, "late", "wrap", "restart"])), max_size=20)  # fmt: skip
JUDGED = st.lists(st.tuples(NAMES, st.sampled_from(list(Verdict)), INSTANT), max_size=8)
# Which of the inspected parts is judged by a person, and how: again and again.
DECIDED = st.lists(st.tuples(st.integers(0, 7), st.sampled_from([Verdict.PASS, Verdict.REJECT])), max_size=12)


def state_records(name: str, changes: Sequence[tuple[int, MachineState]]) -> list[Record]:
    return [
        Record(Kind.STATE, name, time, {"word": state.word}, SIMULATED, seq)
        for seq, (time, state) in enumerate(sorted(changes, key=lambda one: one[0]), 1)
    ]


METERED = st.lists(st.tuples(st.just(""), st.just("energy"), INSTANT, st.integers(0, 900), st.just(None)), max_size=4)


def lived(
    line: Line,
    states: dict[str, list[tuple[int, MachineState]]],
    parts: list[tuple[str, str, int, int, str | None]],
    judged: list[tuple[str, Verdict, int]],
    observed: int,
    decided: Sequence[tuple[int, Verdict]] = (),
) -> tuple[Facts, tuple[Kpi, ...]]:
    """The same story told to the books and to the ledger."""
    book = WindowBook(line, WINDOW, PLANNED)
    for name, changes in states.items():
        ordered = sorted(changes, key=lambda one: one[0])
        ends = [time for time, _ in ordered[1:]] + [observed]
        for (start, state), end in zip(ordered, ends, strict=True) if ordered else ():
            book.span(name, state, start, min(end, observed))
    counts = []
    for seq, (name, counter, time, delta, note) in enumerate(parts, 1):
        late = note in ("late", "restart")
        book.parts(name, COUNTERS[counter], delta, time, late=late)
        counts.append(
            Record(Kind.COUNT, name, time, {"counter": counter, "delta": delta, "note": note}, SIMULATED, seq)
        )
    inspections = []
    for seq, (name, verdict, time) in enumerate(judged, 1):
        if WINDOW.start <= time < WINDOW.end:
            book.verdict(name, verdict)
        inspections.append(
            Record(Kind.INSPECTION, name, time, {"verdict": verdict.value, "unit": f"u{seq}"}, SIMULATED, seq)
        )
    verdicts = []
    for seq, (place, verdict) in enumerate(decided, len(judged) + 1):
        if place < len(judged):
            name, before, time = judged[place]
            if WINDOW.start <= time < WINDOW.end:
                book.verdict(name, verdict, before)
            judged = [*judged[:place], (name, verdict, time), *judged[place + 1 :]]
            said = {"inspection": place + 1, "unit": f"u{place + 1}", "made": iso(time)}
            body = {**said, "verdict": verdict.value, "by": "u1", "role": "operator"}
            verdicts.append(Record(Kind.VERDICT, name, time, body, SIMULATED, seq))
    known = {name: state_records(name, changes) for name, changes in states.items()}
    facts = Facts(known, counts, inspections, dict.fromkeys(known, observed), PLANNED, verdicts)
    return facts, book.figures(min(max(observed, WINDOW.start), WINDOW.end))


@given(CHANGES, CHANGES, PARTS, METERED, JUDGED, DECIDED, INSTANT, st.booleans())
def test_every_figure_is_the_sum_of_what_its_rows_say(
    press: list[tuple[int, MachineState]],
    pack: list[tuple[int, MachineState]],
    parts: list[tuple[str, str, int, int, str | None]],
    energy: list[tuple[str, str, int, int, str | None]],
    judged: list[tuple[str, Verdict, int]],
    decided: list[tuple[int, Verdict]],
    observed: int,
    metered: bool,
) -> None:
    line = replace(SHORT, metered=metered)
    facts, figures = lived(line, {"press1": press, "pack1": pack}, parts + energy, judged, observed, decided)
    assert {one.name for one in figures} >= SHIFT_ONLY.keys() - {"energy_per_part"}
    for figure in figures:
        found = account(line, figure, facts)
        assert found.agrees(figure), (figure.name, figure.machine, found.numerator, found.denominator)
        for row in found.rows:
            if row.entries:
                assert abs(sum(one.amount for one in row.entries) - row.amount) < 1e-6


def test_a_part_too_many_is_told() -> None:
    changes = {"press1": [(0, RUN)], "pack1": [(0, RUN)]}
    facts, figures = lived(SHORT, changes, [("pack1", "good", 1500 * SECOND, 2, None)], [], 2000 * SECOND)
    good = next(one for one in figures if one.name == "good" and one.machine == "")
    found = account(SHORT, good, facts)
    assert found.agrees(good)
    assert not found.agrees(replace(good, numerator=3.0))
