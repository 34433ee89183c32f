"""The learned policy as a scoring of candidates. Pure: the model and the clock are handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.card import ModelError
from inference.scheduling.builder import Candidates, Floats, Rows, Score, Shop
from inference.scheduling.features import features


class Model(Protocol):
    """What is used of an `inference.session.Session`."""

    @property
    def digest(self) -> str:
        """What records call the model."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """`score` [N] of `features` [N, 24]; ModelError where it cannot."""


TRIES = 16
HEAT = 0.6


def by_policy(model: Model, expired: Callable[[], bool], rng: np.random.Generator, heat: float = HEAT) -> Score:
    """Scores of the model for active candidates; all rows but the first draw in proportion to exp(score / heat).

    ModelError where the model fails or `expired` turns true first.
    """

    def score(of: Shop, at: Rows, among: Candidates) -> Floats:
        if expired():
            raise ModelError("the dispatching policy did not answer in time", "relieve this gateway's processor")
        scores = np.full(among.start.shape, -np.inf)
        scores[among.active] = model.run({"features": features(of, at, among)})["score"]
        scores[1:] += heat * rng.gumbel(size=scores[1:].shape)
        return scores

    return score
