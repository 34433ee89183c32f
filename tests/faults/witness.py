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
LIMIT_S = 120.0
EVERY = 100  # records between two acknowledgements


class Witness:
    """`told` is all that came, `taken` what it counted, `last` the highest seq of each ledger; over any links.

    With a topic for acknowledgements it takes nothing early and says what it holds, as docs/wire.md asks a named
    consumer to.
    """

    def __init__(self, acks: str | None = None) -> None:
        self._acks = acks
        self._client: Client | None = None
        self._asked = False
        self.told: list[Envelope] = []
        self.taken: list[Envelope] = []
        self.last: dict[str, int] = {}
        self.sums: dict[tuple[str, str], int] = {}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._error: Exception | None = None

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
        self._client = client
        await asyncio.to_thread(client.connect, "127.0.0.1", port)
        client.subscribe("tanchang/#", qos=1)
        client.loop_start()
        try:
            async with asyncio.timeout(LIMIT_S):
                await granted.wait()
            self._acknowledge(again=True)
            yield
        finally:
            self._client = None
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    async def until(self, condition: Callable[[], bool], words: str) -> None:
        """Wait for it message by message; AssertionError in `words` where it does not come."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
                    if self._error is not None:
                        raise self._error
        except TimeoutError:
            raise AssertionError(f"{words}: not within {LIMIT_S:g} s; the last seq was {self.last}") from None

    def _hop(self, call: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(self._kept, call, *arguments)

    def _kept(self, call: Callable[..., None], *arguments: object) -> None:
        """An error of the witness is one of the run."""
        try:
            call(*arguments)
        except Exception as error:  # noqa: BLE001 - raised again where somebody waits
            self._error = error
            self._changed.set()

    def _take(self, payload: bytes) -> None:
        envelope = json.loads(payload)
        if not isinstance(envelope, dict) or "seq" not in envelope:
            return
        self.told.append(envelope)
        ledger, seq = envelope["ledger"], envelope["seq"]
        last = self.last.get(ledger, 0)
        if seq <= last:
            if seq == last:
                self._acknowledge()
            return
        if self._acks and seq > last + 1:
            if not self._asked:
                self._asked = True
                self._acknowledge(again=True)
            return
        self.last[ledger], self._asked = seq, False
        self.taken.append(envelope)
        if envelope["kind"] == "count":
            key = envelope["machine"], envelope["value"]["counter"]
            self.sums[key] = self.sums.get(key, 0) + envelope["value"]["delta"]
        if len(self.taken) % EVERY == 0:
            self._acknowledge()
        self._changed.set()

    def _acknowledge(self, *, again: bool = False) -> None:
        """What it holds, where it is asked for that; lost with the link, told again on the next."""
        if self._acks and self._client is not None:
            self._client.publish(self._acks, json.dumps({"last": self.last, "again": again}), qos=1, retain=True)
