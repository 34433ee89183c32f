"""A schedule over time: what has begun, what stays put, and whether a new proposal is worth the unrest. Pure.

Times of a `Floor` are milliseconds from its own `time`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
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


def advance(floor: Floor, time: int, stopped: Set[str], unknown: Set[str]) -> Floor:
    """The floor at a later time: stops have delayed what was running, and what was due has begun.

    Nothing begins on a station that is stopped or unknown, nor before the operation it follows.
    """
    passed = max(0, time - floor.time) // MS
    begun = {
        key: _moved(job, -passed, passed if job.station in floor.stopped and job.end > 0 else 0)
        for key, job in floor.begun.items()
    }
    published = tuple(_moved(job, -passed) for job in floor.published)
    for job in by_start(published):
        follows = job.operation == 0 or (job.order, job.operation - 1) in begun
        still = job.station in stopped or job.station in unknown or job.station in floor.stopped
        if job.start <= 0 and follows and not still:
            begun.setdefault((job.order, job.operation), job)
    return Floor(floor.time + passed * MS, published, begun, frozenset(stopped))


def replan(
    problem: Problem, floor: Floor, terms: Terms, model: Model | None, expired: Callable[[], bool]
) -> Proposal | None:
    """A proposal for the problem, None where what is published still holds and no worthwhile gain is in sight."""
    lots = {lot.order for lot in problem.lots}
    published = tuple(job for job in floor.published if job.order in lots)
    under_way = tuple(_expected(floor, job, published, terms) for job in floor.begun.values() if job.order in lots)
    base = replace(problem, frozen=under_way)
    holds = not violations(base, published)
    near = tuple(job for job in published if _key(job) not in floor.begun and job.start < terms.frozen)
    proposal = propose(replace(problem, frozen=under_way + near) if holds else base, model, expired)
    complete = len(published) == len(floor.published)
    if holds and complete and not _gains(proposal.worth, worth(base, published), terms.gain):
        return None
    return proposal


def _expected(floor: Floor, job: Assignment, published: Schedule, terms: Terms) -> Assignment:
    """A job under way with the end to count on: as published while that is near enough, later while it is stopped."""
    if job.station in floor.stopped and job.end > 0:
        return _moved(job, 0, terms.repair)
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
