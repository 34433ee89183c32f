"""Plain dispatching rules, all run side by side on one builder. Pure.

Each rule is a weighting of the same six terms, ATC and ATCS by their logarithm.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inference.scheduling.builder import Candidates, Floats, Rows, Shop

# Weights of: log(weight / run time), slack left, set-up, due date, arrival at the station, work remaining.
RULES: Mapping[str, tuple[float, float, float, float, float, float]] = {
    "fifo": (0.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "edd": (0.0, 0.0, 0.0, -1.0, 0.0, 0.0),
    "atc": (1.0, -0.5, 0.0, 0.0, 0.0, 0.0),
    "atcs": (1.0, -0.5, -2.0, 0.0, 0.0, 0.0),
    "atcs_steep": (1.0, -0.2, -6.0, 0.0, 0.0, 0.0),
    "min_setup": (0.0, 0.0, -1000.0, -1.0, 0.0, 0.0),
    "mwkr": (0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
}
NAMES = tuple(f"{rule}{kind}" for kind in ("", "_active") for rule in RULES)
_WEIGHTS = np.array([*RULES.values()] * 2).T[:, :, None, None]
_DELAYED = np.arange(len(NAMES))[:, None, None] >= len(RULES)


def by_rules(of: Shop, at: Rows, among: Candidates) -> Floats:
    """Scores of the rules in the order of `NAMES`, one a row.

    The first half never lets a station wait for work (non-delay), the second may (active schedules).
    """
    operation = at.next + of.row
    slack = of.due[:, None] - among.end - of.tail.take(operation)[:, :, None]
    terms = (
        np.log(of.weight[:, None] / np.maximum(among.duration / of.unit, 1e-6)),
        np.maximum(slack, 0) / of.unit,
        among.setup / of.changeover,
        of.due[:, None] / of.unit,
        at.first_out[:, :, None] / of.unit,
        (among.duration + of.rest.take(operation)[:, :, None]) / of.unit,
    )
    score: Floats = sum((weight * term for weight, term in zip(_WEIGHTS, terms, strict=True)), np.zeros(1))
    quickest = among.active & (among.end == among.end.min(2, keepdims=True))
    soonest = np.where(quickest, among.start, among.start.max()).min((1, 2), keepdims=True)
    allowed = quickest & (_DELAYED | (among.start <= soonest))
    return np.where(allowed, score, -np.inf)
