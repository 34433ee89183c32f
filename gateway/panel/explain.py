"""A figure taken apart again: the records it is the sum of, with what each of them adds. Pure.

Computed from the ledger's records alone, beside the books that made the figure: the two sums are
compared, and the page says whether they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod

from agent.model import Kpi, Line
from gateway.panel.entries import Facts, Row, counts, due, states, stop_row, verdicts

NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class Account:
    """The rows of a figure, and what they sum up to."""

    rows: tuple[Row, ...]
    numerator: float
    denominator: float

    def agrees(self, figure: Kpi) -> bool:
        """Whether the records give what the figure says."""
        return _near(self.numerator, figure.numerator) and _near(self.denominator, figure.denominator)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A figure, its facts, the machines it is of, and the station that its parts leave."""

    figure: Kpi
    facts: Facts
    takt_s: float
    machines: Sequence[str]
    last: str
    metered: bool

    def states(self, above: str | None, names: Sequence[str] | None = None, *, below: bool = True) -> list[Row]:
        """Seconds of every machine's states, or of `names`."""
        of = self.machines if names is None else names
        return [row for name in of for row in states(name, self.figure, self.facts, above, below=below)]

    def counts(self, above: str, below: str, *, of: Sequence[str], late: bool = True, each: float = 1.0) -> list[Row]:
        """Parts of the machines `of`."""
        found = (counts(name, self.figure, self.facts, above, below, late=late, each=each) for name in of)
        return [row for rows in found for row in rows]


def account(line: Line, figure: Kpi, facts: Facts) -> Account:
    """Every record that has a part in the figure, none left out."""
    names = [machine.name for machine in line.machines]
    machines = [figure.machine] if figure.machine else names
    asked = _Asked(figure, facts, line.takt_s, machines, figure.machine or names[-1], line.metered)
    if figure.name == "rolled_throughput_yield":
        return _rolled(asked)
    rows = RECIPES[figure.name](asked)
    above = sum(row.amount * row.each for row in rows if row.numerator)
    return Account(tuple(rows), above, sum(row.amount for row in rows if row.denominator))


def _calendar(asked: _Asked) -> list[Row]:
    """Breaks count like all other time."""
    window = asked.figure.window
    whole = replace(asked.facts, planned=((window.start, window.end),))
    return replace(asked, facts=whole).states("executing")


def _takt(asked: _Asked) -> list[Row]:
    seen = asked.states(None, [asked.last], below=False)
    return seen + asked.counts("", "good scrap", of=[asked.last], late=False)


def _judged(asked: _Asked, above: str) -> list[Row]:
    """Over the good parts of the last station and the scrap of all."""
    others = [name for name in asked.machines if name != asked.last]
    scrap = above if above == "scrap" else ""
    return asked.counts(above, "good scrap", of=[asked.last]) + asked.counts(scrap, "scrap", of=others)


def _first_pass(asked: _Asked) -> list[Row]:
    """What was mended was not good at once."""
    return _judged(asked, "good") + asked.counts("rework", "", of=asked.machines, each=-1.0)


def _rework(asked: _Asked) -> list[Row]:
    return _judged(asked, "") + asked.counts("rework", "", of=asked.machines)


def _wip(asked: _Asked) -> list[Row]:
    """What the first station let through, less what the last did and what was scrapped behind the first."""
    first, *behind = asked.machines
    left = asked.counts("good", "", of=[asked.last], each=-1.0) + asked.counts("scrap", "", of=behind, each=-1.0)
    return [*asked.counts("good", "", of=[first]), *left, due(asked.figure, asked.facts, asked.takt_s)]


def _energy(asked: _Asked) -> list[Row]:
    of = [""] if asked.metered and not asked.figure.machine else asked.machines
    return asked.counts("energy", "", of=of) + asked.counts("", "good", of=[asked.last])


def _effectiveness(asked: _Asked) -> list[Row]:
    made = asked.counts("good scrap", "", of=[asked.last], late=False, each=asked.takt_s)
    time = asked.states("executing", [asked.last], below=False)
    return made + [replace(row, numerator=False, denominator=row.numerator) for row in time]


def _oee(asked: _Asked) -> list[Row]:
    made = asked.counts("good", "", of=[asked.last], late=False, each=asked.takt_s)
    return made + [replace(row, numerator=False) for row in asked.states(None, [asked.last])]


def _quantity(asked: _Asked, counter: str) -> list[Row]:
    of = [asked.last] if counter == "good" else asked.machines
    return [*asked.counts(counter, "", of=of), due(asked.figure, asked.facts, asked.takt_s)]


def _verdicts(asked: _Asked, word: str) -> list[Row]:
    return [row for name in asked.machines for row in verdicts(name, asked.figure, asked.facts, word)]


def _per_stop(asked: _Asked, word: str) -> list[Row]:
    stops = [row for name in asked.machines for row in stop_row(name, asked.figure, asked.facts, micro=False)]
    return asked.states(word, below=False) + stops


def _micro_stops(asked: _Asked) -> list[Row]:
    stops = [row for name in asked.machines for row in stop_row(name, asked.figure, asked.facts, micro=True)]
    return [replace(row, numerator=False) for row in asked.states(None)] + stops


def _rolled(asked: _Asked) -> Account:
    """No sum: the product of the stations' yields, of those that counted parts, times what the first of them judged."""
    rows = asked.counts("good", "good scrap", of=asked.machines)
    rows += asked.counts("rework", "", of=asked.machines, each=-1.0)
    judged: dict[str, tuple[float, float]] = {}
    for row in rows:
        good, made = judged.get(row.machine, (0.0, 0.0))
        first = row.amount * row.each if row.numerator else 0.0
        judged[row.machine] = good + first, made + (row.amount if row.denominator else 0.0)
    counted = [one for one in judged.values() if one[1] > 0]
    entered = counted[0][1] if counted else 0.0
    return Account(tuple(rows), prod(good / made for good, made in counted) * entered, entered)


RECIPES: Mapping[str, Callable[[_Asked], list[Row]]] = {
    "utilization": lambda asked: asked.states("executing"),
    "utilization_calendar": _calendar,
    "availability": lambda asked: asked.states("executing", [asked.last]),
    "changeover_ratio": lambda asked: asked.states("changeover"),
    "starved_ratio": lambda asked: asked.states("starved"),
    "blocked_ratio": lambda asked: asked.states("blocked"),
    "takt": _takt,
    "first_pass_yield": _first_pass,
    "scrap_ratio": partial(_judged, above="scrap"),
    "rework_ratio": _rework,
    "wip_change": _wip,
    "energy_per_part": _energy,
    "good": partial(_quantity, counter="good"),
    "scrap": partial(_quantity, counter="scrap"),
    "inspection_pass": partial(_verdicts, word="PASS"),
    "inspection_reject": partial(_verdicts, word="REJECT"),
    "inspection_ask": partial(_verdicts, word="ASK"),
    "effectiveness": _effectiveness,
    "quality_ratio": lambda asked: asked.counts("good", "good scrap", of=[asked.last], late=False),
    "oee": _oee,
    "mtbf": partial(_per_stop, word="executing"),
    "mttr": partial(_per_stop, word="stopped"),
    "micro_stops": _micro_stops,
}


def _near(one: float, other: float) -> bool:
    return abs(one - other) < NEAR * max(1.0, abs(other))
