"""Rules and policy: always valid, always explained, the better one wins, the model as shipped."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.card import ModelError
from inference.scheduling.builder import rollout, shop, worths
from inference.scheduling.features import COUNT, features
from inference.scheduling.ladder import propose
from inference.scheduling.policy import TRIES, by_policy
from inference.scheduling.problem import Assignment, Lot, Operation, Problem, Station, held, worth
from inference.scheduling.reasons import explained
from inference.scheduling.rules import NAMES, by_rules
from inference.scheduling.validity import violations
from inference.session import MODELS, open_model
from inference.training.dispatch_problems import problem as random_problem

MIN = 60_000


@pytest.fixture(scope="module")
def model():
    return open_model("dispatch")


class Broken:
    digest = "broken"

    def run(self, _):
        raise ModelError("the model failed", "restore it")


def disturbed(seed):
    """A random problem on a bad day: machines gone, orders running already, a rush order."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, int(rng.integers(4, 45)))
    schedule = propose(problem, None).schedule
    cut = int(rng.integers(0, max(job.end for job in schedule)))
    shifted = [replace(job, start=job.start - cut, end=job.end - cut) for job in schedule]
    frozen = tuple(job for job in shifted if job.start < 0)
    stations = tuple(
        replace(s, available=None if rng.random() < 0.15 else max(0, (s.available or 0) - cut))
        for s in problem.stations
    )
    lots = tuple(replace(lot, release=lot.release - cut, due=lot.due - cut) for lot in problem.lots)
    rush = replace(lots[0], order="rush", weight=5.0, release=0, due=0)
    return Problem(stations, (*lots, rush), frozen)


def every_schedule(problem, model):
    of = shop(problem)
    rng = np.random.default_rng(0)
    for built in (rollout(of, len(NAMES), by_rules), rollout(of, 4, by_policy(model, lambda: False, rng))):
        figures = worths(of, built)
        for row in range(len(built.rows.next)):
            yield explained(of, built, row), [figure[row] for figure in figures]


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_rule_and_the_policy_always_schedule_validly(model, seed):
    problem = disturbed(seed)
    for schedule, _ in every_schedule(problem, model):
        assert violations(problem, schedule) == []


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_a_row_is_worth_what_its_schedule_is_worth(model, seed):
    problem = random_problem(np.random.default_rng(seed), 25)
    for schedule, (late, setup, end) in every_schedule(problem, model):
        value = worth(problem, schedule)
        assert value.tardiness == pytest.approx(late)
        assert (value.setup, value.makespan) == (setup, end)


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_the_proposal_is_never_worse_than_the_rules_alone(model, seed):
    problem = disturbed(seed)
    both, rules = propose(problem, model), propose(problem, None)
    assert not rules.worth < both.worth
    assert both.rung == "policy" or both.schedule == rules.schedule


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_a_reason_names_an_order_that_could_have_gone_there_and_went_later(model, seed):
    problem = random_problem(np.random.default_rng(seed), 30)
    schedule = propose(problem, model).schedule
    lots = {lot.order: lot for lot in problem.lots}
    for job in schedule:
        if job.reason["code"] == "only_choice":
            continue
        rival = job.reason["over"]
        eligible = [
            other
            for other in schedule
            if other.order == rival and job.station in lots[rival].operations[other.operation].cycles
        ]
        assert rival != job.order
        assert any(other.station != job.station or other.start >= job.end for other in eligible)


def one_machine(*lots):
    return Problem((Station("press", 0, "a", 6 * MIN),), lots)


def one_step(order, family="a", quantity=10, due=300 * MIN, weight=1.0):
    return Lot(order, family, family, quantity, quantity, 0, due, weight, (Operation({"press": MIN}),))


@pytest.mark.parametrize(
    ("taken", "left", "code"),
    [
        (one_step("J1", due=5 * MIN, weight=5.0), one_step("J2", due=5 * MIN), "rush"),
        (one_step("J1"), one_step("J2", family="b"), "same_family"),
        (one_step("J1", due=10 * MIN), one_step("J2", due=20 * MIN), "due_first"),
        (one_step("J1", quantity=5, due=5 * MIN), one_step("J2", quantity=20, due=20 * MIN - 5 * MIN), "shortest"),
    ],
)
def test_reasons_say_what_decided(taken, left, code):
    first, second = sorted(propose(one_machine(left, taken), None).schedule, key=lambda job: job.start)
    assert (first.order, first.reason["code"], first.reason["over"]) == ("J1", code, "J2")
    assert second.reason == {"code": "only_choice"}


def test_a_reason_counts_the_seconds_saved():
    first = min(propose(one_machine(one_step("J2", "b"), one_step("J1")), None).schedule, key=lambda job: job.start)
    assert (first.reason["saves_s"], first.reason["setup_s"]) == (360.0, 360.0)


def test_no_orders_make_an_empty_schedule(model):
    assert propose(Problem((Station("press"),), ()), model).schedule == ()


def test_a_line_of_unknown_machines_promises_nothing(model):
    problem = Problem((Station("press", None),), (one_step("J1"),))
    assert held(problem) == {("J1", 0)}
    assert propose(problem, model).schedule == ()


def test_a_frozen_job_on_an_unknown_machine_stays_and_the_rest_waits(model):
    running = Assignment("J1", 0, "press", -MIN, 0, 9 * MIN)
    problem = Problem((Station("press", None),), (one_step("J1"), one_step("J2")), (running,))
    assert propose(problem, model).schedule == (running,)


def test_a_broken_model_leaves_the_rules_and_says_so():
    problem = one_machine(one_step("J1"), one_step("J2"))
    proposal = propose(problem, Broken())
    assert (proposal.rung, str(proposal.trouble)) == ("rules", "the model failed")
    assert proposal.schedule == propose(problem, None).schedule


def test_a_slow_model_leaves_the_rules_and_says_so(model):
    proposal = propose(one_machine(one_step("J1"), one_step("J2")), model, expired=lambda: True)
    assert proposal.rung == "rules"
    assert "in time" in str(proposal.trouble)


def test_the_shipped_model_is_the_one_its_card_describes(model):
    content = (MODELS / "dispatch" / "model.onnx").read_bytes()
    assert hashlib.sha256(content).hexdigest() == model.card.sha256
    assert len(content) <= 200_000


def test_features_are_finite_and_as_many_as_the_model_takes(model):
    of = shop(disturbed(7))
    seen = []

    def look(of, at, among):
        seen.append(features(of, at, among))
        assert len(seen[-1]) == among.active.sum()
        return np.where(among.active, 0.0, -np.inf)

    rollout(of, 3, look)
    assert all(np.isfinite(one).all() and one.shape[1] == COUNT == model.card.input[0].shape[1] for one in seen)


def test_the_policy_beats_the_best_rule_on_problems_it_never_saw(model):
    """Mean weighted tardiness over 30 fixed problems, against the rule that is best over the same 30."""
    rng = np.random.default_rng(77_000_001)
    rules, policy = [], []
    for _ in range(30):
        of = shop(random_problem(rng, 40))
        scale = of.weight.sum() * of.unit
        rules.append(worths(of, rollout(of, len(NAMES), by_rules))[0] / scale)
        tries = rollout(of, TRIES, by_policy(model, lambda: False, np.random.default_rng(1)))
        policy.append(worths(of, tries)[0].min() / scale)
    assert np.mean(policy) < np.mean(rules, axis=0).min()
