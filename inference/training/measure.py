"""What a judge gets wrong on drawn castings: `python -m inference.training.measure DIR`. Runs without the train set."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.model import Verdict
from inference.inspection.decision import DEFECTS
from inference.inspection.judge import Judge, evidence_picture, load
from inference.training.pictures import Labelled, read

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """A row per part, as the judge saw it; milliseconds from bytes on disk to verdict and heat map."""

    verdict: tuple[Verdict, ...]
    score: Column
    image_score: Column
    process_score: Column
    picture_strangeness: Column
    shot_strangeness: Column
    took_ms: Column


def judge_all(judge: Judge, parts: Labelled) -> Scores:
    """Every part judged through the path the agent takes."""
    verdicts, rows = [], []
    for row in range(len(parts.files)):
        began = time.perf_counter()
        grey = parts.picture(row)
        judgement = judge.judge(grey, [float(value) for value in parts.process[row]])
        evidence_picture(grey, judgement)
        took = 1e3 * (time.perf_counter() - began)
        seen, decision = judgement.evidence, judgement.decision
        verdicts.append(decision.verdict)
        rows.append(
            (
                decision.score,
                decision.image_score,
                decision.process_score,
                seen.picture_strangeness,
                seen.shot_strangeness,
                took,
            )
        )
    return Scores(tuple(verdicts), *np.array(rows, np.float64).T)


def measure(scores: Scores, parts: Labelled) -> dict[str, Any]:
    """Counts and shares of parts; bounds are one-sided 95 % Clopper-Pearson."""
    truth = [("sound", *DEFECTS)[kind] for kind in parts.kind]
    verdicts = [verdict.value for verdict in scores.verdict]
    counts = Counter(zip(verdicts, truth, strict=True))
    total, sound = len(truth), truth.count("sound")
    passed = verdicts.count("PASS")
    false_rejects = counts["REJECT", "sound"]
    escapes = passed - counts["PASS", "sound"]
    chance = np.clip(scores.score, 1e-6, 1.0 - 1e-6)
    wrong = np.where(parts.defective, np.log(chance), np.log1p(-chance))
    return {
        "parts": total,
        "confusion": {v.value.lower(): {kind: counts[v.value, kind] for kind in ("sound", *DEFECTS)} for v in Verdict},
        "false_reject": false_rejects / max(1, sound),
        "false_reject_at_most": at_most(false_rejects, sound),
        "escaped_of_passed": escapes / max(1, passed),
        "escaped_of_passed_at_most": at_most(escapes, passed),
        "asked": verdicts.count("ASK") / total,
        "caught": {kind: 1.0 - counts["PASS", kind] / max(1, truth.count(kind)) for kind in DEFECTS},
        "log_loss": float(-wrong.mean()),
    }


def at_most(events: int, trials: int, doubt: float = 0.05) -> float:
    """Upper Clopper-Pearson bound of a share; 1 without trials."""
    low, high = (events / trials if trials else 1.0), 1.0
    for _ in range(60):
        middle = (low + high) / 2
        fewer = sum(_binomial(k, trials, middle) for k in range(events + 1))
        low, high = (middle, high) if fewer > doubt else (low, middle)
    return high


def _binomial(k: int, trials: int, share: float) -> float:
    return float(comb(trials, k) * share**k * (1.0 - share) ** (trials - k))


def main() -> None:
    """Measure the shipped models on a folder of drawn castings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    parts = read(parser.parse_args().folder)
    scores = judge_all(load("casting", "shot"), parts)
    took = {f"took_ms_p{share}": float(np.percentile(scores.took_ms, share)) for share in (50, 99)}
    print(json.dumps(measure(scores, parts) | took, indent=1))


if __name__ == "__main__":
    main()
