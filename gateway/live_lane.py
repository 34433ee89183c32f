"""The live lane: what the line is now, retained, beside the records, so that no backlog delays what is shown."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.model import Line, LineNow
from gateway.live import data_address, last_inspections, live
from gateway.mqtt import Message, Mqtt, RefusedError
from gateway.payload import Json, encode
from gateway.public import public
from gateway.topic import Topic

PACE_S = 0.5
BEAT_S = 2.0

Refused = Callable[[RefusedError | None], None]


class LiveLane:
    """Publishes over one link what changed, each payload with its public twin.

    After commits, at most twice a second, at least every two. A new link means a new lane, which tells everything.
    """

    def __init__(
        self,
        line: Line,
        link: Mqtt,
        now: Callable[[], LineNow],
        root: Callable[[], str],
        wait_past: Callable[[int], Awaitable[int]],
        evidence: Path,
    ) -> None:
        self._line = line
        self._link = link
        self._now = now
        self._root = root
        self._wait_past = wait_past
        self._evidence = evidence
        self._told: dict[Topic, Json] = {}
        self._images: dict[str, str] = {}

    async def run(self, refused: Refused) -> None:
        """Publish until the link is lost (MqttError). `refused` hears of a topic that was, or None, each time."""
        while True:
            now, due = self._now(), time.monotonic() + BEAT_S
            refused(await self.publish(now))
            await asyncio.sleep(PACE_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    await self._wait_past(now.seq)

    async def publish(self, now: LineNow) -> RefusedError | None:
        """Publish what changed; returns when the broker has it, with the last refusal if there was one."""
        root = self._root()
        images = await self._load(now)
        payloads = live(self._line, now, root, time.time_ns(), images)
        changed = {where: payload for where, payload in payloads.items() if self._is_new(where, payload)}
        sent = [
            (where, self._link.send(message)) for where in changed for message in self._twins(where, changed[where])
        ]
        self._told |= changed
        refusal = None
        for where, acknowledged in sent:
            try:
                await acknowledged
            except RefusedError as error:
                refusal = error
                self._told.pop(where, None)
        return refusal

    def _is_new(self, where: Topic, payload: Json) -> bool:
        """Whether it says something else than what was told last; the time alone is nothing else."""
        told = self._told.get(where)
        return told is None or any(told[key] != payload[key] for key in ("value", "quality", "sim"))

    def _twins(self, where: Topic, payload: Json) -> list[Message]:
        messages = [Message(str(where), encode(payload), retain=True)]
        twin = public(self._line, where, payload)
        if twin is not None:
            messages.append(Message(str(twin[0]), encode(twin[1]), retain=True))
        return messages

    async def _load(self, now: LineNow) -> dict[str, str]:
        """Data addresses of the last parts' images; a file that is not there yet is tried again next time."""
        names = {one.evidence for one in last_inspections(now.inspections).values() if one.evidence}
        found = {name: self._images.get(name) or await asyncio.to_thread(self._read, name) for name in names}
        self._images = {name: address for name, address in found.items() if address is not None}
        return self._images

    def _read(self, name: str) -> str | None:
        path = self._evidence / name
        if path.parent != self._evidence:
            return None
        try:
            return data_address(name, path.read_bytes())
        except OSError:
            return None
