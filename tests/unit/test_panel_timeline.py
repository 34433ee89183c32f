"""Time lines of the ribbon."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.model import Kind, Record
from gateway.panel.timeline import Segment, segments

SIMULATED = True
WORDS = ("executing", "stopped", "unknown")
RECORDS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from(WORDS)), max_size=30)


def records(pairs: list[tuple[int, str]]) -> list[Record]:
    return [
        Record(Kind.STATE, "press1", time, {"word": word}, SIMULATED, seq) for seq, (time, word) in enumerate(pairs, 1)
    ]


@given(RECORDS, st.integers(0, 100), st.integers(1, 100))
def test_every_instant_after_the_first_record_is_in_exactly_one_segment(
    pairs: list[tuple[int, str]], since: int, length: int
) -> None:
    until = since + length
    found = segments(records(pairs), since, until)
    first = min((time for time, _ in pairs), default=until)
    assert sum(s.end - s.start for s in found) == max(0, until - max(first, since))
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(since <= s.start < s.end <= until for s in found)


@given(RECORDS, st.integers(0, 200))
def test_the_state_at_an_instant_is_that_of_the_last_record_before_it(
    pairs: list[tuple[int, str]], instant: int
) -> None:
    known = [r for r in records(pairs) if r.time <= instant]
    found = [s.word for s in segments(records(pairs), 0, 201) if s.start <= instant < s.end]
    assert found == ([max(known, key=lambda r: (r.time, r.seq)).body["word"]] if known else [])


def test_equal_neighbours_become_one_segment_and_other_reasons_do_not() -> None:
    story = [
        Record(Kind.STATE, "press1", 0, {"word": "stopped", "reason_word": "jam"}, SIMULATED, 1),
        Record(Kind.STATE, "press1", 5, {"word": "stopped", "reason_word": "jam"}, SIMULATED, 2),
        Record(Kind.STATE, "press1", 9, {"word": "stopped", "reason_word": "door"}, SIMULATED, 3),
    ]
    assert segments(story, 0, 12) == [Segment("stopped", "jam", 0, 9), Segment("stopped", "door", 9, 12)]
