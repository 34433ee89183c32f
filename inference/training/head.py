"""The head on the backbone: where the defect is, which it is, how sure, and how strange the picture. With torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.inspection.decision import DEFECTS
from inference.training.backbone import Backbone

CLASSES = len(DEFECTS)
WIDTH = 48


class Head(nn.Module):
    """Taps to cell logits (n, CLASSES, 28, 28) and part logits (n, 1 + CLASSES), sound first."""

    def __init__(self, centre: list[Tensor], spread: list[Tensor]) -> None:
        super().__init__()
        for place, (mean, deviation) in enumerate(zip(centre, spread, strict=True)):
            self.register_buffer(f"centre{place}", mean[None, :, None, None])
            self.register_buffer(f"gain{place}", 1.0 / deviation[None, :, None, None])
        self.fine = nn.Conv2d(24, WIDTH, 4, stride=2, padding=1)
        self.middle = nn.Conv2d(40, WIDTH, 1)
        self.coarse = nn.Conv2d(112, WIDTH, 1)
        self.mix = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.cell = nn.Conv2d(WIDTH, CLASSES, 1)
        self.part = nn.Sequential(nn.Linear(2 * WIDTH + CLASSES, 32), nn.ReLU(), nn.Linear(32, 1 + CLASSES))

    def forward(self, taps: list[Tensor]) -> tuple[Tensor, Tensor]:
        fine, middle, coarse = (
            (tap - getattr(self, f"centre{place}")) * getattr(self, f"gain{place}") for place, tap in enumerate(taps)
        )
        wide = functional.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        hidden = functional.relu(self.fine(fine) + self.middle(middle) + wide)
        hidden = functional.relu(self.mix(hidden))
        cells = self.cell(hidden)
        part = self.part(torch.cat([hidden.mean((2, 3)), hidden.amax((2, 3)), cells.amax((2, 3))], 1))
        return cells, part


class Inspector(nn.Module):
    """The shipped model: a grey picture (1, 1, 224, 224) of bytes to its four outputs.

    `log_odds` (1) of a defect and `heat` (28, 28) are calibrated by a gain and an offset each; `defect` (CLASSES) are
    chances given that there is one; `strangeness` (1) is the squared distance from what was seen in training.
    """

    def __init__(
        self, backbone: Backbone, head: Head, calibration: dict[str, float], seen: tuple[Tensor, Tensor]
    ) -> None:
        super().__init__()
        self.backbone, self.head, self.calibration = backbone, head, calibration
        self.register_buffer("seen", seen[0])
        self.register_buffer("whiten", seen[1])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        taps = self.backbone(image)
        cells, part = self.head(taps)
        known = self.calibration
        log_odds = defect_logit(part) * known["part_gain"] + known["part_offset"]
        heat = torch.sigmoid(cells.amax(1) * known["cell_gain"] + known["cell_offset"])[0]
        away = (describe(taps) - self.seen) @ self.whiten
        return log_odds, functional.softmax(part[0, 1:], 0), heat, (away * away).mean(1)


def defect_logit(part: Tensor) -> Tensor:
    """Log-odds of any defect from the part logits."""
    return torch.logsumexp(part[:, 1:], 1) - part[:, 0]


def describe(taps: list[Tensor]) -> Tensor:
    """A picture in a row of numbers, to tell the familiar from the strange: mean of each channel of each tap."""
    return torch.cat([tap.mean((2, 3)) for tap in taps], 1)
