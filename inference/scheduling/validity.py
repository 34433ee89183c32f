"""Whether a schedule may be published, judged from the problem alone. Pure; shares no code with any scheduler.

What is frozen is given: it is checked for having stayed where it is, the rest is checked against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from inference.scheduling.problem import Assignment, Lot, Problem, Station

Keys = set[tuple[str, int]]


def violations(problem: Problem, schedule: Sequence[Assignment]) -> list[str]:
    """What is wrong with a schedule, in words; empty where it may be published."""
    lots = {lot.order: lot for lot in problem.lots}
    stations = {station.name: station for station in problem.stations}
    kept = {(job.order, job.operation) for job in problem.frozen}
    strangers = [*_strangers(lots, stations, schedule)]
    if strangers:
        return strangers
    return [
        *_missing_or_twice(problem, schedule),
        *_wrong_times(lots, stations, kept, schedule),
        *_route_order(lots, kept, schedule),
        *_station_order(lots, stations, kept, schedule),
        *_moved(problem, schedule),
    ]


def _name(job: Assignment) -> str:
    return f"{job.order} operation {job.operation} on {job.station}"


def _strangers(lots: dict[str, Lot], stations: dict[str, Station], schedule: Sequence[Assignment]) -> Iterator[str]:
    for job in schedule:
        if job.order not in lots:
            yield f"{_name(job)}: no such order"
        elif not 0 <= job.operation < len(lots[job.order].operations):
            yield f"{_name(job)}: no such operation"
        elif job.station not in stations or job.station not in lots[job.order].operations[job.operation].cycles:
            yield f"{_name(job)}: the station cannot do it"


def _missing_or_twice(problem: Problem, schedule: Sequence[Assignment]) -> Iterator[str]:
    planned = Counter((job.order, job.operation) for job in schedule)
    kept = {(job.order, job.operation) for job in problem.frozen}
    up = {station.name for station in problem.stations if station.available is not None}
    for lot in problem.lots:
        reachable = True
        for number, operation in enumerate(lot.operations):
            reachable = reachable and ((lot.order, number) in kept or not up.isdisjoint(operation.cycles))
            times = planned[lot.order, number]
            if times != int(reachable):
                must = "must be planned once" if reachable else "waits for a station nobody can promise"
                yield f"{lot.order} operation {number} is planned {times} times and {must}"


def _wrong_times(
    lots: dict[str, Lot], stations: dict[str, Station], kept: Keys, schedule: Sequence[Assignment]
) -> Iterator[str]:
    for job in schedule:
        if (job.order, job.operation) in kept:
            continue
        lot, opens = lots[job.order], stations[job.station].available
        needs = lot.operations[job.operation].cycles[job.station] * lot.quantity
        if job.end - job.start - job.setup != needs:
            yield f"{_name(job)}: {lot.quantity} pieces take {needs} ms, not {job.end - job.start - job.setup}"
        if job.start + job.setup < lot.release:
            yield f"{_name(job)}: begins before the order is released"
        if opens is None or job.start < opens:
            yield f"{_name(job)}: the station is not available then"


def _route_order(lots: dict[str, Lot], kept: Keys, schedule: Sequence[Assignment]) -> Iterator[str]:
    """Pieces must have come out of one operation before the next takes them, the last ones too."""
    where = {(job.order, job.operation): job for job in schedule}
    for job in schedule:
        before = where.get((job.order, job.operation - 1))
        lot = lots[job.order]
        if job.operation == 0 or (job.order, job.operation) in kept:
            continue
        if before is None:
            yield f"{_name(job)}: the operation before it is not planned"
            continue
        handed = min(lot.transfer, lot.quantity)
        first = before.start + before.setup + handed * lot.operations[before.operation].cycles[before.station]
        last = before.end + handed * lot.operations[job.operation].cycles[job.station]
        if job.start < before.start:
            yield f"{_name(job)}: sets up before operation {before.operation} has started"
        if job.start + job.setup < first:
            yield f"{_name(job)}: begins before pieces come from operation {before.operation}"
        if job.end < last:
            yield f"{_name(job)}: ends before the last pieces from operation {before.operation} can be through"


def _station_order(
    lots: dict[str, Lot], stations: dict[str, Station], kept: Keys, schedule: Sequence[Assignment]
) -> Iterator[str]:
    ordered = sorted(schedule, key=lambda job: (job.station, job.start, job.end))
    for name, jobs in groupby(ordered, key=lambda job: job.station):
        family = stations[name].family
        before: Assignment | None = None
        for job in jobs:
            given = (job.order, job.operation) in kept
            needs = stations[name].setup(family, lots[job.order].family)
            if before is not None and given and (before.order, before.operation) not in kept:
                yield f"{_name(before)}: goes before the frozen {_name(job)}"
            if before is not None and not given and job.start < before.end:
                yield f"{_name(job)}: overlaps {_name(before)}"
            if not given and job.setup != needs:
                yield f"{_name(job)}: set-up is {job.setup} ms and must be {needs} ms"
            family, before = lots[job.order].family, job


def _moved(problem: Problem, schedule: Sequence[Assignment]) -> Iterator[str]:
    where = {(job.order, job.operation): job for job in schedule}
    for job in problem.frozen:
        now = where.get((job.order, job.operation))
        if now is not None and now != job:
            yield f"{_name(job)}: is frozen and was moved"
