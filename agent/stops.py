"""Why machines stood: stops by reason, longest first. Pure; times in ns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from agent.model import SECOND, UNKNOWN, Cause, Machine, MachineState, Window


class Reasoned(NamedTuple):
    """A machine was STOPPED from start to end for this reason; None where the PLC told none."""

    machine: str
    reason: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Row:
    """One reason's part of the stopped time in a window; `cumulative` is its share with all rows above it, 0..1."""

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


def pareto(spans: Iterable[Reasoned], window: Window) -> tuple[Row, ...]:
    """Rows by falling seconds; what lies outside the window is cut off.

    Spans of one machine and reason that meet are one stop: a state told again is no second one. Of the same time
    told twice each instant counts once. Rows of equal seconds are in the order of their reasons, None last.
    """
    stops = _merged(spans, window)
    total = sum(stop.end - stop.start for stop in stops)
    groups: dict[str | None, list[Reasoned]] = {}
    for stop in stops:
        groups.setdefault(stop.reason, []).append(stop)
    times = {reason: sum(one.end - one.start for one in group) for reason, group in groups.items()}
    rows, passed = [], 0
    for reason in sorted(groups, key=lambda one: (-times[one], one is None, one or "")):
        passed += times[reason]
        rows.append(_row(reason, groups[reason], times[reason] / total, passed / total))
    return tuple(rows)


def plain(row: Row) -> dict[str, Any]:
    """A row as JSON."""
    return {
        "reason": row.reason,
        "stops": row.stops,
        "seconds": row.seconds,
        "longest_s": row.longest,
        "share": row.share,
        "cumulative": row.cumulative,
        "machines": dict(row.machines),
    }


def _row(reason: str | None, stops: list[Reasoned], share: float, cumulative: float) -> Row:
    machines: dict[str, int] = {}
    for stop in stops:
        machines[stop.machine] = machines.get(stop.machine, 0) + stop.end - stop.start
    longest = max(stop.end - stop.start for stop in stops)
    seconds = {name: time / SECOND for name, time in sorted(machines.items())}
    return Row(reason, len(stops), sum(machines.values()) / SECOND, longest / SECOND, share, cumulative, seconds)


def _merged(spans: Iterable[Reasoned], window: Window) -> list[Reasoned]:
    """Each machine's stops in order, cut to the window, disjoint, one where two of a reason meet."""
    stops: list[Reasoned] = []
    for span in sorted(spans, key=lambda one: (one.machine, one.start, one.end)):
        last = stops[-1] if stops and stops[-1].machine == span.machine else None
        start, end = max(span.start, window.start, last.end if last else 0), min(span.end, window.end)
        if end <= start:
            continue
        if last and last.reason == span.reason and last.end == start:
            stops[-1] = last._replace(end=end)
        else:
            stops.append(Reasoned(span.machine, span.reason, start, end))
    return stops
