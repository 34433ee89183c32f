"""Builds schedules operation by operation, many at once: every row of the arrays is a schedule of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.scheduling.problem import Problem, by_start, held

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEVER = np.int64(2**60)
LEAST_WEIGHT = 0.001


@dataclass(frozen=True, slots=True)
class Shop:
    """A problem as arrays: lots J, operations of a route K, alternatives A, stations M, families F (last: unknown).

    Every route ends in an operation that nothing can do, so that a finished lot has a next one too.

    `rest` is the mean run time of a lot's operations after k, `tail` the least time its last pieces need for them,
    `load` a station's open run time, 1 on average; `unit` the mean run time of an operation.
    """

    problem: Problem
    table: Ints  # [4, J * K, A] station, run time, lead time and whether it may be used, by lot and operation
    row: Ints  # [J] where a lot begins in the table
    setup: Ints  # [M, F + 1, F]
    set_up: Ints  # [M] family of now
    family: Ints  # [J]
    release: Ints  # [J]
    due: Ints  # [J]
    weight: Floats  # [J]
    first: Ints  # [J] first operation that is not frozen
    count: Ints  # [J] operations that can be planned
    rest: Floats  # [J, K]
    tail: Floats  # [J, K]
    load: Floats  # [M]
    unit: float
    changeover: float  # mean set-up time between families


@dataclass(slots=True)
class Rows:
    """What has been decided so far, B schedules: per lot the next operation, per station when and how it gets free."""

    next: Ints  # [B, J]
    begun: Ints  # [B, J] when the lot's last decided operation starts
    first_out: Ints  # [B, J] when the first pieces of the lot are there
    last_out: Ints  # [B, J] when the last ones are
    free: Ints  # [B, M]
    family: Ints  # [B, M]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What could come next in each schedule: every open lot's next operation on each alternative, [B, J, A].

    `start` is when set-up would start, `begin` the first piece, `end` the last; NEVER where there is none.
    `active` are those that start before any other could be finished.
    """

    station: Ints
    duration: Ints
    lead: Ints
    setup: Ints
    start: Ints
    begin: Ints
    end: Ints
    active: Bools


Score = Callable[[Shop, Rows, Candidates], Floats]
"""How much each candidate of each row is wanted next, [B, J, A]; -inf for those that must not be taken."""


def shop(problem: Problem) -> Shop:
    """The arrays of a problem; held operations are left out."""
    lots, waiting = problem.lots, held(problem)
    known = {lot.family for lot in lots} | {s.family for s in problem.stations if s.family is not None}
    families = {family: index for index, family in enumerate(sorted(known))}
    count = np.array([sum((lot.order, k) not in waiting for k in range(len(lot.operations))) for lot in lots], np.int64)
    first = {lot.order: 0 for lot in lots}
    for job in problem.frozen:
        first[job.order] = max(first[job.order], job.operation + 1)
    table = _alternatives(problem, count)
    station, duration, lead, eligible = table
    ways = np.maximum(eligible.sum(2), 1)
    run, least, setup = duration.sum(2) / ways, lead.sum(2) / ways, _setups(problem, families)
    return Shop(
        problem=problem,
        table=table.reshape(4, -1, table.shape[3]),
        row=np.arange(len(lots)) * table.shape[2],
        setup=setup,
        set_up=np.array([families.get(s.family or "", len(families)) for s in problem.stations], np.int64),
        family=np.array([families[lot.family] for lot in lots], np.int64),
        release=np.array([lot.release for lot in lots], np.int64),
        due=np.array([lot.due for lot in lots], np.int64),
        weight=np.maximum([lot.weight for lot in lots], LEAST_WEIGHT).astype(np.float64),
        first=np.array([first[lot.order] for lot in lots], np.int64),
        count=count,
        rest=run[:, ::-1].cumsum(1)[:, ::-1] - run,
        tail=least[:, ::-1].cumsum(1)[:, ::-1] - least,
        load=_load(station, eligible, run / ways, len(problem.stations)),
        unit=max(float(run.sum() / max((run > 0).sum(), 1)), 1.0),
        changeover=max(float(setup.sum() / max((setup > 0).sum(), 1)), 1.0),
    )


def _alternatives(problem: Problem, count: Ints) -> Ints:
    """Station, run time, lead time and 1 for each alternative that can be used, [4, J, K, A]; 0 where none."""
    stations = {station.name: index for index, station in enumerate(problem.stations)}
    up = {station.name for station in problem.stations if station.available is not None}
    operations = [operation for lot in problem.lots for operation in lot.operations]
    steps = max((len(lot.operations) for lot in problem.lots), default=0) + 1
    ways = max((len(operation.cycles) for operation in operations), default=1)
    table = np.zeros((4, len(problem.lots), steps, ways), np.int64)
    for j, lot in enumerate(problem.lots):
        for k, operation in enumerate(lot.operations[: count[j]]):
            for a, name in enumerate(operation.cycles):
                if name in up:
                    table[:, j, k, a] = stations[name], lot.duration(k, name), lot.lead(k, name), 1
    return table


