"""A week told to the engine as an agent would: poll by poll, with devices heard late and restarts on the way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agent.figures.windows import PATIENCE, Windows
from agent.kpi import WindowBook
from agent.live import Span
from agent.model import SECOND, Kpi, Line, Verdict, Window
from agent.model import Machine as Equipment
from agent.shift import Calendar
from tests.weeks.week import STATES, UNSEEN, Machine, Week

VERDICTS = (Verdict.PASS, Verdict.REJECT, Verdict.ASK)
Page = tuple[Kpi, ...]


def line_of(week: Week) -> Line:
    """The line of a week; its machines are m0, m1, ..."""
    machines = tuple(Equipment(f"m{n}", {}, {}, one.counters) for n, one in enumerate(week.machines))
    return Line("s", "a", "l", {}, week.takt, week.zone, machines, {}, {}, week.meter is not None)


def spans(week: Week, machine: Machine, start: int, end: int) -> Iterator[Span]:
    """The observed time between two ticks, state by state."""
    code = machine.code[start:end]
    edges = [0, *(np.flatnonzero(np.diff(code)) + 1).tolist(), len(code)] if len(code) else []
    for a, b in pairwise(edges):
        if code[a] != UNSEEN:
            time = week.calendar.time
            yield Span(STATES[code[a]], time(start + a), time(start + b))


class Played:
    """The engine in a week: `told` is the last page of each window by kind and start, `pages` how many came."""

    def __init__(self, week: Week) -> None:
        self.week, self.line = week, line_of(week)
        self.windows = Windows(self.line, Calendar(week.shifts, week.exceptions))
        self.told: dict[tuple[str, int], Page] = {}
        self.pages = 0
        self.fed = [week.first for _ in week.machines]
        self._mono = 0

    def polls(self) -> Iterator[int]:
        """Tell it all; yields after each poll. What is held back comes with the first poll after."""
        self.windows.advance(self.week.calendar.time(self.week.first))
        downs = list(self.week.restarts)
        for poll in self.week.polls:
            if any(start <= poll < stop for start, stop in downs):
                continue
            if downs and any(stop <= poll for _, stop in downs):
                downs = [one for one in downs if one[1] > poll]
                self._restart()
            self._poll(poll)
            yield poll

    def _poll(self, poll: int) -> None:
        self.windows.advance(self.week.calendar.time(poll))
        for place, held in enumerate(self.week.held):
            if poll == self.week.end or not any(start <= poll < stop for start, stop in held):
                self._feed(self.windows, place, self.fed[place], poll)
                self.fed[place] = poll
        self._mono += PATIENCE
        heard = self.week.calendar.time(min(self.fed))
        for page in self.windows.close(self.week.calendar.time(poll), heard, self._mono):
            self._take(page)

    def _take(self, page: Page) -> None:
        window, revision = page[0].window, page[0].revision
        before = self.told.get((window.kind, window.start))
        assert revision == (before[0].revision + 1 if before else 0)
        assert all(one.window == window and one.closed for one in page)
        self.told[window.kind, window.start] = page
        self.pages += 1

    def _feed(self, windows: Windows, place: int, start: int, end: int) -> None:
        machine, name, time = self.week.machines[place], f"m{place}", self.week.calendar.time
        for span in spans(self.week, machine, start, end):
            windows.span(name, span, simulated=False)
        part = slice(start, end)
        for at in (np.flatnonzero((machine.good[part] + machine.scrap[part]) > 0) + start).tolist():
            late = bool(machine.late[at])
            windows.parts(name, "good", int(machine.good[at]), time(at), late=late, simulated=False)
            windows.parts(name, "scrap", int(machine.scrap[at]), time(at), late=late, simulated=False)
            windows.parts(name, "rework", int(machine.rework[at]), time(at), late=late, simulated=False)
        self._count_energy(windows, name, machine.energy, part)
        if place == 0 and self.week.meter is not None:
            self._count_energy(windows, "", self.week.meter, part)
        for at in (np.flatnonzero(machine.verdict[part] >= 0) + start).tolist():
            windows.verdict(name, VERDICTS[machine.verdict[at]], time(at), simulated=False)

    def _count_energy(self, windows: Windows, name: str, energy: NDArray[np.int64], part: slice) -> None:
        for at in (np.flatnonzero(energy[part]) + part.start).tolist():
            windows.parts(name, "energy", int(energy[at]), self.week.calendar.time(at), late=False, simulated=False)

    def _restart(self) -> None:
        """A new run knows what was told and recorded: it takes the open windows up, and the last closed ones."""
        last: dict[str, Kpi] = {}
        for page in self.told.values():
            if page[0].window.end > (last[page[0].window.kind].window.end if page[0].window.kind in last else 0):
                last[page[0].window.kind] = page[0]
        closed = {kind: one.window.end for kind, one in last.items()}
        windows = Windows(self.line, Calendar(self.week.shifts, self.week.exceptions), closed)
        time = self.week.calendar.time
        windows.advance(closed.get("hour", time(self.week.first)))
        windows.advance(time(max(self.fed)))
        for one in last.values():
            windows.reopen(one.window, one.revision, one.expected)
        since = min((entry.book.window.start for entry in windows.entries), default=time(max(self.fed)))
        first = max(self.week.first, self.week.calendar.tick(since // SECOND))
        for place, upto in enumerate(self.fed):
            self._feed(windows, place, first, upto)
        windows.seal()
        self.windows = windows


def whole(week: Week) -> WindowBook:
    """One book of the whole week, as if it were one shift."""
    window = Window("shift", "week", week.calendar.time(week.first), week.calendar.time(week.end))
    mask = week.calendar.planned[week.first : week.end]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8))) + week.first
    times = [week.calendar.time(one) for one in edges.tolist()]
    book = WindowBook(line_of(week), window, list(zip(times[::2], times[1::2], strict=True)))
    for place, machine in enumerate(week.machines):
        for span in spans(week, machine, week.first, week.end):
            book.span(f"m{place}", span.state, span.start, span.end)
    return book
