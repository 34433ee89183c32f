"""Whether a ledger says that it cannot write, and how soon."""

from __future__ import annotations

import asyncio
import time

from tests.faults.life import Life

BOUND_S = 5.0
LIMIT_S = 120.0
LOOK_S = 0.01
MOST_STEPS = 5000


async def until_not_durable(life: Life) -> tuple[float, asyncio.Task[None]]:
    """Step until a step does not reach the disk: seconds from its begin to `durable` False, and the step that waits."""
    for _ in range(MOST_STEPS):
        began = time.monotonic()
        step = asyncio.create_task(life.step())
        while life.ledger.durable and not step.done():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)  # a ledger tells nobody that it fails
        if not life.ledger.durable:
            return _soon(time.monotonic() - began), step
        await step
    raise AssertionError(f"{MOST_STEPS} steps on a disk that takes nothing, and it calls itself durable")


async def until_durable(life: Life) -> None:
    """It takes its word back."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not life.ledger.durable:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)  # a ledger tells nobody that it fails
    except TimeoutError:
        raise AssertionError(f"the disk works again, the ledger says: {life.ledger.trouble}") from None


def _soon(seconds: float) -> float:
    assert seconds <= BOUND_S, f"it said so after {seconds:.1f} s"
    return round(seconds, 3)