def _setups(problem: Problem, families: dict[str, int]) -> Ints:
    setup = np.zeros((len(problem.stations), len(families) + 1, max(len(families), 1)), np.int64)
    for m, station in enumerate(problem.stations):
        for to, t in families.items():
            setup[m, -1, t] = station.setup(None, to)
            for before, f in families.items():
                setup[m, f, t] = station.setup(before, to)
    return setup


def _load(station: Ints, eligible: Ints, share: Floats, stations: int) -> Floats:
    load = np.bincount(station.ravel(), (eligible * share[:, :, None]).ravel(), stations).astype(np.float64)
    return load / max(float(load.sum()) / max(stations, 1), 1.0)


def start(of: Shop, rows: int) -> Rows:
    """B equal schedules that hold what is frozen and nothing else."""
    problem = of.problem
    index = {lot.order: j for j, lot in enumerate(problem.lots)}
    names = {station.name: m for m, station in enumerate(problem.stations)}
    first_out, last_out = of.release.copy(), np.full(len(problem.lots), -NEVER)
    begun = last_out.copy()
    free = np.array([NEVER if s.available is None else s.available for s in problem.stations], np.int64)
    family = of.set_up.copy()
    for job in by_start(problem.frozen):
        j, m = index[job.order], names[job.station]
        free[m], family[m] = max(free[m], job.end), of.family[j]
        if job.operation == of.first[j] - 1:
            lot = problem.lots[j]
            first_out[j] = max(lot.release, job.begin + lot.lead(job.operation, job.station))
            begun[j], last_out[j] = job.start, job.end
    columns = (of.first, begun, first_out, last_out, free, family)
    return Rows(*(np.repeat(column[None], rows, 0) for column in columns))


def candidates(of: Shop, rows: Rows) -> Candidates:
    """What could come next in each row."""
    station, duration, lead, usable = of.table.take(rows.next + of.row, axis=1)
    stations, states, families = of.setup.shape
    here = station + np.arange(0, rows.free.size, stations)[:, None, None]
    setup = of.setup.take((station * states + rows.family.take(here)) * families + of.family[:, None])
    ready = np.maximum(rows.first_out[:, :, None], rows.last_out[:, :, None] + lead - duration)
    begin = np.maximum(np.maximum(rows.free.take(here), rows.begun[:, :, None]) + setup, ready)
    is_open = usable > 0
    begin = np.where(is_open, begin, NEVER)
    start, end = begin - setup, begin + duration
    active = is_open & (start < end.min((1, 2), keepdims=True))
    return Candidates(station, duration, lead, setup, start, begin, end, active)


def place(of: Shop, rows: Rows, among: Candidates, choice: Ints) -> None:
    """Adds each row's chosen candidate to its schedule, in place."""
    _, lots, ways = among.start.shape
    row = np.arange(len(choice))
    lot = choice // ways
    taken = row * lots * ways + choice
    cell = row * lots + lot
    here = row * rows.free.shape[1] + among.station.take(taken)
    begin, end = among.begin.take(taken), among.end.take(taken)
    rows.first_out.reshape(-1)[cell] = begin + among.lead.take(taken)
    rows.begun.reshape(-1)[cell] = among.start.take(taken)
    rows.last_out.reshape(-1)[cell] = end
    rows.free.reshape(-1)[here] = end
    rows.family.reshape(-1)[here] = of.family[lot]
    rows.next.reshape(-1)[cell] += 1


@dataclass(frozen=True, slots=True)
class Step:
    """A decision in every row: what could be taken, how much it was wanted, what was taken (into J * A).

    `next` is each lot's next operation then, [B, J].
    """

    among: Candidates
    scores: Floats
    choice: Ints
    next: Ints


@dataclass(frozen=True, slots=True)
class Rollout:
    """B finished schedules: the decisions in order, and how the rows stand at the end."""

    steps: tuple[Step, ...]
    rows: Rows


def rollout(of: Shop, rows: int, score: Score) -> Rollout:
    """B finished schedules: at every step each row takes its most wanted candidate."""
    at, steps = start(of, rows), []
    for _ in range(int((of.count - of.first).clip(min=0).sum())):
        among = candidates(of, at)
        scores = score(of, at, among)
        choice = scores.reshape(rows, -1).argmax(1)
        steps.append(Step(among, scores, choice, at.next.copy()))
        place(of, at, among, choice)
    return Rollout(tuple(steps), at)


def worths(of: Shop, built: Rollout) -> tuple[Floats, Ints, Ints]:
    """Weighted tardiness, set-up and end of what each row adds to the frozen jobs."""
    rows = np.arange(len(built.rows.next))
    late = np.maximum(built.rows.last_out - of.due, 0) @ of.weight
    setup, end = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for step in built.steps:
        key = (rows, *np.divmod(step.choice, step.among.start.shape[2]))
        setup += step.among.setup[key]
        end = np.maximum(end, step.among.end[key])
    return late, setup, end
