"""Calendars: which shift a moment belongs to, and which time of a window is planned.

Shifts are written in local wall time. A shift that crosses midnight belongs to the day it starts
on, and a night in which the clocks change has its true length. Pure; times in ns since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time

from whenever import Date, Instant, Time, ZonedDateTime

from agent.model import Window

HOUR = 3_600_000_000_000
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift in local wall time; equal ends mean 24 hours.

    `days` are the weekdays it starts on, Monday 0. `breaks` are not planned; each lies within the shift.
    """

    name: str
    start: time
    end: time
    days: frozenset[int] = frozenset(range(7))
    breaks: tuple[tuple[time, time], ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The shifts, and by date those that start on it in their stead, whatever their `days`; none on a holiday."""

    shifts: Sequence[Shift] = ()
    exceptions: Mapping[date, Sequence[Shift]] = field(default_factory=dict)


def shift_window(calendar: Calendar, timezone: str, time_ns: int) -> Window | None:
    """The shift that holds the moment, the first listed where shifts overlap; None outside all of them."""
    today = _local(timezone, time_ns).date()
    days = (today.subtract(days=1), today)
    listed = [(rank, day, shift) for day in days for rank, shift in _starting(calendar, day)]
    for _, day, shift in sorted(listed, key=lambda one: one[:2]):
        start, end = _span(shift.start, shift.start, shift.end, day, timezone)
        if start <= time_ns < end:
            return Window("shift", shift.name, start, end)
    return None


def hour_window(timezone: str, time_ns: int) -> Window:
    """The local clock hour that holds the moment; it is cut where the clocks change in the middle of it."""
    local = _local(timezone, time_ns)
    start = time_ns - (local.minute * 60 + local.second) * 1_000_000_000 - local.nanosecond
    # Asked just behind the moment: a change of the clocks at the moment itself begins the window.
    before = _local(timezone, time_ns + 1).prev_transition()
    after = local.next_transition()
    end = start + HOUR
    if before is not None:
        start = max(start, _ns(before))
    if after is not None:
        end = min(end, _ns(after))
    return Window("hour", f"{local.hour:02}:00", start, end)


def planned(calendar: Calendar, timezone: str, window: Window) -> tuple[Span, ...]:
    """The planned time of a window: disjoint spans in order, breaks cut out, nothing outside all shifts."""
    spans: list[Span] = []
    for start, end in sorted(_work(calendar, timezone, window)):
        start, end = max(start, window.start), min(end, window.end)
        if start >= end:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return tuple(spans)


def _starting(calendar: Calendar, day: Date) -> list[tuple[int, Shift]]:
    """The shifts that start on a day, by the calendar or in its stead, each with its place in the list."""
    instead = calendar.exceptions.get(date(day.year, day.month, day.day))
    if instead is not None:
        return list(enumerate(instead))
    return [(rank, one) for rank, one in enumerate(calendar.shifts) if day.day_of_week().value - 1 in one.days]


def _work(calendar: Calendar, timezone: str, window: Window) -> Iterator[Span]:
    """Spans between breaks of every shift that may touch the window."""
    day = _local(timezone, window.start).date().subtract(days=1)
    last = _local(timezone, window.end).date()
    while day <= last:
        for _, shift in _starting(calendar, day):
            yield from _between_breaks(shift, day, timezone)
        day = day.add(days=1)


def _between_breaks(shift: Shift, day: Date, timezone: str) -> Iterator[Span]:
    at, end = _span(shift.start, shift.start, shift.end, day, timezone)
    for pause, resume in sorted(_span(shift.start, *pause, day, timezone) for pause in shift.breaks):
        yield at, min(pause, end)
        at = max(at, resume)
    yield at, end


def _span(anchor: time, start: time, end: time, day: Date, timezone: str) -> Span:
    """Start and end of wall times within a shift that starts at `anchor` on `day`."""
    first = day if start >= anchor else day.add(days=1)
    last = first if end > start else first.add(days=1)
    return _instant(first, start, timezone), _instant(last, end, timezone)


def _instant(day: Date, wall: time, timezone: str) -> int:
    """A wall time as an instant: the first of two, and the change itself for one the clocks skip."""
    plain = day.at(Time(wall.hour, wall.minute, wall.second))
    zoned = plain.assume_tz(timezone, disambiguation="compatible")
    if zoned.to_plain() != plain:
        zoned = zoned.add(nanoseconds=1).prev_transition() or zoned
    return _ns(zoned)


def _local(timezone: str, time_ns: int) -> ZonedDateTime:
    return Instant.from_timestamp(time_ns, unit="nanosecond").to_tz(timezone)


def _ns(zoned: ZonedDateTime) -> int:
    return zoned.timestamp(unit="nanosecond")
