"""How long a loop keeps others waiting."""

from __future__ import annotations

import asyncio
import time

EVERY_S = 0.005


class Lag:
    """Asks to be woken every EVERY_S and keeps the worst delay, by the wall and in processor time of the loop's thread.

    The latter is what the loop itself is guilty of; the former also tells of a machine that others keep busy.
    """

    def __init__(self) -> None:
        self.wall_ms = 0.0
        self.busy_ms = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due, busy = time.monotonic() + EVERY_S, time.thread_time()
            await asyncio.sleep(EVERY_S)
            self.wall_ms = max(self.wall_ms, (time.monotonic() - due) * 1000)
            self.busy_ms = max(self.busy_ms, (time.thread_time() - busy) * 1000)
