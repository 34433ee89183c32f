"""A schedule over time: what has begun, what stays put, and whether a new proposal is worth the unrest. Pure.

Times of a `Floor` are milliseconds from its own `time`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from inference.scheduling.ladder import Proposal, propose
from inference.scheduling.policy import Model
from inference.scheduling.problem import MS, Assignment, Problem, Schedule, Worth, by_start, worth
from inference.scheduling.validity import violations

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Floor:
    """What was published last and how it goes: `begun` holds the jobs under way or done, as they really run.

    `stopped` are the stations that stood still from `time` on; `time` is plant time, ns.
    """

    time: int
    published: Schedule = ()
    begun: Mapping[Key, Assignment] = field(default_factory=dict)
    stopped: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Terms:
    """How restless plans may be, milliseconds: nothing within `frozen` moves, smaller gains than `gain` are let go.

    `repair` is what a stop is expected to take from now on, as long as it lasts.
    """

    frozen: int
    gain: int
    repair: int


def advance(floor: Floor, time: int, stopped: Set[str]) -> Floor:
    """The floor at a later time: stops have delayed what was running, and what was due has begun.

    Nothing begins on a station that was stopped or is not done, nor before the operation it follows.
    A station that nobody sees is taken to go on as planned.
    """
    passed = max(0, time - floor.time) // MS
    begun = {
        key: _moved(job, -passed, passed if job.station in floor.stopped and job.end > 0 else 0)
        for key, job in floor.begun.items()
    }
    published = tuple(_moved(job, -passed) for job in floor.published)
    for job in by_start(published):
        follows = job.operation == 0 or (job.order, job.operation - 1) in begun
        taken = any(other.station == job.station and other.end > 0 for other in begun.values())
        if job.start < 0 and follows and not taken and job.station not in floor.stopped:
            begun.setdefault(_key(job), job)
    return Floor(floor.time + passed * MS, published, begun, frozenset(stopped))


def replan(
    problem: Problem, floor: Floor, terms: Terms, model: Model | None, expired: Callable[[], bool]
) -> Proposal | None:
    """A proposal for the problem, None where what is published still holds and no worthwhile gain is in sight.

    What was planned on a station that nobody sees stays while the published plan holds; nothing new is planned there,
    and nothing at all once the plan no longer holds.
    """
    fits = _fitting(problem, floor)
    published = tuple(job for job in floor.published if job.order in fits)
    under_way = tuple(_expected(floor, job, published, terms) for job in floor.begun.values() if job.order in fits)
    unseen = {station.name for station in problem.stations if station.available is None}
    waiting = tuple(job for job in published if _key(job) not in floor.begun)
    pinned = _before(waiting, [job for job in waiting if job.station in unseen])
    base = replace(problem, frozen=under_way + pinned)
    planned = {job.order for job in published}
    holds = not violations(replace(base, lots=tuple(lot for lot in problem.lots if lot.order in planned)), published)
    near = _before(waiting, [job for job in waiting if job.start < terms.frozen or job in pinned])
    proposal = propose(replace(problem, frozen=under_way + near if holds else under_way), model, expired)
    alive = {job.order for job in floor.published if job.end > 0}
    alike = alive <= planned == {job.order for job in proposal.schedule}
    if holds and alike and not _gains(proposal.worth, worth(base, published), terms.gain):
        return None
    return proposal


def _fitting(problem: Problem, floor: Floor) -> set[str]:
    """Orders whose published and begun jobs are still what the problem asks for."""
    routes = {lot.order: lot.operations for lot in problem.lots}
    misfits = {
        job.order
        for job in (*floor.published, *floor.begun.values())
        if job.order not in routes
        or job.operation >= len(routes[job.order])
        or job.station not in routes[job.order][job.operation].cycles
    }
    return routes.keys() - misfits


def _before(waiting: Schedule, these: Iterable[Assignment]) -> Schedule:
    """These jobs with all that must come before them, by route and by station."""
    kept = {_key(job): job for job in these}
    grown = -1
    while grown != len(kept):
        grown = len(kept)
        for job in waiting:
            if any(
                (job.order == other.order and job.operation < other.operation)
                or (job.station == other.station and job.start < other.start)
                for other in kept.values()
            ):
                kept[_key(job)] = job
    return tuple(kept.values())


def _expected(floor: Floor, job: Assignment, published: Schedule, terms: Terms) -> Assignment:
    """A job under way with the end to count on: later while it is stopped, as published while that is near enough."""
    if job.station in floor.stopped and job.end > 0:
        job = _moved(job, 0, terms.repair)
    said = next((one for one in published if _key(one) == _key(job)), job)
    return said if abs(said.end - job.end) <= terms.gain else job


def _gains(new: Worth, old: Worth, gain: int) -> bool:
    if abs(new.tardiness - old.tardiness) > gain:
        return new.tardiness < old.tardiness
    if new.setup != old.setup:
        return new.setup < old.setup
    return new.makespan < old.makespan - gain


def _key(job: Assignment) -> Key:
    return job.order, job.operation


def _moved(job: Assignment, by: int, longer: int = 0) -> Assignment:
    return replace(job, start=job.start + by, end=job.end + by + longer)
