"""What `python -m simulators draw` wrote, in columns."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.inspection.decision import DEFECTS, PROCESS_VALUES

GRID = 28  # cells of the heat map along a side


@dataclass(frozen=True, slots=True)
class Labelled:
    """Equally long columns, a row per part: files, class (0 sound, else 1 + position in DEFECTS), process values."""

    files: tuple[Path, ...]
    kind: NDArray[np.int64]
    process: NDArray[np.float32]

    @property
    def defective(self) -> NDArray[np.bool_]:
        """Which parts have a defect."""
        return self.kind > 0

    def rows(self, chosen: NDArray[np.bool_]) -> Labelled:
        """Only the chosen parts."""
        files = tuple(self.files[row] for row in np.flatnonzero(chosen))
        return Labelled(files, self.kind[chosen], self.process[chosen])

    def picture(self, row: int) -> NDArray[np.uint8]:
        """Grey levels of one part."""
        with Image.open(self.files[row]) as image:
            return np.asarray(image.convert("L"))

    def cells(self, row: int) -> NDArray[np.bool_]:
        """Which cells of the heat map the defect touches."""
        mask = self.files[row].with_suffix(".mask.png")
        if not self.kind[row]:
            return np.zeros((GRID, GRID), np.bool_)
        with Image.open(mask) as image:
            pixels = np.asarray(image.convert("L")) > 0
        side = pixels.shape[0] // GRID
        return np.asarray(pixels.reshape(GRID, side, GRID, side).any(axis=(1, 3)))


def read(folder: Path) -> Labelled:
    """The parts listed in the folder's labels.csv."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as sheet:
        rows = list(csv.DictReader(sheet))
    kinds = {"": 0} | {defect: number for number, defect in enumerate(DEFECTS, 1)}
    return Labelled(
        tuple(folder / row["file"] for row in rows),
        np.array([kinds[row["defect"]] for row in rows], np.int64),
        np.array([[float(row[name]) for name in PROCESS_VALUES] for row in rows], np.float32),
    )
