"""A consumer that owes nothing to what it tests: paho itself, and one integer a ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

Envelope = dict[str, Any]
LIMIT_S = 60.0


class Witness:
    """`told` is all that came, `taken` what it counted, `last` the highest seq of each ledger; over any links."""

    def __init__(self) -> None:
        self.told: list[Envelope] = []
        self.taken: list[Envelope] = []
        self.last: dict[str, int] = {}
        self.skipped: list[str] = []
        self.sums: dict[tuple[str, str], int] = {}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Subscribed within the block."""
        granted = asyncio.Event()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="witness",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.on_message = lambda _c, _u, message: self._hop(self._take, message.payload)
        client.on_subscribe = lambda *_: self._hop(granted.set)
        await asyncio.to_thread(client.connect, "127.0.0.1", port)
        client.subscribe("tanchang/#", qos=1)
        client.loop_start()
        try:
            async with asyncio.timeout(LIMIT_S):
                await granted.wait()
            yield
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    async def until(self, condition: Callable[[], bool], words: str) -> None:
        """Wait for it message by message; AssertionError in `words` where it does not come."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{words}: not within {LIMIT_S:g} s; the last seq was {self.last}") from None

    def _hop(self, call: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(call, *arguments)

    def _take(self, payload: bytes) -> None:
        envelope = json.loads(payload)
        if not isinstance(envelope, dict) or "seq" not in envelope:
            return
        self.told.append(envelope)
        ledger, seq = envelope["ledger"], envelope["seq"]
        if seq <= self.last.get(ledger, 0):
            return
        if seq != self.last.get(ledger, 0) + 1:
            self.skipped.append(f"{self.last.get(ledger, 0) + 1}..{seq - 1}")
        self.last[ledger] = seq
        self.taken.append(envelope)
        if envelope["kind"] == "count":
            key = envelope["machine"], envelope["value"]["counter"]
            self.sums[key] = self.sums.get(key, 0) + envelope["value"]["delta"]
        self._changed.set()
