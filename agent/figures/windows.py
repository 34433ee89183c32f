"""The windows in work: shift and hour, opened as plant time reaches them, closed once every device has passed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.figures.times import Counter
from agent.kpi import WindowBook
from agent.live import Span
from agent.model import SECOND, Decision, Kpi, Line, State, TimeModel, Verdict, Window
from agent.shift import Calendar, hour_window, planned, shift_window

PATIENCE = 10 * SECOND  # of wall time, for a device that has not passed the end yet
LONG_STEP = 60 * SECOND  # of plant time: a shift may begin and end in it
MOST_WINDOWS = 200  # after a very long stop only the last ones are told


@dataclass(slots=True)
class Entry:
    """A window's book; `passed` is when plant time passed its end, by the wall's monotonic clock (ns)."""

    book: WindowBook
    simulated: bool = False
    passed: int | None = None
    closed: bool = False
    revision: int = 0
    corrected: bool = False
    replanned: bool = False

    def figures(self, time: int) -> tuple[Kpi, ...]:
        """The window's figures as of plant time, at most its end."""
        time = min(time, self.book.window.end)
        return self.book.figures(time, closed=self.closed, revision=self.revision, simulated=self.simulated)

    def times(self, time: int) -> tuple[TimeModel, ...]:
        """Every machine's time model as of plant time, at most the window's end."""
        return self.book.times(min(time, self.book.window.end))

    def revise(self) -> tuple[Kpi, ...]:
        """What was told of the closed window is told anew."""
        self.revision, self.corrected = self.revision + 1, False
        return self.figures(self.book.window.end)


