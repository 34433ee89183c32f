"""The record lane: the ledger, strictly in seq, at least once; the cursor follows the broker's acknowledgements.

With a consumer named it runs no more than a window ahead of what that one says it holds, and goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from agent.model import Line, Record
from gateway.ack import Ack, Window
from gateway.mqtt import Message, Mqtt
from gateway.payload import encode, record
from gateway.sink import MQTT as SINK
from gateway.sink import sink_of
from gateway.topic import topic

IN_FLIGHT = 16  # the broker sees at most 20 at once: the rest is the live lane's
READ = 200

# A PUBACK is no durability: a broker that dies may take what it has acknowledged with it. A consumer
# that keeps one integer drops what it has; only what it missed is new to it.
REPEATED = 100

# A consumer that is behind and says nothing is told again, ever less often.
PATIENCE_S = 15.0
LONGEST_PATIENCE_S = 300.0

Silent = Callable[[int, int], None]


class Outbox(Protocol):
    """The ledger as the uplink sees it."""

    @property
    def id(self) -> str:
        """Which ledger this is; seq counts in it."""

    @property
    def last_seq(self) -> int:
        """The last committed record."""

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

    A record the broker refuses holds all that follow: none is ever left out. `consumer` is the name of the one
    whose acknowledgements the lane keeps to.
    """

    def __init__(self, line: Line, ledger: Outbox, link: Mqtt, consumer: str | None = None) -> None:
        self._line = line
        self._ledger = ledger
        self._link = link
        self._kept = sink_of(consumer) if consumer else None
        held = ledger.cursor(self._kept) if self._kept else None
        self._window = Window(max(0, ledger.cursor(SINK) - REPEATED), held)
        self._patience = PATIENCE_S
        self._heard = asyncio.Event()
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._sent: asyncio.Queue[tuple[int, asyncio.Future[None]]] = asyncio.Queue()

    async def send(self, silent: Silent) -> None:
        """Send what is committed, in order, while there is room in flight and in the window.

        `silent` is called when the consumer was told again and still says nothing: with the last seq it holds, and the
        first one there is beyond it.
        """
        if self._kept and self._window.held is not None:
            await self._ledger.move_cursor(self._kept, self._window.held)  # from now on the ledger keeps what it needs
        while True:
            turn = self._window.turn
            for one in await self._due(silent):
                await self._room.acquire()
                if self._window.turn != turn:
                    self._room.release()
                    break
                self._sent.put_nowait((one.seq, self._link.send(self._message(one))))
                self._window.at = one.seq

    async def settle(self, moved: Callable[[], None]) -> None:
        """Move the cursor as acknowledgements come in, in order; calls `moved` each time."""
        while True:
            seq, acknowledged = await self._sent.get()
            await acknowledged
            self._room.release()
            if seq > self._ledger.cursor(SINK):
                await self._ledger.move_cursor(SINK, seq)
                moved()

    async def hear(self, ack: Ack) -> None:
        """What the consumer says it holds; remembered as a cursor of its own."""
        self._window.hear(ack)
        self._patience = PATIENCE_S
        self._heard.set()
        if self._kept and self._window.held is not None:
            await self._ledger.move_cursor(self._kept, self._window.held)

    async def _due(self, silent: Silent) -> list[Record]:
        """The next records that may be sent; waits until there are some."""
        while True:
            room = self._window.room(READ)
            if room and (found := await self._ledger.records(self._window.at, room)):
                return found
            if not await self._stirred(growing=room > 0):
                held = self._window.held or 0
                if self._patience > PATIENCE_S and (left := await self._ledger.records(held, 1)):
                    silent(held, left[0].seq)
                self._window.turn_back()
                self._patience = min(self._patience * 2, LONGEST_PATIENCE_S)

    async def _stirred(self, *, growing: bool) -> bool:
        """Wait for the consumer's word or, if `growing` helps, the next record; False if the consumer is overdue."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._heard.wait())]
        if growing:
            waits.append(asyncio.create_task(self._ledger.wait_past(self._window.at)))
        try:
            done, _ = await asyncio.wait(
                waits,
                timeout=self._patience if self._window.ahead else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in waits:
                task.cancel()
        self._heard.clear()
        return bool(done)

    def _message(self, one: Record) -> Message:
        where = topic(self._line, f"_{one.kind.value}", one.machine)
        return Message(str(where), encode(record(self._ledger.id, one)))
