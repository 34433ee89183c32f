"""Trends read bit by bit are those read at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.model import SECOND
from agent.storage.reader import Series
from gateway.panel.tapes import MOST, Tapes
from gateway.panel.trend import thinned
from tests.system.panel_view import SampleView, at, samples_of

START = at("08:00")
STEP = 90 * SECOND
ROWS = [(START + second * SECOND, float(second * 7 % 31)) for second in range(0, 7200, 3)]


def same(one: Series, other: Series) -> bool:
    times, statuses = (one.source_time, other.source_time), (one.status, other.status)
    return np.array_equal(*times) and np.array_equal(one.value, other.value) and np.array_equal(*statuses)


async def test_a_tape_grown_bit_by_bit_is_the_one_read_at_once(tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    tapes, grown = Tapes(view), samples_of([])
    for minute in (1, 2, 20, 21, 55, 119):
        until = START + minute * 60 * SECOND
        view.tapes["press1", "current"] = samples_of([row for row in ROWS if row[0] < until])
        grown = await tapes.of("press1", "current", START, until, STEP, 0)
        assert same(grown, thinned(samples_of([row for row in ROWS if row[0] < until]), STEP))
    assert len(grown.source_time) < len(ROWS) / 5


async def test_what_came_late_is_there_once_its_gap_is_over(tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    tapes, until = Tapes(view), START + 7200 * SECOND
    missing = [row for row in ROWS if not START + 600 * SECOND <= row[0] < START + 1200 * SECOND]
    view.tapes["press1", "current"] = samples_of(missing)
    assert same(await tapes.of("press1", "current", START, until, 0, 0), samples_of(missing))
    view.tapes["press1", "current"] = samples_of(ROWS)
    assert same(await tapes.of("press1", "current", START, until, 0, 1), samples_of(ROWS))


async def test_only_the_last_tapes_are_kept(tmp_path: Path) -> None:
    tapes = Tapes(SampleView(tmp_path))
    for number in range(MOST + 9):
        await tapes.of("press1", f"tag{number}", START, START + SECOND, STEP, 0)
    assert len(tapes._kept) == MOST
