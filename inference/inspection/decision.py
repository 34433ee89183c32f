"""From evidence to one of three verdicts: fusion of calibrated log-odds, thresholds, novelty. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any

from agent.model import Verdict
from inference.card import ModelError

DEFECTS = ("blowhole", "crack", "flash", "misrun")
# In the order of the process model's input: Cel, Cel, MPa, MPa, ms, mbar.
PROCESS_VALUES = ("die_temperature", "melt_temperature", "pressure", "intensification", "fill_time", "vacuum")
CERTAIN = 30.0  # log-odds beyond this say no more


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the verdicts part. Scores are chances 0..1 of a defect; `rate` is the share of defective parts on the line.

    Below `pass_below` PASS, from `reject_from` on REJECT, between them ASK. A picture or shot stranger than
    its limit is never passed unseen: ASK unless it is to be rejected anyway.
    """

    pass_below: float
    reject_from: float
    rate: float
    strangest_picture: float
    strangest_shot: float

    def __post_init__(self) -> None:
        if not 0.0 < self.pass_below <= self.reject_from < 1.0 or not 0.0 < self.rate < 1.0:
            raise ModelError(
                f"thresholds out of order: {self}", "0 < pass_below <= reject_from < 1 in the card's settings"
            )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the models say of one part: log-odds of a defect, how strange each input is, and the likeliest defect."""

    image: float
    picture_strangeness: float
    defect: str
    process: float | None = None
    shot_strangeness: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its scores, 0..1; `defect` is None on PASS and `unfamiliar` where only strangeness speaks."""

    verdict: Verdict
    score: float
    image_score: float
    process_score: float | None
    defect: str | None


def read_thresholds(settings: Mapping[str, Any]) -> Thresholds:
    """The thresholds in a card's settings; ModelError where one is missing or they are out of order."""
    try:
        return Thresholds(**{name: float(settings[name]) for name in Thresholds.__slots__})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"card settings: {error!r}", "restore card.toml from the release") from error


def chance(log_odds: float) -> float:
    """Log-odds to a chance, 0..1."""
    bounded = max(-CERTAIN, min(CERTAIN, log_odds))
    return 1.0 / (1.0 + exp(-bounded))


def log_odds(share: float) -> float:
    """A chance strictly between 0 and 1 to log-odds."""
    return log(share / (1.0 - share))


def fuse(image: float, process: float | None, rate: float) -> float:
    """Log-odds of both witnesses together; each already holds the line's rate, which counts once."""
    return image if process is None else image + process - log_odds(rate)


def decide(evidence: Evidence, thresholds: Thresholds) -> Decision:
    """The verdict on a part."""
    score = chance(fuse(evidence.image, evidence.process, thresholds.rate))
    strange_picture = evidence.picture_strangeness > thresholds.strangest_picture
    strange_shot = evidence.process is not None and evidence.shot_strangeness > thresholds.strangest_shot
    verdict = _verdict(score, strange=strange_picture or strange_shot, thresholds=thresholds)
    defect: str | None = evidence.defect
    if verdict is Verdict.PASS:
        defect = None
    elif score < thresholds.pass_below:
        defect = "unfamiliar"
    return Decision(
        verdict,
        score,
        chance(evidence.image),
        None if evidence.process is None else chance(evidence.process),
        defect,
    )


def _verdict(score: float, *, strange: bool, thresholds: Thresholds) -> Verdict:
    if score >= thresholds.reject_from:
        return Verdict.REJECT
    if strange or score >= thresholds.pass_below:
        return Verdict.ASK
    return Verdict.PASS
