"""The record lane: the ledger, strictly in seq, at least once; the cursor follows the broker's acknowledgements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from agent.model import Line, Record
from gateway.mqtt import Message, Mqtt
from gateway.payload import encode, record
from gateway.topic import topic

SINK = "mqtt"
IN_FLIGHT = 16  # the broker sees at most 20 at once: the rest is the live lane's
READ = 200

# A PUBACK is no durability: a broker that dies may take what it has acknowledged with it. A consumer
# that keeps one integer drops what it has; only what it missed is new to it.
REPEATED = 100


class Outbox(Protocol):
    """The ledger as the uplink sees it."""

    @property
    def id(self) -> str:
        """Which ledger this is; seq counts in it."""

    @property
    def root(self) -> str:
        """Four hex digits over all its records."""

    async def records(self, after: int, limit: int) -> list[Record]:
        """Committed records with seq > after, in order."""

    def cursor(self, sink: str) -> int:
        """Up to which seq the sink has everything."""

    async def move_cursor(self, sink: str, seq: int) -> None:
        """Remember it."""

    async def wait_past(self, seq: int) -> int:
        """Return once there are records beyond seq."""


class RecordLane:
    """Drains the ledger over one link; a new link means a new lane. Ends by MqttError only.

    A record the broker refuses holds all that follow: none is ever left out.
    """

    def __init__(self, line: Line, ledger: Outbox, link: Mqtt) -> None:
        self._line = line
        self._ledger = ledger
        self._link = link
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._sent: asyncio.Queue[tuple[int, asyncio.Future[None]]] = asyncio.Queue()

    async def send(self) -> None:
        """Send what is committed, in order, while there is room in flight."""
        at = max(0, self._ledger.cursor(SINK) - REPEATED)
        while True:
            await self._ledger.wait_past(at)
            for one in await self._ledger.records(at, READ):
                await self._room.acquire()
                self._sent.put_nowait((one.seq, self._link.send(self._message(one))))
                at = one.seq

    async def settle(self, moved: Callable[[], None]) -> None:
        """Move the cursor as acknowledgements come in, in order; calls `moved` each time."""
        while True:
            seq, acknowledged = await self._sent.get()
            await acknowledged
            self._room.release()
            if seq > self._ledger.cursor(SINK):
                await self._ledger.move_cursor(SINK, seq)
                moved()

    def _message(self, one: Record) -> Message:
        where = topic(self._line, f"_{one.kind.value}", one.machine)
        return Message(str(where), encode(record(self._ledger.id, one)))
