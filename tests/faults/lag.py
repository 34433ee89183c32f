"""How late a loop comes to what is due."""

from __future__ import annotations

import asyncio
import time
from typing import Any

EVERY_S = 0.005


class Lag:
    """Asks to be woken every EVERY_S and keeps the worst delay."""

    def __init__(self) -> None:
        self.worst_ms = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self.worst_ms = max(self.worst_ms, (time.monotonic() - due) * 1000)


def idle(queue: Any, seconds: float) -> None:
    """What a process that does nothing sees of this machine: its worst delay goes into the queue."""

    async def look() -> float:
        lag = Lag()
        try:
            async with asyncio.timeout(seconds):
                await lag.run()
        except TimeoutError:
            pass
        return lag.worst_ms

    queue.put(asyncio.run(look()))
