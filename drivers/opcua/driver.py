"""OPC UA: one subscription, read in columns, acknowledged to the server only when the agent says so."""

from __future__ import annotations

import asyncio
import math
import time
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from asyncua import ua

from agent.model import Batch, Origin
from drivers.contract import Driver, MisconfiguredError, NotConnectedError, Tag
from drivers.opcua.columns import Notification, Rows, joined
from drivers.opcua.device import OpcuaDevice, OpcuaTag
from drivers.opcua.identity import BUILD_INFO, origin
from drivers.opcua.session import Session, TooManyPublishRequestsError

SIGN_OF_LIFE_S = 0.9
OUTAGE_S = 60.0
MAX_QUEUE = 1000
OUTSTANDING = 2
RENEW_AT = 0.75
MAX_REPUBLISH = 100
NAMESPACES = 2255
WAITING_FOR_INITIAL_DATA = 0x8032_0000
LATEST_MS = np.iinfo(np.int64).max // 1_000_000
LAST_SEQUENCE = 2**32 - 1
IDENTIFIERS: Mapping[str, Callable[[str], Any]] = {"s": str, "i": int, "g": UUID, "b": b64decode}


class OpcuaDriver(Driver[OpcuaDevice]):
    """One server, one session, one subscription. `now` is a monotonic clock in seconds."""

    device_type = OpcuaDevice

    def __init__(self, device: OpcuaDevice, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(device)
        self._now = now
        self._token = 0
        self._session: Session | None = None
        self._forget()

    def _forget(self) -> None:
        self._publishing: set[asyncio.Task[None]] = set()
        self._arrived: asyncio.Queue[Notification | NotConnectedError] = asyncio.Queue()
        self._outstanding = OUTSTANDING
        self._held: deque[tuple[int, int, int]] = deque()  # token, subscription, sequence
        self._released: list[tuple[int, int]] = []
        self._sequence = 1
        self._time = 0
        self._awaited: dict[int, int] | None = None

    async def connect(self, tags: Sequence[Tag]) -> Origin:
        own = [tag for tag in tags if isinstance(tag, OpcuaTag)]
        if len(own) != len(tags) or not tags:
            raise MisconfiguredError(f"device {self.device.name} needs OPC UA tags; write at least one with a node")
        await self.close()
        self._session = session = Session(self.device)
        await session.open()
        names = [tag.name for tag in own]
        self._clock = names.index(self.device.clock) if self.device.clock in names else None
        namespace = await self._namespace(session)
        info = origin(await session.read(BUILD_INFO))
        life_s = min(SIGN_OF_LIFE_S, self.device.timeout / 2)
        shortest = min(*(tag.every for tag in own), life_s)
        items = {i: (_node_id(tag.node, namespace), tag.every, _queue(tag.every)) for i, tag in enumerate(own)}
        terms, self._awaited = await session.subscribe(
            shortest, max(1, int(life_s / shortest)), math.ceil(OUTAGE_S / shortest), items
        )
        cycle_s = terms.RevisedPublishingInterval / 1000
        self._silence_s = cycle_s * terms.RevisedMaxKeepAliveCount + self.device.timeout
        self._renewal = self._now() + RENEW_AT * session.channel_lifetime_s
        return info

    async def read(self) -> Batch:
        if self._awaited is not None:
            batch = self._batch(*await self._first(self._awaited))
            self._awaited = None
            return batch
        notification = await self._next()
        return self._batch([notification], notification.rows)

    async def acknowledge(self, token: int) -> None:
        while self._held and self._held[0][0] <= token:
            _, subscription, sequence = self._held.popleft()
            self._released.append((subscription, sequence))

    async def close(self) -> None:
        for task in self._publishing:
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)
        session, self._session = self._session, None
        self._forget()
        if session is not None:
            await session.close()

    async def _namespace(self, session: Session) -> int:
        """The index that the device's namespace has in the server today."""
        if self.device.namespace is None:
            return 0
        known = (await session.read([NAMESPACES]))[0] or []
        if self.device.namespace not in known:
            raise NotConnectedError(
                f"{self.device.url} has no namespace {self.device.namespace!r}; it has {', '.join(map(str, known))}"
            )
        return int(known.index(self.device.namespace))

    async def _first(self, statuses: dict[int, int]) -> tuple[list[Notification], list[Rows]]:
        """Notifications until every item the server accepted has told its value, and rows for all that have none."""
        refused = {handle: status for handle, status in statuses.items() if status >> 31}
        missing = dict.fromkeys(statuses.keys() - refused.keys(), WAITING_FOR_INITIAL_DATA)
        notifications: list[Notification] = []
        deadline = self._now() + self.device.timeout / 2
        while not notifications or (missing and self._now() < deadline):
            notifications.append(await self._next())
            for rows in notifications[-1].rows:
                for handle in rows.handle.tolist():
                    missing.pop(handle, None)
        told = [rows for notification in notifications for rows in notification.rows]
        return notifications, [*told, _without_value(refused | missing)]

    async def _next(self) -> Notification:
        """The next notification in sequence, what was lost on the way fetched again and put before its own rows."""
        session = self._session
        if session is None:
            raise NotConnectedError(f"the link to {self.device.url} is not open; connect first")
        if self._now() >= self._renewal:
            await session.renew()
            self._renewal = self._now() + RENEW_AT * session.channel_lifetime_s
        while len(self._publishing) < self._outstanding:
            task = asyncio.create_task(self._publish(session), name=f"{self.device.name} publish")
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)
        try:
            async with asyncio.timeout(self._silence_s):
                arrived = await self._arrived.get()
        except TimeoutError as error:
            raise NotConnectedError(
                f"{self.device.url} has been silent for {self._silence_s:.1f} s; check the network and the server"
            ) from error
        if isinstance(arrived, TooManyPublishRequestsError) and self._outstanding > 1:
            self._outstanding = 1
            return await self._next()
        if isinstance(arrived, NotConnectedError):
            raise arrived
        if arrived.ended is not None:
            raise NotConnectedError(f"{self.device.url} gave the subscription up with status {arrived.ended:#010x}")
        return await self._in_sequence(session, arrived)

    async def _publish(self, session: Session) -> None:
        """One PublishRequest, with all that was released since the last one; its result goes to the queue."""
        released, self._released = self._released, []
        try:
            self._arrived.put_nowait(await session.publish(released))
        except NotConnectedError as error:
            self._released = released + self._released
            self._arrived.put_nowait(error)

    async def _in_sequence(self, session: Session, arrived: Notification) -> Notification:
        lost = (arrived.sequence - self._sequence) % LAST_SEQUENCE
        if arrived.is_keep_alive and lost > MAX_REPUBLISH:
            lost = 0  # some servers put the last number in a keep-alive, not the next
        if lost > MAX_REPUBLISH:
            raise NotConnectedError(
                f"{self.device.url} skipped from message {self._sequence} to {arrived.sequence}; reading all tags anew"
            )
        again: list[Rows] = []
        for _ in range(lost):
            again += await session.republish(arrived.subscription, self._sequence)
            self._count(arrived.subscription)
        if not arrived.is_keep_alive:
            self._count(arrived.subscription)
        rows = (*again, *arrived.rows)
        return Notification(arrived.subscription, arrived.sequence, arrived.published, rows)

    def _count(self, subscription: int) -> None:
        """The message in turn has come: it is held until the batch it is part of is acknowledged."""
        self._held.append((self._token + 1, subscription, self._sequence))
        self._sequence = self._sequence % LAST_SEQUENCE + 1

    def _batch(self, notifications: Sequence[Notification], parts: Sequence[Rows]) -> Batch:
        """One batch of all rows. After the first one the clock moves its time and is not listed while it is good."""
        rows = joined(parts) if parts else joined([_without_value({})])
        published = max((notification.published for notification in notifications), default=0)
        if self._clock is None:
            self._time = max(self._time, published)
        else:
            ours = rows.handle == self._clock
            sound = rows.value[ours]
            sound = sound[(sound > 0) & (sound <= LATEST_MS)]
            self._time = int(sound[-1]) * 1_000_000 if len(sound) else self._time or published
            if self._awaited is None:
                rows = _select(rows, ~(ours & np.isfinite(rows.value)))
        self._token += 1
        return Batch(
            index=rows.handle,
            value=rows.value,
            source_time=np.where(rows.source_time > 0, rows.source_time, self._time),
            status=rows.status,
            time=self._time,
            token=self._token,
            text=rows.text,
        )


def _select(rows: Rows, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rows:
    if kept.all():
        return rows
    places = np.flatnonzero(kept)
    text = {new: rows.text[old] for new, old in enumerate(places.tolist()) if old in rows.text} if rows.text else {}
    return Rows(rows.handle[kept], rows.value[kept], rows.source_time[kept], rows.status[kept], text)


def _without_value(statuses: dict[int, int]) -> Rows:
    size = len(statuses)
    handle, status = np.array(list(statuses), np.uint32), np.array(list(statuses.values()), np.uint32)
    return Rows(handle, np.full(size, np.nan), np.zeros(size, np.int64), status)


def _queue(every_s: float) -> int:
    return min(MAX_QUEUE, math.ceil(OUTAGE_S / every_s))


def _node_id(text: str, namespace: int) -> ua.NodeId:
    """A tag's node; `namespace` is where those belong that name none."""
    if text.startswith("ns="):
        index, _, text = text.removeprefix("ns=").partition(";")
        namespace = int(index)
    try:
        return ua.NodeId(IDENTIFIERS[text[0]](text[2:]), ua.Int16(namespace))
    except ValueError as error:
        raise MisconfiguredError(f"node {text!r} is not a node id ({error}); copy it from the server") from error
