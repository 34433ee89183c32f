"""The validity checker finds each kind of wrong schedule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.scheduling.ladder import propose
from inference.scheduling.problem import Assignment, Lot, Operation, Problem, Station
from inference.scheduling.validity import violations
from inference.training.dispatch_problems import problem as random_problem

MIN = 60_000


def lot(order, family, quantity=10, transfer=10, release=0, due=100 * MIN, weight=1.0):
    route = (Operation({"cast": MIN}), Operation({"trim": MIN, "trim2": 2 * MIN}))
    return Lot(order, family, family, quantity, transfer, release, due, weight, route)


PROBLEM = Problem(
    (Station("cast", 0, "a", 5 * MIN), Station("trim", 3 * MIN, "a", 5 * MIN), Station("trim2", None, "a", 5 * MIN)),
    (lot("J1", "a"), lot("J2", "b", release=12 * MIN)),
)
GOOD = (
    Assignment("J1", 0, "cast", 0, 0, 10 * MIN),
    Assignment("J1", 1, "trim", 10 * MIN, 0, 20 * MIN),
    Assignment("J2", 0, "cast", 10 * MIN, 5 * MIN, 25 * MIN),
    Assignment("J2", 1, "trim", 20 * MIN, 5 * MIN, 35 * MIN),
)


def changed(index, **changes):
    return (*GOOD[:index], replace(GOOD[index], **changes), *GOOD[index + 1 :])


def test_a_right_schedule_has_no_violations():
    assert violations(PROBLEM, GOOD) == []


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        (GOOD[:-1], "planned 0 times"),
        ((*GOOD, GOOD[0]), "planned 2 times"),
        ((*GOOD, replace(GOOD[0], order="J9")), "no such order"),
        ((*GOOD, replace(GOOD[0], operation=7)), "no such operation"),
        (changed(0, station="trim"), "cannot do it"),
        (changed(1, station="trim2", end=30 * MIN), "not available"),
        (changed(0, end=9 * MIN), "pieces take"),
        (changed(3, start=19 * MIN, end=34 * MIN), "overlaps"),
        (changed(3, setup=0, end=30 * MIN), "set-up is 0"),
        (changed(1, start=9 * MIN, end=19 * MIN), "begins before pieces"),
        (changed(0, start=-MIN, end=9 * MIN), "not available then"),
    ],
)
def test_each_kind_of_mistake_is_named(schedule, says):
    assert any(says in text for text in violations(PROBLEM, schedule))


def test_an_order_may_not_begin_before_its_release():
    late = replace(PROBLEM, lots=(PROBLEM.lots[0], replace(PROBLEM.lots[1], release=16 * MIN)))
    assert violations(late, GOOD) == ["J2 operation 0 on cast: begins before the order is released"]


def test_pieces_handed_on_singly_may_overlap_but_not_outrun_each_other():
    fast = Lot("J1", "a", "a", 10, 1, 0, 0, 1.0, (Operation({"cast": 2 * MIN}), Operation({"trim": MIN})))
    problem = Problem(PROBLEM.stations, (fast,))
    cast = Assignment("J1", 0, "cast", 0, 0, 20 * MIN)
    assert violations(problem, (cast, Assignment("J1", 1, "trim", 11 * MIN, 0, 21 * MIN))) == []
    outrun = violations(problem, (cast, Assignment("J1", 1, "trim", 10 * MIN, 0, 20 * MIN)))
    assert outrun == ["J1 operation 1 on trim: ends before the last pieces from operation 0 can be through"]


def test_what_is_frozen_may_neither_move_nor_be_overtaken():
    frozen = replace(PROBLEM, frozen=(GOOD[0],))
    assert violations(frozen, GOOD) == []
    moved = replace(PROBLEM, frozen=(replace(GOOD[0], start=-MIN, end=9 * MIN),))
    assert violations(moved, GOOD) == ["J1 operation 0 on cast: is frozen and was moved"]
    overtaken = replace(PROBLEM, frozen=(GOOD[2],))
    assert any("goes before the frozen" in text for text in violations(overtaken, GOOD))


def test_nothing_is_promised_behind_a_machine_nobody_can_promise():
    stations = (replace(PROBLEM.stations[0], available=None), *PROBLEM.stations[1:])
    stuck = replace(PROBLEM, stations=stations)
    assert violations(stuck, ()) == []
    assert any("waits for a station" in text for text in violations(stuck, GOOD))


@given(seed=st.integers(0, 2**32), what=st.sampled_from(["drop", "twice", "early", "short", "station"]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_spoiled_schedule_is_refused(seed, what, data):
    problem = random_problem(np.random.default_rng(seed), 20)
    schedule = list(propose(problem, None).schedule)
    index = data.draw(st.integers(0, len(schedule) - 1))
    job = schedule[index]
    if what == "drop":
        del schedule[index]
    elif what == "twice":
        schedule.append(job)
    elif what == "early":
        before = min(other.start for other in schedule if other.station == job.station) - 1
        schedule[index] = replace(job, start=min(before, -1), end=min(before, -1) + job.end - job.start)
    elif what == "short":
        schedule[index] = replace(job, end=job.end - 1)
    else:
        schedule[index] = replace(job, station="elsewhere")
    assert violations(problem, schedule)
