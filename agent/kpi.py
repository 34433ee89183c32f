"""A window's book: observed time, parts and verdicts in, figures out. Each figure: agent/figures/definitions.py.

What was not observed is in no numerator and no denominator: it lowers coverage and widens the bounds.
Nothing is clamped. ASK stands apart and is in no yield. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.figures.definitions import FIGURES
from agent.figures.rates import PER_CENT, Rate, Summed, line_rates, machine_rates
from agent.figures.times import Bottleneck, Counter, Tally, bottleneck, time_model
from agent.model import SECOND, Kpi, Line, MachineState, State, TimeModel, Verdict, Window

MICRO_STOP = 300 * SECOND


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
        micro_stop: int = MICRO_STOP,
    ) -> None:
        self.line = line
        self.window = window
        self.planned = tuple((max(a, window.start), min(b, window.end)) for a, b in planned)
        self.last_station = last_station or line.machines[-1].name
        self.tallies = {name: Tally() for name in ("", *(one.name for one in line.machines))} | dict(tallies or {})
        self.micro_stop = micro_stop

    def span(self, machine: str, state: MachineState, start_ns: int, end_ns: int) -> bool:
        """Add observed time, in order; its part in the window counts, each instant once. Whether any did.

        UNKNOWN is no observation and adds nothing.
        """
        tally = self.tallies[machine]
        start, end = max(start_ns, tally.until, self.window.start), min(end_ns, self.window.end)
        if state.state is State.UNKNOWN or end <= start:
            return False
        tally.add(state.word, start, end, self._planned_between(start, end))
        return True

    def parts(self, machine: str, counter: Counter, delta: int, time_ns: int, *, late: bool = False) -> None:
        """Add counted parts, or Wh; ignored outside the window. Late ones were made unobserved: they are in no pace.

        Machine "" is the line, which has a counter of energy alone.
        """
        if self.holds(time_ns):
            self.tallies[machine].count(counter, delta, late=late)

    def verdict(self, machine: str, verdict: Verdict, instead: Verdict | None = None) -> None:
        """Add one inspected part, or judge one otherwise that stands under `instead`."""
        verdicts = self.tallies[machine].verdicts
        verdicts[verdict.value] = verdicts.get(verdict.value, 0) + 1
        if instead is not None:
            verdicts[instead.value] = verdicts.get(instead.value, 0) - 1

    def holds(self, time_ns: int) -> bool:
        """Whether what happened then belongs to the window."""
        return self.window.start <= time_ns < self.window.end

    def state_seconds(self, machine: str) -> dict[str, float]:
        """Observed planned seconds by state word."""
        return {word: time / SECOND for word, time in self.tallies[machine].states.items()}

    def times(self, now_ns: int) -> tuple[TimeModel, ...]:
        """Every machine's time model, in the order of the flow."""
        calendar, planned, _ = self._due(now_ns)
        return tuple(time_model(one.name, self.tallies[one.name], calendar, planned) for one in self.line.machines)

    def bottleneck(self, now_ns: int) -> Bottleneck | None:
        """Which station limits the line in this window."""
        return bottleneck(self.times(now_ns))

    def figures(
        self, now_ns: int, *, closed: bool = False, revision: int = 0, simulated: bool = False
    ) -> tuple[Kpi, ...]:
        """Every figure of every machine and of the line (machine ""), as of now or of the last observation if later."""
        calendar, due, now = self._due(now_ns)
        page = _Page(self.line, self.window, now, closed, revision, simulated)
        whole, takt = self.window.kind == "shift", self.line.takt_s
        for name, tally in ((one.name, self.tallies[one.name]) for one in self.line.machines):
            page.write(name, machine_rates(tally, calendar, due, takt, self.micro_stop, self._has(name), whole=whole))
        tallies = [self.tallies[one.name] for one in self.line.machines]
        summed = Summed(tallies, self.tallies[self.last_station], self.tallies[""])
        page.write("", line_rates(summed, calendar, due, takt, self.micro_stop, self._has(""), whole=whole))
        return tuple(page.rows)

    def _has(self, machine: str) -> frozenset[str]:
        """A machine's counters beyond good and scrap; of the line ("") those of any, and "meter" if it has its own."""
        known = [one.counters for one in self.line.machines if machine in ("", one.name)]
        return frozenset[str]().union(*known, {"meter"} if self.line.metered and not machine else ())

    def copy(self) -> WindowBook:
        """One that stays as it is."""
        tallies = {name: tally.copy() for name, tally in self.tallies.items()}
        return WindowBook(self.line, self.window, self.planned, self.last_station, tallies, self.micro_stop)

    def _due(self, now_ns: int) -> tuple[int, int, int]:
        """Calendar and planned time that is over, as of the moment they are told for."""
        now = max(now_ns, *(tally.until for tally in self.tallies.values()))
        calendar = max(0, min(now, self.window.end) - self.window.start)
        return calendar, self._planned_between(self.window.start, now), now

    def _planned_between(self, start: int, end: int) -> int:
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.planned)


class _Page:
    """Writes the rows of one window as of one moment."""

    def __init__(self, line: Line, window: Window, now: int, closed: bool, revision: int, simulated: bool) -> None:
        self.line, self.window, self.now = line, window, now
        self.closed, self.revision, self.simulated = closed, revision, simulated
        self.rows: list[Kpi] = []

    def write(self, machine: str, rates: Sequence[Rate]) -> None:
        """A rate becomes a row: with unit, target and time."""
        for rate in rates:
            unit = FIGURES[rate.name].unit
            target = self.line.targets.get(rate.name, self.line.takt_s if rate.name == "takt" else None)
            self.rows.append(
                Kpi(
                    rate.name,
                    machine,
                    self.window,
                    float(rate.numerator),
                    float(rate.denominator),
                    unit,
                    _value(rate, unit),
                    rate.low,
                    rate.high,
                    rate.seen.covered / SECOND,
                    rate.seen.expected / SECOND,
                    target,
                    self.now,
                    self.revision,
                    self.closed,
                    self.simulated,
                )
            )


def _value(rate: Rate, unit: str) -> float | None:
    """Of a count the count itself; None where there is nothing to relate it to."""
    if rate.denominator <= 0:
        return None
    if unit in ("parts", "stops"):
        return float(rate.numerator)
    return rate.numerator / rate.denominator * (PER_CENT if unit == "%" else 1.0)
