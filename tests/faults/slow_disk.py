"""Every write takes long: a little, and nothing is noticed; or so long that the ledger must say it is not durable."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.durable import until_durable, until_not_durable
from tests.faults.life import Life, Story
from tests.faults.part import Found
from tests.faults.shim import environment, failing, missing

__all__ = ["environment", "missing"]

FULL, QUICK = 20, 2
TOGETHER = 2
SUMMED = ("records",)
SLOW_S, HANGING_S = 0.005, 0.6
MORE = 5


async def _lived(seed: int, story: Story) -> Found:
    life = await Life.open(story)
    said = {}
    try:
        for _ in range(1 + seed % 7):
            await life.step()
        if seed % 2:
            with failing(slow_s=SLOW_S):
                for _ in range(MORE):
                    await life.step()
            assert life.ledger.trouble is None, life.ledger.trouble
        else:
            with failing(slow_s=HANGING_S):
                after, waiting = await until_not_durable(life)
            said = {"not durable after s": after}
            await waiting
            await until_durable(life)
        for _ in range(MORE):
            await life.step()
    finally:
        await life.close()
    return {**story.account(), **said}


def one(seed: int, folder: Path) -> Found:
    """One disk."""
    return asyncio.run(_lived(seed, Story(seed, folder / "data")))
