"""One Modbus TCP connection for all units behind it. A reply belongs to a request by its transaction, or to nobody."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence

from drivers.contract import NotConnectedError
from drivers.frames import Frames, Note
from drivers.modbus.endpoint import Socket
from drivers.modbus.frame import EXCEPTION, HEADER, MAX_FOLLOWING, frame


class HungUpError(NotConnectedError):
    """The other side closed the connection."""


class Asking:
    """Requests of one unit sent together, at most `room` at a time, and what came for each."""

    __slots__ = ("done", "flying", "frames", "left", "next", "pdus", "replies", "room", "timeout", "timer", "unit")

    def __init__(self, unit: int, pdus: Sequence[bytes], room: int, timeout: float, frames: Frames) -> None:
        self.unit, self.pdus, self.room, self.timeout = unit, pdus, room, timeout
        self.frames = frames
        self.replies: list[bytes | None] = [None] * len(pdus)
        self.next, self.left = 0, len(pdus)
        self.flying: dict[int, float] = {}  # transaction -> when it was sent, oldest first
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.TimerHandle | None = None


class TcpLink(asyncio.Protocol):
    """Asks and waits. Never reconnects; transactions go on counting from one connection to the next.

    Every frame is noted where its asker wants it, at the time by `utc` (ns).
    """

    def __init__(self, endpoint: Socket, utc: Callable[[], int] = time.time_ns) -> None:
        self.endpoint = endpoint
        self._utc = utc
        self._heard_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._transaction = 0
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._gone: asyncio.Future[None] | None = None
        self._received = b""
        self._waiting: dict[int, tuple[Asking, int]] = {}
        self._seen_by: dict[int, Frames] = {}  # unit -> where its frames are noted

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None

    @property
    def quiet_s(self) -> float:
        """For how long nothing came."""
        return self._loop.time() - self._heard_at

    async def open(self) -> None:
        """Connect; NotConnectedError where nobody listens."""
        if self._gone is not None:
            await asyncio.shield(self._gone)
        try:
            await self._loop.create_connection(lambda: self, self.endpoint.host, self.endpoint.port)
        except OSError as error:
            raise NotConnectedError(
                f"{self.endpoint} does not accept a connection ({error}); check power, cable and address"
            ) from error

    async def ask(
        self, unit: int, pdus: Sequence[bytes], room: int, timeout: float, frames: Frames | None = None
    ) -> list[bytes | None]:
        """The PDU that answers each request, None from where one had none within `timeout` seconds of being sent.

        NotConnectedError when the connection breaks.
        """
        if self._transport is None:
            raise NotConnectedError(f"{self.endpoint} closed the connection; check the device and the network")
        asking = Asking(unit, pdus, room, timeout, frames or Frames())
        self._seen_by[unit] = asking.frames
        asking.timer = self._loop.call_later(timeout, self._late, asking)
        try:
            self._transport.write(self._frames(asking, self._loop.time()))
            await asking.done
        finally:
            asking.timer.cancel()
            for transaction in asking.flying:
                self._waiting.pop(transaction, None)
        return asking.replies

    async def close(self) -> None:
        """Drop the connection at once and wait until it is gone."""
        if self._transport is not None:
            self._transport.abort()
        if self._gone is not None:
            await asyncio.shield(self._gone)

    def drop(self, why: str) -> None:
        """End the connection; all who wait are told why."""
        transport, self._transport = self._transport, None
        self._fail(NotConnectedError(f"{self.endpoint}: {why}"))
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._socket = transport.get_extra_info("socket")
        self._gone = self._loop.create_future()
        self._received = b""
        self._heard_at = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._socket = None
        self._fail(HungUpError(f"{self.endpoint} closed the connection ({exc or 'end of stream'}); check the device"))
        if self._gone is not None:
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """All replies in what came, then the requests they made room for, in one write."""
        octets = self._received + data if self._received else data
        self._heard_at = now = self._loop.time()
        utc = self._utc()
        at, end, wrong = 0, len(octets), ""
        answered: dict[Asking, None] = {}
        while end - at >= HEADER.size:
            transaction, protocol, length, unit = HEADER.unpack_from(octets, at)
            if protocol or not 3 <= length <= MAX_FOLLOWING:
                wrong = f"no Modbus TCP (protocol {protocol}, length {length}); check what else answers at this address"
                break
            stop = at + 6 + length
            if stop > end:
                break
            waiting = self._waiting.get(transaction)
            if waiting is not None:
                asking, place = waiting
                if unit != asking.unit:
                    wrong = f"unit {unit} answered for unit {asking.unit}; check the gateway's unit numbers"
                    break
                asking.frames.notes.append((utc, False, octets, at, stop))
                if octets[at + 7] & EXCEPTION:
                    self._refused(asking, place, transaction, (utc, False, octets, at, stop), now)
                asking.replies[place] = octets[at + 7 : stop]
                asking.left -= 1
                del asking.flying[transaction], self._waiting[transaction]
                answered[asking] = None
            elif unit in self._seen_by:  # too late for its request
                self._seen_by[unit].notes.append((utc, False, octets, at, stop))
            at = stop
        self._received = octets[at:]
        self._go_on(answered, now)
        if wrong:
            self.drop(wrong)

    def _go_on(self, answered: dict[Asking, None], now: float) -> None:
        more = []
        for asking in answered:
            if asking.left == 0:
                if not asking.done.done():
                    asking.done.set_result(None)
            elif asking.next < len(asking.pdus):
                more.append(self._frames(asking, now))
        if more and self._transport is not None:
            self._transport.write(b"".join(more))
        elif self._waiting and self._socket is not None:
            # A server with Nagle's algorithm holds the next reply back until this one is acknowledged, which Linux
            # would do some 40 ms later where there is nothing to send.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _frames(self, asking: Asking, now: float) -> bytes:
        """The requests there is room for."""
        utc, note = self._utc(), asking.frames.notes.append
        first = asking.next
        asking.next = min(len(asking.pdus), first + asking.room - len(asking.flying))
        frames = []
        for place in range(first, asking.next):
            self._transaction = transaction = self._free_transaction()
            octets = frame(transaction, asking.unit, asking.pdus[place])
            frames.append(octets)
            note((utc, True, octets, 0, len(octets)))
            self._waiting[transaction] = (asking, place)
            asking.flying[transaction] = now
        return b"".join(frames)

    def _free_transaction(self) -> int:
        """The next one that is not 0 and that nobody waits for."""
        transaction = self._transaction % 0xFFFF + 1
        while transaction in self._waiting:
            transaction = transaction % 0xFFFF + 1
        return transaction

    def _late(self, asking: Asking) -> None:
        """Give up where the oldest request in flight has had its time; else look again when it will have."""
        if asking.done.done():
            return
        now = self._loop.time()
        oldest = next(iter(asking.flying.values()), now)
        if now - oldest < asking.timeout - 1e-6:
            asking.timer = self._loop.call_at(oldest + asking.timeout, self._late, asking)
        else:
            asking.done.set_result(None)

    def _refused(self, asking: Asking, place: int, transaction: int, answer: Note, now: float) -> None:
        """Keep a request with its exception, for others may soon push it out."""
        octets = frame(transaction, asking.unit, asking.pdus[place])
        when = answer[0] - int((now - asking.flying[transaction]) * 1e9)
        asking.frames.refusals.append(((when, True, octets, 0, len(octets)), answer))

    def _fail(self, error: NotConnectedError) -> None:
        if self._received:  # what came last is no frame, or no whole one, or another unit's
            for frames in self._seen_by.values():
                frames.notes.append((self._utc(), False, self._received, 0, len(self._received)))
            self._received = b""
        for asking in {asking: None for asking, _ in self._waiting.values()}:
            if not asking.done.done():
                asking.done.set_exception(error)
        self._waiting.clear()
