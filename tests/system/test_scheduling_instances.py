"""Published job shop instances: every schedule valid, none shorter than the proven bound, none absurdly long."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.scheduling.builder import rollout, shop, worths
from inference.scheduling.policy import HEAT, TRIES, by_policy
from inference.scheduling.problem import Lot, Operation, Problem, Station
from inference.scheduling.reasons import explained
from inference.scheduling.rules import NAMES, by_rules
from inference.scheduling.validity import violations
from inference.session import open_model

DATA = Path(__file__).parents[3] / "shared" / "data" / "scheduling"
UNIT = 1000
INSTANCES = [
    *("fjsp/brandimarte/mk01", "fjsp/brandimarte/mk05", "fjsp/brandimarte/mk07", "fjsp/brandimarte/mk09"),
    *("jsp/ta/ta01", "jsp/ta/ta11", "jsp/ta/ta21", "jsp/ta/ta31"),
]


def read(name, due):
    """The instance with every lot due at its lower bound."""
    lines = (DATA / f"{name}.txt").read_text().splitlines()
    count, machines = (int(word) for word in lines[0].split()[:2])
    route = flexible if name.startswith("fjsp") else fixed
    lots = tuple(
        Lot(f"J{index}", "any", "any", 1, 1, 0, due * UNIT, 1.0, route([int(word) for word in line.split()]))
        for index, line in enumerate(lines[1 : count + 1])
    )
    return Problem(tuple(Station(f"m{index}") for index in range(machines)), lots)


def fixed(numbers):
    return tuple(
        Operation({f"m{machine}": time * UNIT}) for machine, time in zip(numbers[::2], numbers[1::2], strict=True)
    )


def flexible(numbers):
    words = iter(numbers[1:])
    return tuple(
        Operation({f"m{next(words)}": next(words) * UNIT for _ in range(next(words))}) for _ in range(numbers[0])
    )


def gaps(name):
    """Per cent above the best-known end: the best rule, the policy's first choice, its best try; and the bounds."""
    bounds = json.loads((DATA / "bks.json").read_text())[name]
    problem = read(name, bounds["lb"])
    of = shop(problem)
    noise = np.random.default_rng(1)
    built = [
        rollout(of, len(NAMES), by_rules),
        rollout(of, TRIES, by_policy(open_model("dispatch"), lambda: False, noise, HEAT)),
    ]
    rules, policy = (worths(of, one)[2] / UNIT for one in built)
    schedules = [explained(of, one, row) for one in built for row in range(len(one.rows.next))]
    ends = np.array([rules.min(), policy[0], policy.min()])
    return problem, schedules, ends, 100 * (ends / bounds["ub"] - 1), bounds["lb"]


@pytest.mark.data
@pytest.mark.parametrize("name", INSTANCES)
def test_published_instances_are_scheduled_validly_and_within_reason(name):
    problem, schedules, ends, gap, least = gaps(name)
    assert all(violations(problem, schedule) == [] for schedule in schedules)
    assert ends.min() >= least
    assert gap[0] < 100
