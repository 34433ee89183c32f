"""Time by state, stops, cycles and trends of a machine's page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.model import BAD, SECOND, Kind, Record
from agent.storage.reader import Series
from gateway.panel.figures import cycles_counted, cycles_told, seconds, spread, stops
from gateway.panel.timeline import Segment
from gateway.panel.trend import line, thinned

SIMULATED = True
ALWAYS = ((0, 10_000 * SECOND),)


def part(time_s: float, delta: int = 1, note: str | None = None) -> Record:
    return Record(Kind.COUNT, "press1", int(time_s * SECOND), {"delta": delta, "note": note}, SIMULATED)


def tape(*rows: tuple[int, float], bad: tuple[int, ...] = ()) -> Series:
    times = np.array([time for time, _ in rows], np.int64)
    status = np.array([BAD if time in bad else 0 for time, _ in rows], np.uint32)
    return Series(times, np.array([value for _, value in rows], np.float64), status)


def span(word: str, start_s: int, end_s: int, reason: str | None = None) -> Segment:
    return Segment(word, reason, start_s * SECOND, end_s * SECOND)


def test_stops_are_summed_by_cause_the_longest_first_and_unseen_time_is_none_of_them() -> None:
    story = [
        span("executing", 0, 100), span("stopped", 100, 130, "jam"), span("unknown", 130, 500),
        span("starved", 500, 590), span("stopped", 590, 650, "jam"), span("stopped", 650, 660, "door"),
    ]  # fmt: skip
    found = [(one.word, one.reason, one.seconds, one.stops, one.longest) for one in stops("press1", story, ALWAYS)]
    assert found == [
        ("stopped", "jam", 90.0, 2, 60.0), ("starved", None, 90.0, 1, 90.0), ("stopped", "door", 10.0, 1, 10.0),
    ] or found == [
        ("starved", None, 90.0, 1, 90.0), ("stopped", "jam", 90.0, 2, 60.0), ("stopped", "door", 10.0, 1, 10.0),
    ]  # fmt: skip
    assert seconds(story, ((0, 120 * SECOND),)) == {"executing": 100.0, "stopped": 20.0}


def test_a_cycle_is_taken_only_where_somebody_saw_it() -> None:
    cycle = tape((5 * SECOND, 16.0), (20 * SECOND, 17.0), (40 * SECOND, 18.0), bad=(40 * SECOND,))
    counts = [part(4), part(6), part(21), part(25, delta=2), part(30, note="late"), part(41)]
    assert cycles_told(counts, cycle) == [16.0, 17.0]
    running = [span("executing", 0, 50), span("unknown", 50, 90), span("executing", 90, 200)]
    counted = [part(10), part(26), part(60), part(100), part(117), part(140, note="late"), part(156)]
    assert cycles_counted(counted, running) == [16.0, 17.0, 16.0]


@given(st.lists(st.floats(0.5, 400), min_size=1, max_size=300), st.floats(5, 60))
def test_every_cycle_is_in_one_bin_or_beyond_the_last(cycles: list[float], target: float) -> None:
    found = spread(cycles, target)
    assert sum(found.bins) + found.over == found.count == len(cycles)
    assert found.median in cycles
    assert found.slower == sum(value > target for value in cycles)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(-50, 50)), min_size=1, max_size=200), st.integers(1, 100))
def test_thinning_keeps_ends_peaks_and_bad_samples(rows: list[tuple[int, int]], step: int) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    series = tape(*rows, bad=(rows[0][0],))
    kept = thinned(series, step)
    assert set(zip(kept.source_time.tolist(), kept.value.tolist(), strict=True)) <= set(rows)
    assert (kept.value.min(), kept.value.max()) == (series.value.min(), series.value.max())
    assert (kept.source_time[0], kept.source_time[-1]) == (rows[0][0], rows[-1][0])
    assert (kept.status & BAD).sum() == (series.status & BAD).sum()
    assert thinned(kept, step).source_time.tolist() == kept.source_time.tolist()


def test_a_line_holds_its_value_up_to_a_gap_and_is_broken_across_it() -> None:
    points = line(tape((10, 1.0), (50, 2.0), (60, 3.0)), [(30, 45), (70, 90)], until=100)
    assert points == [(10, 1.0), (30, 1.0), (31, None), (50, 2.0), (60, 3.0), (70, 3.0)]
    assert line(tape((10, 1.0), (20, 2.0), bad=(20,)), [], until=100) == [(10, 1.0), (20, None)]
    assert line(tape((10, 1.0)), [], until=40) == [(10, 1.0), (40, 1.0)]


@given(
    st.lists(st.integers(0, 500), unique=True, max_size=60),
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 80)), max_size=5),
)
def test_no_two_points_are_joined_over_a_gap_without_samples(times: list[int], starts: list[tuple[int, int]]) -> None:
    gaps = [(start, start + length) for start, length in starts]
    ordered = sorted(t for t in times if not any(a <= t < b for a, b in gaps))
    points = line(tape(*((time, 1.0) for time in ordered)), gaps, until=600)
    for (t0, v0), (t1, v1) in pairwise(points):
        joined = v0 is not None and v1 is not None
        assert not (joined and any(t0 < b and a < t1 for a, b in gaps if b > a))
