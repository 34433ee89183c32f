"""What is to be scheduled and what was decided: stations, lots, jobs. Pure; integer milliseconds from now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.model import SECOND, Job, Plan

MS = SECOND // 1000


@dataclass(frozen=True, slots=True)
class Station:
    """A machine as the schedule sees it.

    It can take work from `available` on; None while nobody knows when. `family` is what it is set up for,
    None where that is not known. Between families it needs `changeover`, or what `changeovers` says of (from, to).
    """

    name: str
    available: int | None = 0
    family: str | None = None
    changeover: int = 0
    changeovers: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def setup(self, before: str | None, family: str) -> int:
        """Set-up time from family `before` to `family`; an unknown state costs a whole changeover."""
        if before == family:
            return 0
        return self.changeovers.get((before or "", family), self.changeover)


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a lot's route: cycle time a piece on each station that can do it."""

    cycles: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Lot:
    """An order on its way: `quantity` pieces through `operations` in order, due at `due`.

    Pieces are handed on to the next operation `transfer` at a time; `transfer` = `quantity` moves whole lots.
    Nobody sets up for an operation before the one it follows has started.
    """

    order: str
    product: str
    family: str
    quantity: int
    transfer: int
    release: int
    due: int
    weight: float
    operations: tuple[Operation, ...]

    def duration(self, operation: int, station: str) -> int:
        """Run time of an operation on a station, without set-up."""
        return self.operations[operation].cycles[station] * self.quantity

    def lead(self, operation: int, station: str) -> int:
        """Time one transfer of pieces takes through an operation on a station."""
        return self.operations[operation].cycles[station] * min(self.transfer, self.quantity)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One operation of an order on a station: set-up from `start`, then pieces until `end`.

    `order` and `operation` (its place in the route, from 0) are its key.
    """

    order: str
    operation: int
    station: str
    start: int
    setup: int
    end: int
    reason: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def begin(self) -> int:
        """When the first piece starts."""
        return self.start + self.setup


@dataclass(frozen=True, slots=True)
class Problem:
    """Stations and lots; `frozen` holds what is running or about to start and must stay where it is.

    Frozen operations are the first of their lot's route and come before anything else on their station.
    """

    stations: tuple[Station, ...]
    lots: tuple[Lot, ...]
    frozen: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Worth:
    """How good a schedule is; less is better, compared in this order."""

    tardiness: float
    setup: int
    makespan: int

    def __lt__(self, other: Worth) -> bool:
        return (self.tardiness, self.setup, self.makespan) < (other.tardiness, other.setup, other.makespan)


Schedule = tuple[Assignment, ...]


def held(problem: Problem) -> set[tuple[str, int]]:
    """Operations that cannot be planned: no eligible station is available, or an earlier one of the lot is held."""
    available = {station.name for station in problem.stations if station.available is not None}
    frozen = {(job.order, job.operation) for job in problem.frozen}
    waiting = set()
    for lot in problem.lots:
        stuck = False
        for number, operation in enumerate(lot.operations):
            stuck = stuck or ((lot.order, number) not in frozen and not available & operation.cycles.keys())
            if stuck:
                waiting.add((lot.order, number))
    return waiting


def tardiness(problem: Problem, schedule: Schedule) -> dict[str, int]:
    """How late each lot's last planned operation ends, 0 where in time."""
    ends: dict[str, int] = {}
    for job in schedule:
        ends[job.order] = max(job.end, ends.get(job.order, 0))
    return {lot.order: max(0, ends[lot.order] - lot.due) for lot in problem.lots if lot.order in ends}


def worth(problem: Problem, schedule: Schedule) -> Worth:
    """Weighted tardiness, set-up and end of a schedule."""
    weights = {lot.order: lot.weight for lot in problem.lots}
    late = sum(weights[order] * by for order, by in tardiness(problem, schedule).items())
    return Worth(late, sum(job.setup for job in schedule), max((job.end for job in schedule), default=0))


def setup_share(schedule: Schedule) -> float:
    """Share of the planned station time that goes into set-up, 0..1."""
    planned = sum(job.end - job.start for job in schedule)
    return sum(job.setup for job in schedule) / planned if planned else 0.0


def to_plan(problem: Problem, schedule: Schedule, now: int, rung: str, model: str | None) -> Plan:
    """The advice to publish; `now` is the plant time that the problem's 0 stands for, ns."""
    lots = {lot.order: lot for lot in problem.lots}
    jobs = tuple(
        Job(
            order=job.order,
            product=lots[job.order].product,
            operation=job.operation,
            machine=job.station,
            start=now + job.start * MS,
            end=now + job.end * MS,
            setup_s=job.setup / 1000,
            quantity=lots[job.order].quantity,
            reason=job.reason,
        )
        for job in by_start(schedule)
    )
    late = sum(by > 0 for by in tardiness(problem, schedule).values())
    return Plan(jobs, rung, model, now, late, setup_share(schedule))


def by_start(schedule: Sequence[Assignment]) -> list[Assignment]:
    """Assignments in order of start, of the route where they start together."""
    return sorted(schedule, key=lambda job: (job.start, job.operation, job.station))
