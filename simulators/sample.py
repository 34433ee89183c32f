"""A labelled set of castings on disk, to train and test an inspection model on: no server, no clock."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from simulators.casting import draw
from simulators.shot import HEALTHY, Die, Process, defect_of

COLUMNS = ("file", "shot", "defect", "left", "top", "right", "bottom", *HEALTHY)
RIBS = (6, 8)  # 3 l and 5 l cooker


def shots(seed: int) -> Iterator[tuple[Process, str | None]]:
    """Shots of one endless casting run with short stops: what was latched, and what came out."""
    rng = np.random.default_rng([seed, 1])
    die = Die(rng)
    while True:
        if rng.random() < 0.01:
            die.rest(float(rng.uniform(30.0, 240.0)))
        process = die.shoot()
        yield process, defect_of(process, rng)


def thin(
    run: Iterator[tuple[Process, str | None]], share: float | None, seed: int
) -> Iterator[tuple[Process, str | None]]:
    """Leave out shots at random until defective ones are `share` of those that stay; all stay where it is None."""
    rng = np.random.default_rng([seed, 2])
    while True:
        wanted = share is not None and rng.random() < share
        yield next(made for made in run if share is None or (made[1] is not None) == wanted)


def write(folder: Path, count: int, seed: int, share: float | None = None) -> None:
    """Write `count` pictures NNNNNN.png, a NNNNNN.mask.png beside each defective one, and labels.csv.

    `share` is how many of them are defective, 0..1 (about; the line's own rate where None).
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = thin(shots(seed), share, seed)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as sheet:
        labels = csv.writer(sheet)
        labels.writerow(COLUMNS)
        for shot in range(1, count + 1):
            process, defect = next(run)
            name = f"{shot:06d}.png"
            rng = np.random.default_rng([seed, 3, shot])
            casting = draw(rng, defect, RIBS[int(rng.integers(2))])
            mark = PngInfo()
            mark.add_text("Simulated", "true")
            Image.fromarray(casting.image).save(folder / name, pnginfo=mark, compress_level=1)
            if defect is not None:
                Image.fromarray(casting.mask).save(folder / f"{shot:06d}.mask.png")
            box = casting.box or ("", "", "", "")
            values = (f"{value:.4f}" for value in process.values().values())
            labels.writerow((name, shot, defect or "", *box, *values))
