"""Kill -9 of agent, publisher and broker at random moments; a seed is a line that lives through ten of them.

The publisher is the agent while a backlog of records is on its way out: they are one process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tests.faults.part import Found
from tests.faults.stand import Stand, missing

__all__ = ["missing"]

KILLS = 10
FULL, QUICK = 1000 // KILLS, 50 // KILLS
TOGETHER = 2
SUMMED = ("kills", "of the agent", "of the publisher", "of the broker", "records")
BOUND_S = 5.0


async def _publisher(stand: Stand) -> float:
    """Killed when a random part of a backlog has arrived."""
    stand.shut()
    await asyncio.sleep(stand.chance.uniform(0.5, 1.0))  # how much comes together meanwhile
    stand.gate.open = True
    await stand.some_new(stand.chance.randint(1, 20))
    return await stand.kill_agent()


async def _agent(stand: Stand) -> float:
    """Killed at any moment of its life."""
    await asyncio.sleep(stand.chance.uniform(0.0, 0.5))
    return await stand.kill_agent()


async def _broker(stand: Stand) -> None:
    await asyncio.sleep(stand.chance.uniform(0.0, 0.5))
    await stand.kill_broker()
    await stand.some_new(1)


async def _lived(seed: int, folder: Path) -> Found:
    stand, restarts, of = Stand(seed, folder), [], {"agent": 0, "publisher": 0, "broker": 0}
    async with stand.standing():
        for _ in range(KILLS):
            whom = stand.chance.choice(list(of))
            of[whom] += 1
            if whom == "broker":
                await _broker(stand)
            else:
                restarts.append(await (_agent if whom == "agent" else _publisher)(stand))
        found = await stand.settled()
    return {**found, "kills": KILLS, **{f"of the {whom}": n for whom, n in of.items()}, "restarts": restarts}


def one(seed: int, folder: Path) -> Found:
    """One line through its kills."""
    return asyncio.run(_lived(seed, folder))


def conclude(found: Sequence[Found]) -> str:
    """How long after a start the first new record was out, beside its bound."""
    seconds = sorted(second for one in found for second in one["restarts"])
    if not seconds:
        return ""
    p99 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    return f"restart to first publish p99 {p99:.2f} s ({'holds' if p99 < BOUND_S else 'MISSED'} {BOUND_S:g})"
