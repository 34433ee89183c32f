"""One RTU line for all units on it, over a socket or a tty: one request at a time, in the order they were asked.

RTU replies carry no transaction. A request whose asker has gone away, or whose time is over, still holds the line until
its reply has come or its time is over; then its unit is not asked before the line was silent as long (see port.py).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.contract import NotConnectedError
from drivers.frames import Frames, Note
from drivers.modbus.endpoint import Endpoint, Socket, Tty
from drivers.modbus.frame import EXCEPTION
from drivers.modbus.link import HungUpError
from drivers.modbus.rtu import IDENTITY, answers, rtu_body, rtu_frame, rtu_size
from drivers.modbus.tty import open_tty


@dataclass(eq=False, slots=True)
class Turn:
    """A request and its asker, who wants its frames noted; `reply` is None where none came in time."""

    unit: int
    pdu: bytes
    timeout: float
    reply: asyncio.Future[bytes | None]
    frames: Frames
    sent: Note | None = None


class RtuLine(asyncio.Protocol):
    """`owed(unit, timeout)` is told of each request that is given up while its reply may still come."""

    def __init__(
        self, endpoint: Endpoint, owed: Callable[[int, float], None], utc: Callable[[], int] = time.time_ns
    ) -> None:
        self.endpoint = endpoint
        self._utc = utc
        self._frames = Frames()  # of the last one who asked
        self._heard_at = 0.0
        self._owed = owed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] | None = None
        self._turns: deque[Turn] = deque()
        self._current: Turn | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._received = bytearray()
        self._spoiled = False

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None

    @property
    def quiet_s(self) -> float:
        """For how long nothing came."""
        return self._loop.time() - self._heard_at

    async def open(self) -> None:
        """Connect or open the tty; NotConnectedError where that fails."""
        if self._gone is not None:
            await asyncio.shield(self._gone)
        try:
            if isinstance(self.endpoint, Tty):
                open_tty(self.endpoint, self)
            else:
                await self._loop.create_connection(lambda: self, self.endpoint.host, self.endpoint.port)
        except OSError as error:
            what = "power, cable and address" if isinstance(self.endpoint, Socket) else "its name, cable and rights"
            raise NotConnectedError(f"{self.endpoint} cannot be opened ({error}); check {what}") from error

    async def ask(
        self,
        unit: int,
        pdus: Sequence[bytes],
        room: int,  # noqa: ARG002
        timeout: float,
        frames: Frames | None = None,
    ) -> list[bytes | None]:
        """As a TcpLink does, but there is never room for more than one."""
        replies: list[bytes | None] = [None] * len(pdus)
        for place, pdu in enumerate(pdus):
            if self._transport is None:
                raise NotConnectedError(f"{self.endpoint} closed the connection; check the device and the network")
            turn = Turn(unit, pdu, timeout, self._loop.create_future(), frames or Frames())
            self._turns.append(turn)
            self._next()
            replies[place] = await turn.reply
            if replies[place] is None:
                break
        return replies

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
        self._transport = transport  # type: ignore[assignment]  # a socket's or a tty's
        self._gone = self._loop.create_future()
        self._received.clear()
        self._heard_at = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(HungUpError(f"{self.endpoint} closed the connection ({exc or 'end of stream'}); check the device"))
        if self._gone is not None:
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        if self._current is None or self._spoiled:
            self._note(data)
            return  # nobody's reply, or what follows a broken one until its time is over
        self._received += data
        try:
            while (size := rtu_size(self._received)) is not None and len(self._received) >= size:
                octets = bytes(self._received[:size])
                del self._received[:size]
                note = self._note(octets)
                unit, pdu = rtu_body(octets)
                self._take(unit, pdu, note)
        except ValueError:
            self._note_the_rest()
            self._spoiled = True

    def _take(self, unit: int, pdu: bytes, note: Note) -> None:
        """A sound frame: the current request's reply, or a late one of another, which is nobody's."""
        turn = self._current
        if turn is not None and unit == turn.unit and answers(turn.pdu, pdu):
            if pdu[0] & EXCEPTION and turn.sent is not None:
                turn.frames.refusals.append((turn.sent, note))
            self._end(pdu)

    def _note(self, octets: bytes, *, sent: bool = False) -> Note:
        note = (self._utc(), sent, octets, 0, len(octets))
        self._frames.notes.append(note)
        return note

    def _note_the_rest(self) -> None:
        """What came and makes no frame."""
        if self._received:
            self._note(bytes(self._received))
            self._received.clear()

    def _next(self) -> None:
        while self._current is None and self._turns and self._transport is not None:
            turn = self._turns.popleft()
            if turn.reply.done():
                continue
            self._received.clear()
            self._spoiled = False
            self._current = turn
            self._timer = self._loop.call_later(turn.timeout, self._late)
            octets = rtu_frame(turn.unit, turn.pdu)
            self._frames = turn.frames
            turn.sent = self._note(octets, sent=True)
            self._transport.write(octets)

    def _late(self) -> None:
        self._given_up()
        self._end(None)

    def _given_up(self) -> None:
        """No read can take the late reply to an identification for its own: its function differs."""
        self._note_the_rest()
        turn = self._current
        if turn is not None and turn.pdu[0] != IDENTITY:
            self._owed(turn.unit, turn.timeout)

    def _end(self, reply: bytes | None) -> None:
        turn, self._current = self._current, None
        if self._timer is not None:
            self._timer.cancel()
        if turn is not None and not turn.reply.done():
            turn.reply.set_result(reply)
        self._next()

    def _fail(self, error: NotConnectedError) -> None:
        turns = [*([self._current] if self._current else []), *self._turns]
        self._given_up()
        self._current = None
        self._turns.clear()
        if self._timer is not None:
            self._timer.cancel()
        for turn in turns:
            if not turn.reply.done():
                turn.reply.set_exception(error)
