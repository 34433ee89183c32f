"""A plan over time: what begins, what a stop delays, what stays put, when a new plan is worth it."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.scheduling.problem import MS, Lot, Operation, Problem, Station
from inference.scheduling.rolling import Floor, Terms, advance, replan
from inference.scheduling.validity import violations
from inference.training.dispatch_problems import problem as random_problem

MIN = 60_000
TERMS = Terms(frozen=5 * MIN, gain=MIN, repair=10 * MIN)
STATIONS = (Station("cast", 0, "a", 6 * MIN), Station("trim", 0, "a", 6 * MIN))


def lot(order, family="a", due=500 * MIN, weight=1.0):
    route = (Operation({"cast": MIN}), Operation({"trim": MIN}))
    return Lot(order, family, family, 10, 10, 0, due, weight, route)


def planned(problem, floor, terms=TERMS):
    proposal = replan(problem, floor, terms, None, lambda: False)
    return floor if proposal is None else replace(floor, published=proposal.schedule)


def at(floor, order, operation):
    return next(job for job in floor.published if (job.order, job.operation) == (order, operation))


def later(lots, minutes):
    return tuple(replace(one, due=one.due - minutes * MIN) for one in lots)


def test_what_was_due_has_begun_and_ends_as_published():
    floor = advance(planned(Problem(STATIONS, (lot("J1"),)), Floor(0)), 3 * MIN * MS, set())
    assert floor.begun == {("J1", 0): at(floor, "J1", 0)}
    assert (at(floor, "J1", 0).start, at(floor, "J1", 0).end) == (-3 * MIN, 7 * MIN)


def test_an_unchanged_line_keeps_its_plan():
    lots = (lot("J1"), lot("J2", "b"), lot("J3"))
    floor = advance(planned(Problem(STATIONS, lots), Floor(0)), 3 * MIN * MS, set())
    assert replan(Problem(STATIONS, later(lots, 3)), floor, TERMS, None, lambda: False) is None


def test_a_stop_delays_what_runs_and_what_follows():
    lots = (lot("J1"), lot("J2"))
    floor = advance(planned(Problem(STATIONS, lots), Floor(0)), 3 * MIN * MS, {"cast"})
    down = (replace(STATIONS[0], available=TERMS.repair), STATIONS[1])
    floor = planned(Problem(down, later(lots, 3)), floor)
    assert at(floor, "J1", 0).end == 17 * MIN
    assert at(floor, "J2", 0).start == 17 * MIN
    floor = advance(floor, 7 * MIN * MS, set())
    assert floor.begun["J1", 0].end == 7 * MIN
    floor = planned(Problem(STATIONS, later(lots, 7)), floor)
    assert at(floor, "J1", 0).end == 7 * MIN
    assert at(floor, "J2", 0).start == 7 * MIN


def test_nothing_begins_on_a_stopped_machine():
    floor = planned(Problem(STATIONS, (lot("J1"),)), Floor(0))
    floor = advance(advance(floor, 0, {"cast"}), 3 * MIN * MS, {"cast"})
    assert floor.begun == {}


def test_a_rush_order_goes_first_but_not_into_the_frozen_time():
    lots = (lot("J1"), lot("J2"), lot("J3"))
    floor = advance(planned(Problem(STATIONS, lots), Floor(0)), 6 * MIN * MS, set())
    rush = lot("rush", due=1, weight=5.0)
    floor = planned(Problem(STATIONS, (*later(lots, 6), rush)), floor)
    order = [job.order for job in sorted(floor.published, key=lambda job: job.start) if job.operation == 0]
    assert order == ["J1", "J2", "rush", "J3"]


def test_an_unseen_machine_keeps_its_jobs_and_gets_no_new_ones():
    lots = (lot("J1"), lot("J2"))
    floor = advance(planned(Problem(STATIONS, lots), Floor(0)), 3 * MIN * MS, set())
    unseen = (STATIONS[0], replace(STATIONS[1], available=None))
    assert replan(Problem(unseen, later(lots, 3)), floor, TERMS, None, lambda: False) is None
    after = planned(Problem(unseen, (*later(lots, 3), lot("J3"))), floor)
    assert [(job.order, job.start) for job in after.published if job.station == "trim"] == [
        (job.order, job.start) for job in floor.published if job.station == "trim"
    ]
    assert at(after, "J3", 0).station == "cast"


def test_a_cancelled_order_leaves_the_plan():
    lots = (lot("J1"), lot("J2"))
    floor = planned(Problem(STATIONS, lots), Floor(0))
    assert {job.order for job in planned(Problem(STATIONS, lots[:1]), floor).published} == {"J1"}


def test_an_order_whose_route_changed_is_planned_anew():
    floor = advance(planned(Problem(STATIONS, (lot("J1"),)), Floor(0)), MIN * MS, set())
    short = replace(lot("J1"), operations=(Operation({"trim": MIN}),))
    assert [job.station for job in planned(Problem(STATIONS, (short,)), floor).published] == ["trim"]


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_every_plan_of_a_restless_day_is_valid_for_what_had_not_begun(seed):
    """Machines stop, vanish and come back, orders come and go; what is newly placed stands before the checker."""
    rng = np.random.default_rng(seed)
    whole = random_problem(rng, 24)
    whole = replace(whole, lots=tuple(replace(one, release=0) for one in whole.lots))
    step = max(job.end for job in planned(whole, Floor(0)).published) // 8
    floor, now = Floor(0), 0
    for _ in range(10):
        states = {one.name: rng.choice(["up", "stopped", "unseen"], p=[0.7, 0.2, 0.1]) for one in whole.stations}
        promise = {"up": 0, "stopped": step, "unseen": None}
        now += int(rng.integers(1, step))
        floor = advance(floor, now * MS, {name for name, state in states.items() if state == "stopped"})
        stations = tuple(replace(one, available=promise[states[one.name]]) for one in whole.stations)
        problem = Problem(stations, tuple(replace(one, due=one.due - now) for one in whole.lots if rng.random() < 0.9))
        proposal = replan(problem, floor, Terms(step // 2, MIN, step), None, lambda: False)
        if proposal is None:
            continue
        kept = {(job.order, job.operation): job for job in floor.published}
        known = kept.keys() | floor.begun.keys()
        placed = [job for job in proposal.schedule if (job.order, job.operation) not in known]
        assert all(states[job.station] != "unseen" for job in placed)
        given = tuple(
            job
            for job in proposal.schedule
            if (job.order, job.operation) in floor.begun or kept.get((job.order, job.operation)) == job
        )
        wrong = violations(replace(problem, frozen=given), proposal.schedule)
        assert [text for text in wrong if "goes before" not in text] == []
        floor = replace(floor, published=proposal.schedule)
