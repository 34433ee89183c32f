"""The camera over the die-casting cell: one PNG a shot, in a folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from simulators.casting import draw
from simulators.live import Live
from simulators.plant import Unit


class Camera:
    """Writes FOLDER/<shot:06d>.png for every shot of a live plant, each whole or not at all."""

    def __init__(self, live: Live, folder: Path, seed: int) -> None:
        self.folder = folder
        self.taken = 0
        self._live, self._seed = live, seed
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Take every picture that is due; returns when they are on disk."""
        async with self._turn:
            while self.taken < len(self._live.plant.units):
                await asyncio.to_thread(self._write, self._live.plant.units[self.taken])
                self.taken += 1

    def _write(self, unit: Unit) -> None:
        scenario = self._live.plant.scenario
        ribs = scenario.ribs[scenario.products[unit.product].family]
        casting = draw(np.random.default_rng([self._seed, 4, unit.shot]), unit.defect, ribs)
        mark = PngInfo()
        mark.add_text("Simulated", "true")
        mark.add_text("Shot", str(unit.shot))
        mark.add_text("Time", datetime.fromtimestamp(unit.time / 1e9, UTC).isoformat(timespec="milliseconds"))
        mark.add_text("Speed", f"{self._live.clock.speed:g}")
        path = self.folder / f"{unit.shot:06d}.png"
        part = path.with_suffix(".part")
        with part.open("wb") as sheet:
            Image.fromarray(casting.image).save(sheet, "PNG", pnginfo=mark, compress_level=1)
        part.replace(path)
