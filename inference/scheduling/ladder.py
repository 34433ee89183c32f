"""From a problem to a proposal: rules always, the policy where it works; the better valid schedule wins. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inference.card import ModelError
from inference.scheduling.builder import Rollout, Shop, rollout, shop, worths
from inference.scheduling.policy import TRIES, Model, by_policy
from inference.scheduling.problem import Problem, Schedule, Worth, worth
from inference.scheduling.reasons import explained
from inference.scheduling.rules import NAMES, by_rules
from inference.scheduling.validity import violations

SEED = 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A valid schedule, who proposed it ("policy" or "rules"), and why the policy could not where it could not."""

    schedule: Schedule
    rung: str
    worth: Worth
    trouble: ModelError | None = None


class NoValidScheduleError(Exception):
    """Every schedule broke the problem's own terms: the message has the first one's violations."""


def propose(problem: Problem, model: Model | None, expired: Callable[[], bool] = lambda: False) -> Proposal:
    """The best valid schedule of policy and rules by weighted tardiness, then set-up, then end.

    Without a model, or where it fails or `expired` turns true, the rules answer alone.
    NoValidScheduleError where what is frozen cannot be kept.
    """
    of = shop(problem)
    schedule = _best(of, rollout(of, len(NAMES), by_rules))
    drafts = [(worth(problem, schedule), "rules", schedule)]
    trouble = None
    if model is not None:
        try:
            tried = rollout(of, TRIES, by_policy(model, expired, np.random.default_rng(SEED)))
            schedule = _best(of, tried)
            drafts.insert(0, (worth(problem, schedule), "policy", schedule))
        except ModelError as error:
            trouble = error
    wrong: list[str] = []
    for value, rung, schedule in sorted(drafts, key=lambda draft: draft[0]):
        faults = violations(problem, schedule)
        if not faults:
            return Proposal(schedule, rung, value, trouble)
        wrong = wrong or faults
    raise NoValidScheduleError("; ".join(wrong))


def _best(of: Shop, built: Rollout) -> Schedule:
    """The best row's schedule."""
    late, setup, end = worths(of, built)
    return explained(of, built, int(np.lexsort((end, setup, late))[0]))
