"""The broker is down, or killed with all it held, or the link to it is half open; the consumer comes back late."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.part import Found
from tests.faults.stand import Stand, missing

__all__ = ["missing"]

FULL, QUICK = 60, 3
TOGETHER = 2
SUMMED = ("records", "down", "killed", "half open")
WAYS = ("down", "killed", "half open")
HOLE_S = 8.0


async def _lived(seed: int, folder: Path) -> Found:
    stand, way = Stand(seed, folder, acknowledged=True), WAYS[seed % 3]
    async with stand.standing():
        await stand.some_new(stand.chance.randint(1, 40))
        if way == "down":
            await stand.kill_broker(down_s=stand.chance.uniform(1.0, 5.0))
        elif way == "killed":
            for _ in range(3):
                await stand.kill_broker(late_s=stand.chance.uniform(0.0, 2.0))
                await stand.some_new(stand.chance.randint(1, 40))
        else:
            stand.gate.flowing.clear()
            await asyncio.sleep(stand.chance.uniform(0.5, HOLE_S))
            stand.gate.flowing.set()
        await stand.some_new(20)
        return {**await stand.settled(), way: 1}


def one(seed: int, folder: Path) -> Found:
    """One of the three, by seed."""
    return asyncio.run(_lived(seed, folder))
