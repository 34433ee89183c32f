"""Secrets as argon2id hashes, computed in one thread of their own: a flood of log-ins queues up here and is bounded."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

# The OWASP floor for argon2id: a gateway has little memory, and one lane, so that half a core stays for the machines.
LANE = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
MOST_WAITING = 8
Result = TypeVar("Result")


class BusyError(Exception):
    """More secrets wait to be checked than is good for the machines: try again in a second."""


class Secrecy:
    """Hashes and checks secrets. Checking takes as long for somebody nobody knows."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "argon2", _step_back)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, secret: str) -> str:
        """What is kept of a secret; BusyError."""
        return await self._run(lambda: LANE.hash(secret))

    async def fits(self, secret: str, hashed: str | None) -> bool:
        """Whether this is the secret of `hashed`; None is a user nobody knows, False after the same work; BusyError."""
        return await self._run(lambda: self._fits(secret, hashed))

    def _fits(self, secret: str, hashed: str | None) -> bool:
        if self._nobody is None:
            self._nobody = LANE.hash("nobody")
        return LANE.verify(secret, hashed or self._nobody) and hashed is not None

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MOST_WAITING:
            raise BusyError("too many log-ins at once: try again in a second")
        self._waiting += 1
        asked = asyncio.get_running_loop().run_in_executor(self._pool, work)
        asked.add_done_callback(self._done)
        # Whoever asked may go away: the work goes on and counts until it is done.
        return await asyncio.shield(asked)

    def _done(self, _: object) -> None:
        self._waiting -= 1


def _step_back() -> None:
    """Reading machines comes first. On Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
