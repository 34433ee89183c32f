"""When tags are due, and what is news."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.polling import Pacing, Seen


def test_all_tags_are_due_at_the_start_and_those_of_one_pace_stay_together() -> None:
    pacing = Pacing([0.1, 1.0, 0.1], start=50.0)
    assert pacing.take(50.0) == (0, 1, 2)
    polls = []
    for _ in range(20):
        due = pacing.due_at()
        polls.append((round(due - 50.0, 6), pacing.take(due)))
    assert polls == [(round(n / 10, 6), (0, 1, 2) if n % 10 == 0 else (0, 2)) for n in range(1, 21)]


def test_a_late_poll_is_skipped_and_not_queued() -> None:
    pacing = Pacing([0.1], start=0.0)
    pacing.take(0.0)
    assert pacing.take(0.57) == (0,)
    assert pacing.take(0.57) == ()
    assert abs(pacing.due_at() - 0.6) < 1e-9


@given(
    st.lists(st.sampled_from([0.02, 0.1, 0.5, 1.0, 60.0]), min_size=1, max_size=6),
    st.lists(st.floats(0, 5), max_size=30),
)
def test_what_is_due_next_always_lies_ahead(everies: list[float], steps: list[float]) -> None:
    pacing, now = Pacing(everies, start=0.0), 0.0
    for step in steps:
        now += step
        pacing.take(now)
        assert pacing.due_at() > now
        assert pacing.due_at() <= now + max(everies) * 1.5


def news(seen: Seen, value: list[float], status: int = 0, text: dict[int, str] | None = None) -> list[bool]:
    told: list[bool] = seen.news(
        np.arange(len(value), dtype=np.uint32),
        np.array(value, float),
        np.full(len(value), status, np.uint32),
        text or {},
    ).tolist()
    return told


def test_a_first_value_is_news_and_the_same_again_is_none() -> None:
    seen = Seen(2)
    assert news(seen, [0.0, np.nan]) == [True, True]
    assert news(seen, [0.0, np.nan]) == [False, False]
    assert news(seen, [1.0, np.nan]) == [True, False]


def test_another_status_or_text_is_news() -> None:
    seen = Seen(1)
    news(seen, [np.nan], text={0: "9007199254740993"})
    assert news(seen, [np.nan], text={0: "9007199254740993"}) == [False]
    assert news(seen, [np.nan], text={0: "9007199254740994"}) == [True]
    assert news(seen, [np.nan], status=0x80340000) == [True]


def test_a_clock_is_news_once_and_then_only_when_it_turns_bad_or_good() -> None:
    seen = Seen(2, moving=0)
    assert news(seen, [1.0, 5.0]) == [True, True]
    assert news(seen, [2.0, 5.0]) == [False, False]
    assert news(seen, [np.nan, 5.0], status=0x80340000) == [True, True]
