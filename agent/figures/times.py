"""The time model of a machine in a window: which second is what, each once.

    calendar = planned + unplanned               the window so far; unplanned are breaks and time outside all shifts
    planned  = observed + unknown                unknown: nobody looked, it is in no state
    observed = busy + idle + out of service      each observed second in exactly one state
    busy     = productive + changeover + stopped + starved + blocked

After ISO 22400-2: planned is the planned busy time (PBT) as far as it is over, busy the actual unit busy time
(AUBT), productive the actual production time (APT). Pure; times in ns, the model in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from agent.model import SECOND, Cause, State, TimeModel

EXECUTING = State.EXECUTING.value.lower()
STOPPED, CHANGEOVER = Cause.STOPPED.value, Cause.CHANGEOVER.value
STARVED, BLOCKED = Cause.STARVED.value, Cause.BLOCKED.value
Counter = Literal["good", "scrap", "rework", "energy"]
BUSY = (EXECUTING, CHANGEOVER, STOPPED, STARVED, BLOCKED)


class Stop(NamedTuple):
    """An uninterrupted observed time STOPPED, whatever its stop codes; `planned` is the planned part of it.

    `whole`: its beginning was seen. `over`: its end was.
    """

    start: int
    end: int
    planned: int
    whole: bool
    over: bool = False


@dataclass(slots=True)
class Tally:
    """What one machine gave a window: ns by state word, parts, verdicts. Plain data: kept and restored as it is.

    `states` is planned time, `unplanned` the rest. `late` parts, of good and scrap, were made in time nobody
    observed, `late_scrap` those of scrap; `rework` are those of good that were mended, `energy` is Wh. `until` is the
    end of the time observed and `last` the state it ended in.
    """

    states: dict[str, int] = field(default_factory=dict)
    unplanned: dict[str, int] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)
    good: int = 0
    scrap: int = 0
    late: int = 0
    late_scrap: int = 0
    rework: int = 0
    energy: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    until: int = 0
    last: str = ""

    @property
    def observed(self) -> int:
        """Observed planned time."""
        return sum(self.states.values())

    @property
    def observed_calendar(self) -> int:
        """All observed time."""
        return self.observed + sum(self.unplanned.values())

    @property
    def failures(self) -> int:
        """Stops that took planned time; one that goes on counts."""
        return sum(stop.planned > 0 for stop in self.stops)

    def micro_stops(self, threshold: int) -> int:
        """Stops of less planned time than `threshold` (ns), seen from their beginning to their end."""
        return sum(stop.whole and stop.over and 0 < stop.planned < threshold for stop in self.stops)

    @property
    def judged(self) -> int:
        """Good and scrap parts."""
        return self.good + self.scrap

    @property
    def first(self) -> int:
        """Parts that were good at once."""
        return self.good - self.rework

    def count(self, counter: Counter, delta: int, *, late: bool) -> None:
        """Add parts, or Wh of energy."""
        match counter:
            case "good":
                self.good += delta
            case "scrap":
                self.scrap += delta
                self.late_scrap += delta if late else 0
            case "rework":
                self.rework += delta
                return
            case "energy":
                self.energy += delta
                return
        self.late += delta if late else 0

    def of(self, word: str) -> int:
        """Planned time in a state."""
        return self.states.get(word, 0)

    def add(self, word: str, start: int, end: int, planned: int) -> None:
        """Add observed time in one state, `planned` of it planned; `start` is not before `until`."""
        for times, part in ((self.states, planned), (self.unplanned, end - start - planned)):
            if part:
                times[word] = times.get(word, 0) + part
        joined = start == self.until
        if joined and self.last == STOPPED:
            stop = self.stops[-1]
            goes_on = word == STOPPED
            more = stop._replace(end=end, planned=stop.planned + planned)
            self.stops[-1] = more if goes_on else stop._replace(over=True)
        elif word == STOPPED:
            self.stops.append(Stop(start, end, planned, joined))
        self.until, self.last = end, word

    def copy(self) -> Tally:
        """One that stays as it is."""
        return replace(
            self,
            states=dict(self.states),
            unplanned=dict(self.unplanned),
            stops=list(self.stops),
            verdicts=dict(self.verdicts),
        )


def time_model(machine: str, tally: Tally, calendar: int, planned: int) -> TimeModel:
    """The seconds of a tally, in a window of which `calendar` and `planned` ns are over."""
    observed = tally.observed
    return TimeModel(
        machine,
        calendar / SECOND,
        planned / SECOND,
        observed / SECOND,
        sum(tally.of(word) for word in BUSY) / SECOND,
        tally.of(EXECUTING) / SECOND,
        (planned - observed) / SECOND,
        {word: time / SECOND for word, time in tally.states.items()},
    )


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The station that limits the line, with its share of time spent waiting and by how much the next waits more."""

    machine: str
    waiting: float
    margin: float | None


def bottleneck(times: Sequence[TimeModel]) -> Bottleneck | None:
    """The station that waits least for the others: STARVED + BLOCKED over its observed planned time.

    A limiting station has always a part to work on and room to put it; all others wait for it sooner or later.
    Of two alike the one earlier in the flow. None while nobody was seen waiting: then no station limits the
    others. A machine that was not observed cannot be named, and may be the one: look at the coverage.
    """
    seen = [one for one in times if one.observed > 0]
    waits = [(one.states.get(STARVED, 0.0) + one.states.get(BLOCKED, 0.0)) / one.observed for one in seen]
    if not any(waits):
        return None
    least = min(range(len(seen)), key=waits.__getitem__)
    others = waits[:least] + waits[least + 1 :]
    return Bottleneck(seen[least].machine, waits[least], min(others) - waits[least] if others else None)
