"""Why machines stood: stops by reason, longest first. Pure; times in ns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from agent.model import SECOND, UNKNOWN, Cause, Machine, MachineState

Spans = Sequence[tuple[int, int]]


class Reasoned(NamedTuple):
    """A machine stood from start to end for this reason, None where nobody told one; `word` is its state's."""

    machine: str
    reason: str | None
    start: int
    end: int
    word: str = Cause.STOPPED.value


@dataclass(frozen=True, slots=True)
class Row:
    """One reason's part of the time stood; `cumulative` is its share with all rows above it, 0..1."""

    word: str
    reason: str | None
    stops: int
    seconds: float
    longest: float
    share: float
    cumulative: float
    machines: Mapping[str, float]


def stopped(machine: Machine, states: Iterable[tuple[int, MachineState]], until: int) -> list[Reasoned]:
    """The stops among a machine's states, each from its time to the next one's, the last to `until`.

    The reason is the stop code's word, the code itself where the line file has no word for it.
    """
    told = [*states, (until, UNKNOWN)]
    return [
        Reasoned(machine.name, _reason(machine, state.reason), start, end)
        for (start, state), (end, _) in pairwise(told)
        if state.cause is Cause.STOPPED and start < end
    ]


def _reason(machine: Machine, code: int | None) -> str | None:
    return None if code is None else machine.stop_reasons.get(code, str(code))


def pareto(spans: Iterable[Reasoned], planned: Spans) -> tuple[Row, ...]:
    """Rows by falling seconds; only time in `planned` counts, which is disjoint and in order.

    Spans of one machine, state and reason that meet are one stop: a state told again is no second one, nor is a stop
    that a break interrupts. Of the same time told twice each instant counts once. Rows of equal seconds are in the
    order of their words and reasons, None last.
    """
    stops = [(stop, time) for stop in _merged(spans) if (time := within(planned, stop.start, stop.end))]
    total = sum(time for _, time in stops)
    groups: dict[tuple[str, str | None], list[tuple[Reasoned, int]]] = {}
    for stop, time in stops:
        groups.setdefault((stop.word, stop.reason), []).append((stop, time))
    times = {key: sum(time for _, time in group) for key, group in groups.items()}
    rows, passed = [], 0
    for key in sorted(groups, key=lambda one: (-times[one], one[0], one[1] is None, one[1] or "")):
        passed += times[key]
        rows.append(_row(key, groups[key], times[key] / total, passed / total))
    return tuple(rows)


def within(spans: Spans, start: int, end: int) -> int:
    """How much of [start, end) lies in the spans."""
    return sum(max(0, min(end, b) - max(start, a)) for a, b in spans)


def plain(row: Row) -> dict[str, Any]:
    """A row as JSON."""
    return {
        "word": row.word,
        "reason": row.reason,
        "stops": row.stops,
        "seconds": row.seconds,
        "longest_s": row.longest,
        "share": row.share,
        "cumulative": row.cumulative,
        "machines": dict(row.machines),
    }


def _row(key: tuple[str, str | None], stops: list[tuple[Reasoned, int]], share: float, cumulative: float) -> Row:
    machines: dict[str, int] = {}
    for stop, time in stops:
        machines[stop.machine] = machines.get(stop.machine, 0) + time
    longest = max(time for _, time in stops)
    seconds = {name: time / SECOND for name, time in sorted(machines.items())}
    return Row(*key, len(stops), sum(machines.values()) / SECOND, longest / SECOND, share, cumulative, seconds)


def _merged(spans: Iterable[Reasoned]) -> list[Reasoned]:
    """Each machine's stops in order, disjoint, one where two of a state and reason meet."""
    stops: list[Reasoned] = []
    for span in sorted(spans, key=lambda one: (one.machine, one.start, one.end)):
        last = stops[-1] if stops and stops[-1].machine == span.machine else None
        start = max(span.start, last.end) if last else span.start
        if span.end <= start:
            continue
        if last and (last.word, last.reason, last.end) == (span.word, span.reason, start):
            stops[-1] = last._replace(end=span.end)
        else:
            stops.append(span._replace(start=start))
    return stops
