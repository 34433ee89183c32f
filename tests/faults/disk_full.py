"""The disk fills up under a ledger in use and is emptied again: it says so, keeps all in memory, and writes it then."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.durable import until_durable, until_not_durable
from tests.faults.life import Life, Story
from tests.faults.loop_disk import LoopDisk, loop_disk, missing
from tests.faults.part import Found

__all__ = ["missing"]

FULL, QUICK = 40, 3
TOGETHER = 2
SUMMED = ("records", "steps unwritten")
SIZE = 16 * 1024**2
PIECE = 4096
MORE = 5


def _fill(disk: LoopDisk) -> Path:
    """Not a byte is left."""
    ballast = disk.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PIECE))
        except OSError:
            return ballast


def _gave_up_samples(gap: Mapping[str, Any]) -> bool:
    """So that counts have room, and says it."""
    return bool(gap["cause"] == "store_full" and gap["what"] == "samples")


async def _lived(seed: int, disk: LoopDisk) -> Found:
    chance, story = random.Random(seed), Story(seed, disk.folder / "data")
    life = await Life.open(story)
    try:
        for _ in range(chance.randint(1, 20)):
            await life.step()
        ballast = await asyncio.to_thread(_fill, disk)
        after, waiting = await until_not_durable(life)
        unwritten = chance.randint(0, 20)
        for _ in range(unwritten):
            story.turn()  # the plant does not wait
        await asyncio.to_thread(ballast.unlink)
        await waiting
        await until_durable(life)
        for _ in range(MORE):
            await life.step()
    finally:
        await life.close()
    return {**story.account(_gave_up_samples), "steps unwritten": unwritten, "not durable after s": after}


def one(seed: int, folder: Path) -> Found:
    """One disk."""
    with loop_disk(folder, SIZE) as disk:
        return asyncio.run(_lived(seed, disk))
