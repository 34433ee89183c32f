"""One at a time through the event loop."""

from __future__ import annotations

import asyncio


class Turns:
    """Lets those who wait go on one per turn of the loop: whatever else is due comes in between."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def take(self) -> None:
        """Return when it is ours."""
        async with self._one:
            await asyncio.sleep(0)
