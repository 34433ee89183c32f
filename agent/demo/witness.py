"""Two witnesses outside the agent: a subscriber at the broker, and a reader of the hall board."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from websockets.asyncio.client import connect

from gateway.consumer import Consumer
from gateway.mqtt import Broker, Mqtt

Envelope = Mapping[str, Any]


class Subscriber:
    """Takes the record lane as any consumer would: one integer a ledger, duplicates of the transport dropped.

    `interfere` stands between the wire and the consumer: it passes each envelope on as a list.
    """

    def __init__(self, broker: Broker, tree: str, interfere: Callable[[Envelope], list[Envelope]]) -> None:
        self.broker = broker
        self.tree = tree
        self.interfere = interfere
        self.consumer = Consumer()
        self.taken: list[Envelope] = []
        self.first_record = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled."""
        async with Mqtt(self.broker, client_id="tanchang-demo-witness") as client:
            await client.subscribe(f"{self.tree}/#")
            async for message in client.messages():
                with contextlib.suppress(ValueError):
                    self._take(json.loads(message.payload))

    def _take(self, payload: Any) -> None:
        if not isinstance(payload, dict) or "seq" not in payload:
            return
        if self.consumer.take(payload) == "seen":
            return
        self.taken += self.interfere(payload)
        self.first_record.set()

    async def order(self, line: str, orders: Sequence[Mapping[str, Any]]) -> None:
        """Hand production's orders in, as an MES would."""
        async with Mqtt(self.broker, client_id="tanchang-demo-orders") as client:
            for order in orders:
                await client.publish(f"{line}/_order", json.dumps(order).encode())

    @property
    def last_seq(self) -> int:
        """The newest record taken."""
        return max((int(envelope["seq"]) for envelope in self.taken), default=0)

    def count(self, kind: str) -> int:
        """How many records of a kind were taken."""
        return sum(envelope["kind"] == kind for envelope in self.taken)


class Board:
    """Reads the hall board's own WebSocket; `document` is what it shows now."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.document: Mapping[str, Any] = {}
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Read until cancelled."""
        async for socket in connect(self.address, open_timeout=10):
            with contextlib.suppress(OSError, EOFError):
                async for text in socket:
                    message = json.loads(text)
                    if "document" in message:
                        kept = {} if message["type"] == "snapshot" else self.document
                        self.document = {**kept, **message["document"]}
                        async with self._changed:
                            self._changed.notify_all()

    async def shows(self, condition: Callable[[Mapping[str, Any]], bool]) -> None:
        """Wait until the board shows that."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self.document) and condition(self.document))

    def counts(self) -> dict[str, dict[str, int]]:
        """Good and scrap of each machine, as displayed."""
        machines = self.document.get("machines", [])
        return {m["name"]: {"good": m["good"], "scrap": m["scrap"]} for m in machines if m.get("good") is not None}
