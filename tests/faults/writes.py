"""The n-th write fails, for every n: full or torn, once or three times running; a seed is n."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.life import Story, lived
from tests.faults.part import Found
from tests.faults.shim import Call, environment, failing, missing

__all__ = ["environment", "missing"]

FULL, QUICK = range(1, 501), range(10, 501, 10)
TOGETHER = 4
SUMMED = ("records", "deaths")
MORE = 5


def failed(call: Call, seed: int, folder: Path) -> Found:
    """The ledger's account after the n-th call failed and the agent went on."""
    times = 1 if seed % 2 else 3
    story = Story(seed, folder / "data")
    with failing(call, seed, times, torn=seed % 4 < 2) as disk:
        asyncio.run(lived(story, lambda: disk.count(call) >= seed + times - 1, MORE))
    return {**story.account(), "deaths": story.deaths}


def one(seed: int, folder: Path) -> Found:
    """The seed-th write."""
    return failed("write", seed, folder)
