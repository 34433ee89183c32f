"""Figures of a window after ISO 22400-2, each with numerator, denominator, bounds and coverage.

- utilization: executing time over observed planned time (the standard's utilization efficiency, with
  the planned time seen as its denominator). OUT_OF_SERVICE is planned time that was seen and not used.
- first_pass_yield: good parts over parts judged by the PLC, good + scrap.
- takt: observed planned time over the parts counted in it, the mean seconds per part.
- good, scrap: PLC parts, beside what the planned time so far would have made at the line's takt.
- inspection_*: verdicts over inspected parts. ASK stands apart and is in no yield.

What was not observed is in no numerator and no denominator: it lowers coverage and widens the bounds. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.model import SECOND, Kpi, Line, MachineState, State, Verdict, Window

EXECUTING = State.EXECUTING.value.lower()
PER_CENT = 100.0


@dataclass(slots=True)
class Tally:
    """What one machine gave a window: ns by state word, parts, verdicts. Plain data: kept and restored as it is.

    `late` parts, of good and scrap, were made in time nobody observed; `until` is the end of the time observed.
    """

    states: dict[str, int] = field(default_factory=dict)
    good: int = 0
    scrap: int = 0
    late: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    until: int = 0

    @property
    def observed(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Seen:
    """Observed and due planned time in ns, with the parts the unseen rest may hide, bad and good."""

    covered: int
    expected: int
    hidden_bad: float
    hidden_good: float


class WindowBook:
    """The open window's book: fed span by span, part by part, verdict by verdict; gives its figures any time.

    `planned` are disjoint spans in ns. A book is restored by handing it the tallies it had.
    """

    def __init__(
        self,
        line: Line,
        window: Window,
        planned: Sequence[tuple[int, int]],
        last_station: str | None = None,
        tallies: Mapping[str, Tally] | None = None,
    ) -> None:
        self.line = line
        self.window = window
        self.planned = tuple((max(a, window.start), min(b, window.end)) for a, b in planned)
        self.last_station = last_station or line.machines[-1].name
        self.tallies = {machine.name: Tally() for machine in line.machines} | dict(tallies or {})

    def span(self, machine: str, state: MachineState, start_ns: int, end_ns: int) -> None:
        """Add observed time, in order; its part in the window's planned time counts, each instant once.

        UNKNOWN is no observation and adds nothing.
        """
        if state.state is State.UNKNOWN:
            return
        tally = self.tallies[machine]
        time = self._planned_between(max(start_ns, tally.until), end_ns)
        if time > 0:
            tally.states[state.word] = tally.states.get(state.word, 0) + time
        tally.until = max(tally.until, min(end_ns, self.window.end))

    def parts(
        self, machine: str, counter: Literal["good", "scrap"], delta: int, time_ns: int, *, late: bool = False
    ) -> None:
        """Add counted parts; ignored outside the window. Late ones were made unobserved: they are not in the takt."""
        if not self.window.start <= time_ns < self.window.end:
            return
        tally = self.tallies[machine]
        if counter == "good":
            tally.good += delta
        else:
            tally.scrap += delta
        if late:
            tally.late += delta

    def verdict(self, machine: str, verdict: Verdict) -> None:
        """Add one inspected part."""
        verdicts = self.tallies[machine].verdicts
        verdicts[verdict.value] = verdicts.get(verdict.value, 0) + 1

    def state_seconds(self, machine: str) -> dict[str, float]:
        """Observed planned seconds by state word."""
        return {word: time / SECOND for word, time in self.tallies[machine].states.items()}

    def figures(
        self, now_ns: int, *, closed: bool = False, revision: int = 0, simulated: bool = False
    ) -> tuple[Kpi, ...]:
        """Every figure of every machine and of the line (machine ""), as of now or of the last observation if later."""
        now = max(now_ns, *(tally.until for tally in self.tallies.values()))
        due = self._planned_between(self.window.start, now)
        page = _Page(self.line, self.window, due, now, closed, revision, simulated)
        for machine in self.line.machines:
            page.machine(machine.name, self.tallies[machine.name])
        page.whole_line(list(self.tallies.values()), self.tallies[self.last_station])
        return tuple(page.rows)

    def _planned_between(self, start: int, end: int) -> int:
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.planned)


class _Page:
    """Writes the rows of one window as of one moment; `due` is the planned time so far in ns."""

    def __init__(
        self, line: Line, window: Window, due: int, now: int, closed: bool, revision: int, simulated: bool
    ) -> None:
        self.line, self.window, self.due, self.now = line, window, due, now
        self.closed, self.revision, self.simulated = closed, revision, simulated
        self.rows: list[Kpi] = []

    def machine(self, name: str, tally: Tally) -> None:
        hidden = self._parts_at_takt(self.due - tally.observed)
        seen = Seen(tally.observed, self.due, hidden, hidden)
        self._utilization(name, tally.states.get(EXECUTING, 0), seen)
        self._yield(name, tally.good, tally.good + tally.scrap, seen)
        self._takt(name, tally, seen)
        self._parts(name, tally.good, tally.scrap, seen, seen)
        self._verdicts(name, tally.verdicts, seen)

    def whole_line(self, tallies: Sequence[Tally], last: Tally) -> None:
        """Time and scrap are summed over the machines; good parts and takt are the last station's."""
        covered = sum(tally.observed for tally in tallies)
        expected = self.due * len(tallies)
        hidden_good = self._parts_at_takt(self.due - last.observed)
        seen = Seen(covered, expected, self._parts_at_takt(expected - covered), hidden_good)
        seen_last = Seen(last.observed, self.due, hidden_good, hidden_good)
        scrap = sum(tally.scrap for tally in tallies)
        executing = sum(tally.states.get(EXECUTING, 0) for tally in tallies)
        self._utilization("", executing, seen)
        self._yield("", last.good, last.good + scrap, seen)
        self._takt("", last, seen_last)
        self._parts("", last.good, scrap, seen_last, seen)
        words = [word.value for word in Verdict]
        self._verdicts("", {word: sum(tally.verdicts.get(word, 0) for tally in tallies) for word in words}, seen)

    def _parts_at_takt(self, time: int) -> float:
        return time / SECOND / self.line.takt_s

    def _utilization(self, name: str, executing: int, seen: Seen) -> None:
        """Bounds: all unseen planned time stood still, or all of it ran."""
        low = _ratio(executing, seen.expected, PER_CENT)
        high = _ratio(executing + seen.expected - seen.covered, seen.expected, PER_CENT)
        self._row("utilization", name, "%", executing / SECOND, seen.covered / SECOND, seen, low, high)

    def _yield(self, name: str, good: int, judged: int, seen: Seen) -> None:
        """Bounds: unseen time made parts at takt, all bad or all good."""
        low = _ratio(good, judged + seen.hidden_bad, PER_CENT)
        high = _ratio(good + seen.hidden_good, judged + seen.hidden_good, PER_CENT)
        self._row("first_pass_yield", name, "%", good, judged, seen, low, high)

    def _takt(self, name: str, tally: Tally, seen: Seen) -> None:
        """No bounds: what unseen time did to the pace is not known, coverage alone tells of it."""
        self._row("takt", name, "s", seen.covered / SECOND, tally.good + tally.scrap - tally.late, seen)

    def _parts(self, name: str, good: int, scrap: int, seen_good: Seen, seen_scrap: Seen) -> None:
        """No bounds: a counter tells what was missed once it is read again."""
        due_parts = self._parts_at_takt(self.due)
        self._row("good", name, "parts", good, due_parts, seen_good)
        self._row("scrap", name, "parts", scrap, due_parts, seen_scrap)

    def _verdicts(self, name: str, verdicts: Mapping[str, int], seen: Seen) -> None:
        inspected = sum(verdicts.values())
        if inspected:
            for verdict in Verdict:
                count = verdicts.get(verdict.value, 0)
                self._row(f"inspection_{verdict.value.lower()}", name, "parts", count, inspected, seen)

    def _row(
        self,
        figure: str,
        machine: str,
        unit: str,
        numerator: float,
        denominator: float,
        seen: Seen,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        scale = PER_CENT if unit == "%" else 1.0
        value = _ratio(numerator, denominator, scale)
        if unit == "parts" and value is not None:
            value = float(numerator)
        target = self.line.targets.get(figure, self.line.takt_s if figure == "takt" else None)
        self.rows.append(
            Kpi(
                figure,
                machine,
                self.window,
                float(numerator),
                float(denominator),
                unit,
                value,
                low,
                high,
                seen.covered / SECOND,
                seen.expected / SECOND,
                target,
                self.now,
                self.revision,
                self.closed,
                self.simulated,
            )
        )


def _ratio(numerator: float, denominator: float, scale: float) -> float | None:
    return numerator / denominator * scale if denominator > 0 else None
