"""What hours of readings say: slopes by least squares after warm-up, and whether each is within its bound. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WARM_UP = 0.4  # of the time, an hour at most: caches and pools fill
LONGEST_WARM_UP_S = 3600.0
RSS_MB_PER_HOUR = 1.0
FDS_PER_HOUR = 0.5
# In a short run a page more is a slope of megabytes an hour: until this much has come together, it is noise.
NOISE_MB, NOISE_FDS = 8.0, 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The agent at a moment: seconds since the begin, resident memory, open files."""

    time: float
    rss_mb: float
    fds: int


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside its bound."""

    name: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it is within it."""
        return self.value <= self.bound

    def __str__(self) -> str:
        return f"{'holds ' if self.holds else 'MISSED'} {self.name:<44}{self.value:>12.3f}  (bound {self.bound:g})"


def settled(readings: Sequence[Reading]) -> Sequence[Reading]:
    """Those after warm-up; ValueError where a slope cannot be told from them."""
    end = readings[-1].time if readings else 0.0
    rest = [one for one in readings if one.time >= min(end * WARM_UP, LONGEST_WARM_UP_S)]
    if len(rest) < 3:
        raise ValueError("too short a run to tell a slope: give it a minute at least")
    return rest


def per_hour(times: Sequence[float], values: Sequence[float]) -> float:
    """The slope by least squares; times in seconds."""
    return float(np.polyfit(np.array(times) / 3600, np.array(values, float), 1)[0])


def rows(readings: Sequence[Reading]) -> list[Row]:
    """Growth of memory and files, each held to its bound over the hours that were looked at."""
    rest = settled(readings)
    times = [one.time for one in rest]
    hours = (times[-1] - times[0]) / 3600
    rss = per_hour(times, [one.rss_mb for one in rest])
    fds = per_hour(times, [float(one.fds) for one in rest])
    return [
        Row("resident memory, MB an hour", rss, max(RSS_MB_PER_HOUR, NOISE_MB / hours)),
        Row("open files, an hour", fds, max(FDS_PER_HOUR, NOISE_FDS / hours)),
    ]
