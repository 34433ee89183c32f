"""A week's calendar counted in ticks from the zone's offsets alone: hours, shifts and planned time as masks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from agent.shift import Shift

TICK = 5
DAY = 86_400
QUARTER = 900
MARGIN = 2 * DAY
WEEK = 7 * DAY

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Ticks from `start` (s since 1970 UTC) on: windows as [first, last) ticks, planned time as a mask."""

    start: int
    hours: tuple[Range, ...]
    shifts: tuple[Range, ...]
    planned: NDArray[np.bool_]

    def tick(self, second: int) -> int:
        """The tick of a moment."""
        return (second - self.start) // TICK

    def time(self, tick: int) -> int:
        """The moment of a tick in ns since 1970 UTC."""
        return (self.start + tick * TICK) * 1_000_000_000


def counted(zone: str, week: int, shifts: list[Shift], exceptions: dict[dt.date, tuple[Shift, ...]]) -> Calendar:
    """The calendar of the week that starts at `week` (s since 1970 UTC), with two days around it."""
    start = week - MARGIN
    quarters = np.arange(start, week + WEEK + MARGIN, QUARTER)
    rules = ZoneInfo(zone)
    offsets = [dt.datetime.fromtimestamp(int(at), rules).utcoffset() for at in quarters]
    seconds = [int(one.total_seconds()) for one in offsets if one is not None]
    offset = np.repeat(np.array(seconds, np.int64), QUARTER // TICK)
    wall = start + np.arange(len(offset), dtype=np.int64) * TICK + offset
    reached = np.maximum.accumulate(wall)
    changes = np.flatnonzero((np.diff(wall // 3600) != 0) | (np.diff(offset) != 0)) + 1
    hours = tuple(zip(changes[:-1].tolist(), changes[1:].tolist(), strict=True))
    planned = np.zeros(len(wall), np.bool_)
    windows: list[Range] = []
    first, last = int(wall[0] // DAY) + 1, int(wall[-1] // DAY) - 1
    for day in range(first, last):
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        starting = [one for one in shifts if date.weekday() in one.days]
        for shift in exceptions.get(date, starting):
            window = _ticks(reached, day, shift.start, shift.start, shift.end)
            windows.append(window)
            work = np.zeros(len(wall), np.bool_)
            work[slice(*window)] = True
            for pause in shift.breaks:
                work[slice(*_ticks(reached, day, shift.start, *pause))] = False
            planned |= work
    return Calendar(start, hours, tuple(windows), planned)


def _ticks(reached: NDArray[np.int64], day: int, anchor: dt.time, start: dt.time, end: dt.time) -> Range:
    """The first ticks at which the wall's clock has reached start and end, both in the shift begun at `anchor`."""
    begin = day * DAY + _of_day(start) + (DAY if start < anchor else 0)
    finish = begin + ((_of_day(end) - _of_day(start)) % DAY or DAY)
    return int(np.searchsorted(reached, begin)), int(np.searchsorted(reached, finish))


def _of_day(wall: dt.time) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second
