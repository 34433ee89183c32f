"""Samples of a tag as a line to draw: thinned without losing a peak, broken where nobody looked. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.model import BAD
from agent.storage.reader import Series

Spans = Sequence[tuple[int, int]]


def joined(one: Series, other: Series) -> Series:
    """Two runs of one tag, the second later in time."""
    return Series(
        np.concatenate((one.source_time, other.source_time)),
        np.concatenate((one.value, other.value)),
        np.concatenate((one.status, other.status)),
    )


def before(series: Series, time: int) -> Series:
    """The samples before `time`."""
    known = series.source_time < time
    return Series(series.source_time[known], series.value[known], series.status[known])


def thinned(series: Series, step: int) -> Series:
    """Of each `step` ns the first, least, greatest and last sample, and every bad one; all as they were."""
    if step <= 0 or not len(series.source_time):
        return series
    bucket = series.source_time // step
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    ends = np.append(starts[1:], len(bucket))
    order = np.lexsort((series.value, bucket))
    keep = np.concatenate([starts, ends - 1, order[starts], order[ends - 1]])
    keep = np.union1d(keep, np.flatnonzero((series.status & BAD) | ~np.isfinite(series.value)))
    return Series(series.source_time[keep], series.value[keep], series.status[keep])


def line(series: Series, gaps: Spans, until: int) -> list[tuple[int, float | None]]:
    """Points in order of time; None breaks the line, at a bad sample and over every gap.

    A device tells of changes: a value holds until the next one, up to a gap or `until`, never across a gap.
    """
    points: list[tuple[int, float | None]] = []
    held: float | None = None
    rest = sorted((a, b) for a, b in gaps if a < until)
    times, values = series.source_time.tolist(), series.value.tolist()
    good = ((series.status & BAD) == 0) & np.isfinite(series.value)
    for time, value, usable in zip(times, values, good.tolist(), strict=True):
        while rest and rest[0][0] < time:
            start, end = rest.pop(0)
            if held is not None:
                points += [(start, held), (start + 1, None)]
            held = None if end <= time else held
        held = value if usable else None
        points.append((time, held))
    start = rest[0][0] if rest else until
    if held is not None and points and start > points[-1][0]:
        points.append((start, held))
    return points
