"""OPC UA: one subscription, read in columns, acknowledged to the server only when the agent says so."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import chain

import numpy as np

from agent.model import BAD, Batch, Mark, Origin
from drivers.contract import Bookmark, Driver, MisconfiguredError, NotConnectedError, Tag
from drivers.opcua import bookmark
from drivers.opcua.columns import Notification, Rows, joined, select, without_value
from drivers.opcua.device import OpcuaDevice, OpcuaTag
from drivers.opcua.identity import BUILD_INFO, origin, started
from drivers.opcua.items import OUTAGE_S, Items
from drivers.opcua.kept import LAST_SEQUENCE, Kept, Told, after, in_turn
from drivers.opcua.limits import OPERATION_LIMITS, fitting, limits
from drivers.opcua.polled import Polled
from drivers.opcua.profiles import PROFILES
from drivers.opcua.publishing import Publishing
from drivers.opcua.session import NoSubscriptionsError, Session, SubscriptionGoneError
from drivers.opcua.ticket import Ticket, as_text, from_text

SIGN_OF_LIFE_S = 0.9
RENEW_AT = 0.75
MAX_REPUBLISH = 100
MARK_S = 60.0  # how often all that was told goes to disk as a whole
MAX_TRIES = 2  # links without one message of a kept subscription, then it is given up for a new one
WAITING_FOR_INITIAL_DATA = 0x8032_0000
LATEST_MS = np.iinfo(np.int64).max // 1_000_000


class OpcuaDriver(Driver[OpcuaDevice]):
    """One server, one session, one subscription. `now` is a monotonic clock in seconds."""

    device_type = OpcuaDevice

    def __init__(self, device: OpcuaDevice, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(device)
        self._now = now
        self._token = 0
        self._session: Session | None = None
        self._past: Kept | None = None
        self._forget()

    def _forget(self) -> None:
        self._publishing = Publishing()
        self._ready: deque[Notification] = deque()  # in turn, not told yet
        self._held: deque[tuple[int, int, int]] = deque()  # token, subscription, sequence
        self._sequence = self._untold = 1  # the next message to come, and to tell
        self._time = self._observed_before = 0
        self._marked = -math.inf
        self._subscription: int | None = None
        self._polled: Polled | None = None
        self._awaited: dict[int, int] | None = None
        self._restated = True
        self._leaving = self._asked_anew = False
        self._tries = 0

    async def connect(self, tags: Sequence[Tag]) -> Origin:
        own = [tag for tag in tags if isinstance(tag, OpcuaTag)]
        if len(own) != len(tags) or not tags:
            raise MisconfiguredError(f"device {self.device.name} needs OPC UA tags; write at least one with a node")
        await self.close()
        past, ticket = self._past, self._past.ticket if self._past else None
        self._session = session = Session(self.device, frames=self.frames)
        lives_on = await session.open(ticket if isinstance(ticket, Ticket) else None)
        self._asked_anew = not lives_on
        names = [tag.name for tag in own]
        self._clock = names.index(self.device.clock) if self.device.clock in names else None
        self._told = Told(len(own))
        namespace = await session.namespace(self.device.namespace)
        status = await session.read((*BUILD_INFO, *OPERATION_LIMITS))
        who = origin(status)
        name = self.device.profile or fitting(PROFILES, who.vendor, who.product)
        self._allowed = allowed = limits(status[len(BUILD_INFO) :], PROFILES[name] if name else {})
        session.items_per_call = allowed.items_per_call
        self._items = Items(own, namespace, allowed, 2 * self.device.timeout, self._now())
        self._started = started(status)
        self._meaning = sha256(repr((self.device.url, self._items.all, self._started)).encode()).hexdigest()
        self._renewal = self._now() + RENEW_AT * session.channel_lifetime_s
        if past is None or not await self._go_on(session, past, lives_on=lives_on):
            self._past = None
            if self.device.mode == "poll" or not await self._begin(session, min(tag.every for tag in own)):
                self._polled = Polled(session, own, self._items.all, allowed.per_read, self._clock, self._now)
                self._awaited = {}
        return who

    async def read(self) -> Batch:
        if self._restated and not self._ready:
            self._observed_before = 0
        if not self._restated:
            while not self._ready:
                await self._receive()
            self._restated = True
            return self._batch(self._told.all(), restated=True)
        if self._polled is not None:
            return await self._poll(self._polled)
        if self._awaited is not None:
            batch = self._observed(*await self._first(self._awaited))
            self._awaited = None
            return batch
        notification = await self._next()
        return self._observed([notification], notification.rows)

    async def _poll(self, polled: Polled) -> Batch:
        if self._session is not None:
            await self._renew(self._session)
        rows, published = await polled.next()
        batch = self._observed([Notification(0, 0, published)], [rows])
        self._awaited = None
        return batch

    async def acknowledge(self, token: int) -> None:
        while self._held and self._held[0][0] <= token:
            _, subscription, sequence = self._held.popleft()
            self._publishing.released.append((subscription, sequence))

    async def close(self) -> None:
        await self._publishing.stop()
        session, self._session, leave = self._session, None, self._leaving
        self._forget()
        if session is not None:
            await session.close(leave=leave)

    def keep(self) -> object | None:
        if self._past is not None:  # nothing was taken up yet
            self._leaving = not self._asked_anew
            return self._past
        if self._session is None or self._subscription is None or self._awaited is not None:
            return None
        if self._tries >= MAX_TRIES:
            return None
        more, sequence = in_turn(self._publishing.rest(), self._sequence)
        self._leaving = True
        return self._kept(self._session, self._subscription, sequence, (*self._ready, *more))

    def resume(self, kept: object) -> None:
        if isinstance(kept, Bookmark):
            try:
                past, ticket = bookmark.kept(kept)
                kept = replace(past, ticket=from_text(ticket))
            except ValueError:
                kept = None  # read anew
        self._past = kept if isinstance(kept, Kept) else None

    def _kept(self, session: Session, subscription: int, sequence: int, ready: tuple[Notification, ...]) -> Kept:
        return Kept(
            ticket=session.ticket,
            meaning=self._meaning,
            subscription=subscription,
            silence_s=self._silence_s,
            sequence=sequence,
            ready=ready,
            unacknowledged=(
                *self._publishing.released,
                *((subscription, number) for _, subscription, number in self._held),
            ),
            refused=self._items.wanted.refused,
            told=self._told.all(),
            time=self._time,
            tries=self._tries,
            observed=self._observed_before,
            numbers=dict(self._items.numbers),
        )

    async def _begin(self, session: Session, shortest: float) -> bool:
        """A subscription of our own, to all tags. False where the server has none and may be polled."""
        life_s = min(SIGN_OF_LIFE_S, self.device.timeout / 2)
        shortest = max(min(shortest, life_s), self._allowed.publishing_s)
        try:
            terms = await session.subscribe(shortest, max(1, int(life_s / shortest)), math.ceil(OUTAGE_S / shortest))
        except NoSubscriptionsError:
            if self.device.mode == "subscribe":
                raise
            return False
        self._subscription = terms.SubscriptionId
        cycle_s = terms.RevisedPublishingInterval / 1000
        self._silence_s = cycle_s * terms.RevisedMaxKeepAliveCount + self.device.timeout
        self._awaited = await self._items.make(session, terms.SubscriptionId, tuple(self._items.all), self._now())
        return True

    async def _go_on(self, session: Session, past: Kept, *, lives_on: bool) -> bool:
        """Take up the subscription of before, and first of all what was sent while nobody listened.

        False where the server has it no more, or its handles would mean something else today.
        """
        if past.meaning != self._meaning or not (lives_on or await self._transferred(session, past.subscription)):
            return False
        self._subscription, self._silence_s, self._sequence = past.subscription, past.silence_s, past.sequence
        self._untold = past.ready[0].sequence if past.ready else past.sequence
        self._observed_before = past.observed
        self._ready.extend(past.ready)
        self._held.extend((self._token + 1, *one) for one in past.unacknowledged)
        self._told.note(past.told)
        self._time, self._restated, self._tries = past.time, False, past.tries + 1
        self._items.wanted.answered(dict.fromkeys(past.refused, BAD), self._now())
        self._items.numbers.update(past.numbers)
        self._past = None  # what is taken up from here on is in this driver alone
        try:
            while (message := await session.republish(past.subscription, self._sequence)) is not None:
                self._take(message)
        except SubscriptionGoneError:
            self._forget_subscription()
            return False
        return True

    async def _transferred(self, session: Session, subscription: int) -> bool:
        """A server that does not tell when it started may have given the number to somebody else since."""
        return self._started is not None and await session.transfer(subscription)

    def _forget_subscription(self) -> None:
        """Nothing of it is left in the server."""
        tries = self._tries
        self._items.forget()
        self._ready.clear()
        self._held.clear()
        self._subscription, self._sequence, self._restated, self._tries = None, 1, True, tries
        self._untold, self._observed_before = 1, 0

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
        return notifications, [*told, without_value(refused | missing)]

    async def _next(self) -> Notification:
        """The next notification in turn: what was lost on the way is fetched again and comes before it."""
        while not self._ready:
            await self._receive()
        notification = self._ready.popleft()
        if not notification.is_keep_alive:  # held until the batch it is part of is acknowledged
            self._held.append((self._token + 1, notification.subscription, notification.sequence))
            self._untold = after(notification.sequence)
        return notification

    async def _receive(self) -> None:
        """Wait for what the server publishes next, and do what is due before."""
        session, subscription = self._session, self._subscription
        if session is None or subscription is None:
            raise NotConnectedError(f"the link to {self.device.url} is not open; connect first")
        await self._do_what_is_due(session, subscription)
        self._publishing.ask(session)
        try:
            arrived = await self._publishing.first(self._silence_s)
        except TimeoutError as error:
            raise NotConnectedError(
                f"{self.device.url} has been silent for {self._silence_s:.1f} s; check the network and the server"
            ) from error
        if arrived is None or arrived.subscription != subscription:
            return  # it holds fewer requests, or that was the end of one that was given up
        if arrived.ended is not None:
            self._forget_subscription()
            raise NotConnectedError(f"{self.device.url} gave the subscription up with status {arrived.ended:#010x}")
        await self._put_in_turn(session, arrived)
        self._tries = 0

    async def _do_what_is_due(self, session: Session, subscription: int) -> None:
        """New keys for the channel, and another try for the nodes that the server refused."""
        await self._renew(session)
        await self._items.tend(session, subscription, self._told, self._now())

    async def _renew(self, session: Session) -> None:
        if self._now() >= self._renewal:
            await session.renew()
            self._renewal = self._now() + RENEW_AT * session.channel_lifetime_s

    async def _put_in_turn(self, session: Session, arrived: Notification) -> None:
        lost = (arrived.sequence - self._sequence) % LAST_SEQUENCE
        if arrived.is_keep_alive and lost > MAX_REPUBLISH:
            lost = 0  # some servers put the last number in a keep-alive, not the next
        if lost > MAX_REPUBLISH:
            last, self._subscription = self._sequence, None  # what lies between is lost: no link can go on from here
            raise NotConnectedError(
                f"{self.device.url} skipped from message {last} to {arrived.sequence}; reading all tags anew"
            )
        for _ in range(lost):
            message = await session.republish(arrived.subscription, self._sequence)
            if message is None:
                self._subscription = None
                raise NotConnectedError(
                    f"{self.device.url} no longer has message {self._sequence}; reading all tags anew"
                )
            self._take(message)
        self._take(arrived)

    def _take(self, message: Notification) -> None:
        """The message in turn has come."""
        self._ready.append(message)
        if not message.is_keep_alive:
            self._sequence = after(self._sequence)

    def _observed(self, notifications: Sequence[Notification], parts: Iterable[Rows]) -> Batch:
        """One batch of all rows. After the first one the clock moves its time and is not listed while it is good."""
        rows = joined([*parts] or [without_value({})])
        rows = select(rows, rows.handle < len(self._items.all))
        published = max((notification.published for notification in notifications), default=0)
        clock = None
        if self._clock is None:
            self._time = max(self._time, published)
        else:
            clock = rows.handle == self._clock
            sound = rows.value[clock]
            sound = sound[(sound > 0) & (sound <= LATEST_MS)]
            self._time = int(sound[-1]) * 1_000_000 if len(sound) else self._time or published
        rows = Rows(
            rows.handle,
            rows.value,
            np.where(rows.source_time > 0, rows.source_time, self._time),
            rows.status,
            rows.text,
        )
        new = ~self._told.again(rows)  # some servers tell what an item holds once more over a link that was taken up
        self._told.note(rows)
        self._items.heard(rows, self._now())
        if clock is not None and self._awaited is None:
            new &= ~(clock & np.isfinite(rows.value))
        return self._batch(select(rows, new))

    def _batch(self, rows: Rows, *, restated: bool = False) -> Batch:
        self._token += 1
        return Batch(
            index=rows.handle,
            value=rows.value,
            source_time=rows.source_time,
            status=rows.status,
            time=max(self._time, self._observed_before),
            token=self._token,
            text=rows.text,
            mark=self._mark() if len(rows.handle) and not restated else None,
            restated=restated,
        )

    def _mark(self) -> Mark | None:
        """How a later process goes on after the batch that is being told."""
        session, subscription = self._session, self._subscription
        if session is None or subscription is None:
            return None
        oldest = next(chain((n for _, n in self._publishing.released), (n for _, _, n in self._held)), self._untold)
        place = bookmark.place(subscription, self._untold, oldest, self._time)
        if self._now() < self._marked + MARK_S:
            return Mark(place)
        self._marked = self._now()
        kept = self._kept(session, subscription, self._untold, ())
        return Mark(place, bookmark.whole(kept, as_text(session.ticket)))
