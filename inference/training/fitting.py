"""Fit the head on the backbone's frozen features, and a gain and offset that make its answers chances. With torch."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional

from inference.inspection.picture import model_input
from inference.training.backbone import TAPS, Backbone
from inference.training.head import Head, describe
from inference.training.pictures import Labelled
from inference.training.shipping import to_onnx, try_out

EPOCHS, BATCH, RATE, CELL_SHARE = 6, 32, 4e-3, 2.0
NOVEL_DIRECTIONS = 48


def features(backbone: Backbone, parts: Labelled) -> list[Tensor]:
    """The taps of every part, in half precision, computed as on a gateway."""
    blank = {"image": torch.zeros((1, 1, 224, 224), dtype=torch.uint8)}
    names = tuple(f"tap{block}" for block in TAPS)
    with TemporaryDirectory() as folder:
        session = try_out(Path(folder) / "backbone.onnx", to_onnx(backbone, blank, names))
    pile: list[list[NDArray[np.float16]]] = [[] for _ in names]
    for row in range(len(parts.files)):
        taps = session.run(model_input(parts.picture(row)))
        for tap, name in zip(pile, names, strict=True):
            tap.append(taps[name][0].astype(np.float16))
    return [torch.from_numpy(np.stack(tap)) for tap in pile]


def fit_head(taps: list[Tensor], parts: Labelled, seed: int) -> Head:
    """A head fitted to the parts' classes and to the cells their defects touch."""
    torch.manual_seed(seed)
    few = [tap[:1000].float() for tap in taps]
    head = Head([tap.mean((0, 2, 3)) for tap in few], [tap.std((0, 2, 3)) for tap in few])
    kinds = torch.from_numpy(parts.kind)
    touched = torch.from_numpy(np.stack([parts.cells(row) for row in range(len(parts.files))])).float()
    head.to(memory_format=torch.channels_last)  # the CPU's faster order
    steps = EPOCHS * (len(parts.files) // BATCH)
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(parts.files))
        for batch in order[: len(order) // BATCH * BATCH].split(BATCH):
            few = [tap[batch].float().contiguous(memory_format=torch.channels_last) for tap in taps]
            cells, part = head(few)
            loss = functional.cross_entropy(part, kinds[batch])
            loss = loss + CELL_SHARE * _cell_loss(cells, kinds[batch], touched[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    head.eval()
    head.to(memory_format=torch.contiguous_format)
    return head


def _cell_loss(cells: Tensor, kinds: Tensor, touched: Tensor) -> Tensor:
    wanted = functional.one_hot(kinds, cells.shape[1] + 1)[:, 1:, None, None] * touched[:, None]
    weight = 1.0 + 4.0 * wanted
    return functional.binary_cross_entropy_with_logits(cells, wanted, weight)


def answers(head: Head, taps: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Cell and part logits of every part."""
    with torch.no_grad():
        starts = range(0, len(taps[0]), BATCH)
        pile = [head([tap[start : start + BATCH].float() for tap in taps]) for start in starts]
    cells, part = zip(*pile, strict=True)
    return torch.cat(cells), torch.cat(part)


def calibrate(logits: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Gain and offset that turn logits into log-odds at the share of positives given (Platt)."""
    fitted = LogisticRegression(C=1e6).fit(logits.reshape(-1, 1), positive)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def familiar(taps: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and whitening matrix of the pictures seen, along the directions in which they vary most."""
    rows = torch.cat([describe([tap[i : i + 500].float() for tap in taps]) for i in range(0, len(taps[0]), 500)])
    centred = (rows - rows.mean(0)).double()
    _, spread, directions = torch.linalg.svd(centred, full_matrices=False)
    scale = spread[:NOVEL_DIRECTIONS] / (len(rows) - 1) ** 0.5
    return rows.mean(0), (directions[:NOVEL_DIRECTIONS].T / scale).float()