class Windows:
    """Feeds every window that a span, a part or a verdict falls in. `closed` has the last closed end by kind."""

    def __init__(self, line: Line, calendar: Calendar, closed: dict[str, int] | None = None) -> None:
        self.line = line
        self.calendar = calendar
        self.entries: list[Entry] = []
        self._closed = dict(closed or {})
        self._upto: int | None = None

    def advance(self, time: int) -> None:
        """Open every window up to plant time `time`, those that passed unobserved too."""
        at = time if self._upto is None else min(self._upto, time)
        walked = 0
        while at < time and walked < MOST_WINDOWS:
            self._open(at)
            hour = hour_window(self.line.timezone, at)
            if time - at >= LONG_STEP:
                self._open_within(Window(hour.kind, hour.label, at, min(hour.end, time)))
            at = hour.end
            walked += 1
        self._open(time)
        self._upto = time if self._upto is None else max(self._upto, time)

    def _open_within(self, step: Window) -> None:
        """Shifts that begin within a long step, and perhaps end within it too."""
        for start, end in planned(self.calendar, self.line.timezone, step):
            at = start
            while at < end:
                self._open(at)
                shift = shift_window(self.calendar, self.line.timezone, at)
                at = shift.end if shift else end

    def _open(self, time: int) -> None:
        shift = shift_window(self.calendar, self.line.timezone, time)
        for window in (shift, hour_window(self.line.timezone, time)):
            if window is None or window.end <= self._closed.get(window.kind, 0):
                continue
            if all(entry.book.window != window for entry in self.entries):
                spans = planned(self.calendar, self.line.timezone, window)
                self.entries.append(Entry(WindowBook(self.line, window, spans)))

    def reopen(self, window: Window, revision: int, planned_s: float | None = None) -> None:
        """Take up a window that the last run closed: to be fed again and then sealed, so that it can be corrected.

        `planned_s` is the planned time it was told with: another plan than that corrects it.
        """
        spans = planned(self.calendar, self.line.timezone, window)
        entry = Entry(WindowBook(self.line, window, spans), revision=revision)
        entry.replanned = planned_s is not None and planned_s != sum(b - a for a, b in spans) / SECOND
        self.entries.append(entry)

    def seal(self) -> None:
        """The windows taken up hold what was told of them: another plan corrects them, and what comes from now on."""
        for entry in self.entries:
            if entry.book.window.end <= self._closed.get(entry.book.window.kind, 0):
                entry.closed, entry.corrected = True, entry.replanned

    def span(self, machine: str, span: Span, *, simulated: bool) -> None:
        """Add observed time in one state; each window takes its part of it. A closed one is corrected by late time."""
        if span.end <= span.start or span.state.state is State.UNKNOWN:
            return
        for entry in self.entries:
            window = entry.book.window
            if span.start < window.end and span.end > window.start:
                added = entry.book.span(machine, span.state, span.start, span.end)
                entry.corrected |= added and entry.closed
                entry.simulated |= simulated

    def parts(self, machine: str, counter: Counter, delta: int, time: int, *, late: bool, simulated: bool) -> None:
        """Add counted parts to the windows they were made in; a closed one is corrected."""
        for entry in self._holding(time):
            entry.book.parts(machine, counter, delta, time, late=late)
            entry.simulated |= simulated

    def verdict(
        self, machine: str, verdict: Verdict, time: int, *, simulated: bool, instead: Verdict | None = None
    ) -> None:
        """Add a part inspected at `time`, or judge it otherwise than `instead`; a closed window is corrected."""
        for entry in self._holding(time):
            entry.book.verdict(machine, verdict, instead)
            entry.simulated |= simulated

    def decide(self, one: Decision, past: Sequence[Entry]) -> list[tuple[Kpi, ...]]:
        """A part is judged otherwise: the figures of the closed windows it was made in, each in a new revision.

        `past` are closed windows that hold it; those that are still in work here are left out of them.
        """
        known = [entry.book.window for entry in self.entries]
        forgotten = [entry for entry in past if entry.book.window not in known]
        for entry in forgotten:
            entry.book.verdict(one.machine, one.verdict, one.instead)
        self.verdict(one.machine, one.verdict, one.made, simulated=one.simulated, instead=one.instead)
        return [entry.revise() for entry in (*self.entries, *forgotten) if entry.closed and entry.book.holds(one.made)]

    def in_work(self, time: int) -> list[Window]:
        """The windows with a part made at `time` that need not be read again to correct them."""
        return [entry.book.window for entry in self.entries if entry.book.holds(time)]

    def _holding(self, time: int) -> list[Entry]:
        found = [entry for entry in self.entries if entry.book.holds(time)]
        for entry in found:
            entry.corrected = entry.closed
        return found

    def close(self, time: int, passed_by_all: int, mono: int) -> list[tuple[Kpi, ...]]:
        """Figures of the windows that are over, and corrections of those closed before; each once."""
        done: list[tuple[Kpi, ...]] = []
        for entry in self.entries:
            end = entry.book.window.end
            if entry.closed and entry.corrected:
                done.append(entry.revise())
            elif not entry.closed and time >= end:
                entry.passed = mono if entry.passed is None else entry.passed
                if passed_by_all >= end or mono - entry.passed >= PATIENCE:
                    self._finish(entry)
                    done.append(entry.figures(end))
        self._forget()
        return done

    def _finish(self, entry: Entry) -> None:
        window = entry.book.window
        entry.closed = True
        self._closed[window.kind] = max(window.end, self._closed.get(window.kind, 0))

    def _forget(self) -> None:
        """Keep the last closed window of each kind, for what comes late."""
        keep = self._closed
        self.entries = [
            one for one in self.entries if not one.closed or one.book.window.end == keep[one.book.window.kind]
        ]

    def look(self) -> list[Entry]:
        """The open windows as they are, a copy that stays so."""
        return [replace(entry, book=entry.book.copy()) for entry in self.entries if not entry.closed]


def current(entries: Sequence[Entry], time: int) -> list[Entry]:
    """Of each kind the latest that has begun by plant time `time`."""
    latest: dict[str, Entry] = {}
    for entry in entries:
        window = entry.book.window
        if window.start <= time and (window.kind not in latest or latest[window.kind].book.window.start < window.start):
            latest[window.kind] = entry
    return list(latest.values())
