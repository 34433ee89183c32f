"""The process-value model: which defect a shot's six latched values make likely. With scikit-learn and torch."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from inference.training.pictures import Labelled

FARTHEST = 6.0  # spreads from the mean: beyond, a value counts no more, only as strange


class Shot(nn.Module):
    """Six values (1, 6) to `log_odds` (1) of a defect, `defect` chances given one, and `strangeness` (1) in spreads."""

    def __init__(self, mean: Tensor, spread: Tensor, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        for name, tensor in {"mean": mean, "spread": spread, "weight": weight, "bias": bias}.items():
            self.register_buffer(name, tensor.float())

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        away = (values - self.mean) / self.spread
        logits = functional.linear(away.clamp(-FARTHEST, FARTHEST), self.weight, self.bias)
        odds = torch.logsumexp(logits[:, 1:], 1) - logits[:, 0]
        return odds, functional.softmax(logits[0, 1:], 0), away.abs().amax(1)


def fit_shot(parts: Labelled, prior_shift: float) -> Shot:
    """Multinomial logistic regression on standardised values; `prior_shift` moves the log-odds to the line's rate."""
    values = parts.process.astype(np.float64)
    sound = values[~parts.defective]
    mean, spread = sound.mean(0), sound.std(0)
    away = np.clip((values - mean) / spread, -FARTHEST, FARTHEST)
    fitted = LogisticRegression(C=1.0, max_iter=2000).fit(away, parts.kind)
    bias = fitted.intercept_ + np.where(np.arange(len(fitted.intercept_)) > 0, prior_shift, 0.0)
    tensors = (torch.from_numpy(np.asarray(array)) for array in (mean, spread, fitted.coef_, bias))
    shot = Shot(*tensors)
    shot.eval()
    return shot
