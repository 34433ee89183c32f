"""How fast a disk fills, from a few looks at what is free on it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_S = 600.0  # a write-ahead log swells and shrinks within minutes
HOUR = 3600.0


def growth(looks: Sequence[tuple[float, int]]) -> float | None:
    """Bytes an hour by which it fills, below 0 where it empties, from (seconds, bytes free) in order of time.

    The slope of the least squares' line; None before LEAST_S seconds were looked at.
    """
    if len(looks) < 3 or looks[-1][0] - looks[0][0] < LEAST_S:
        return None
    times = np.array([time for time, _ in looks]) - looks[0][0]
    free = np.array([bytes_ for _, bytes_ in looks], np.float64)
    away = times - times.mean()
    return float(-(away @ (free - free.mean())) / (away @ away) * HOUR)


def hours_left(free: int, per_hour: float | None) -> float | None:
    """Hours until nothing is free at that growth; None where it does not fill, or it is not known yet."""
    return free / per_hour if per_hour is not None and per_hour > 0 else None
