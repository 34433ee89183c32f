"""Both models of a camera, asked together about one part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.inspection.decision import DEFECTS, Decision, Evidence, Thresholds, decide, read_thresholds
from inference.inspection.heatmap import encode, paint
from inference.inspection.picture import model_input
from inference.session import MODELS, Session, open_model


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, what it rests on, and the chance of a defect in each cell of the picture, 0..1."""

    decision: Decision
    evidence: Evidence
    heat: NDArray[np.float32]


def load(model: str, process_model: str | None, models: Path = MODELS) -> Judge:
    """The judge for the models named by a line file; ModelError where one cannot be trusted."""
    return Judge(open_model(model, models), None if process_model is None else open_model(process_model, models))


class Judge:
    """Judges parts by their picture and, where given, process values. One thread at a time; blocks for milliseconds."""

    def __init__(self, image: Session, process: Session | None) -> None:
        self._image, self._process = image, process
        self._thresholds: Thresholds = read_thresholds(image.card.settings)

    @property
    def digest(self) -> str:
        """What records call the image model: 12 hex digits."""
        return self._image.digest

    def judge(self, grey: NDArray[np.uint8], process: Sequence[float] | None) -> Judgement:
        """The verdict on a 224 x 224 picture and six values in the order of PROCESS_VALUES, None where not known."""
        seen = self._image.run(model_input(grey))
        odds, strangeness = None, 0.0
        if self._process is not None and process is not None and np.isfinite(process).all():
            felt = self._process.run({"values": np.asarray([process], np.float32)})
            odds, strangeness = float(felt["log_odds"][0]), float(felt["strangeness"][0])
        evidence = Evidence(
            image=float(seen["log_odds"][0]),
            picture_strangeness=float(seen["strangeness"][0]),
            defect=DEFECTS[int(np.argmax(seen["defect"]))],
            process=odds,
            shot_strangeness=strangeness,
        )
        return Judgement(decide(evidence, self._thresholds), evidence, seen["heat"])


def evidence_picture(grey: NDArray[np.uint8], judgement: Judgement) -> bytes:
    """The part with its heat map, as a WebP of at most 44 kB."""
    return encode(paint(grey, judgement.heat))
