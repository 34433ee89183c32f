"""One connection for each endpoint, shared by the devices behind it; what was learned of each unit outlives it.

A unit that falls silent while its neighbours answer is asked ever less often. Where every unit is silent the connection
is dropped, so that a half-open one is not kept for ever. Of several requests in flight, those that a unit leaves
unanswered or calls busy are asked again one by one, and the next time fewer are sent at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.contract import NotConnectedError
from drivers.frames import Frames
from drivers.modbus.endpoint import Endpoint, Socket
from drivers.modbus.frame import EXCEPTION, GATEWAY_REFUSED
from drivers.modbus.line import RtuLine
from drivers.modbus.link import TcpLink
from drivers.modbus.rtu import IDENTITY

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
QUIET_S = 30.0
BUSY = 6


class UnitSilentError(NotConnectedError):
    """The connection is there; this unit does not answer on it."""


@dataclass(slots=True)
class UnitRecord:
    """What was learned of a unit. Times are monotonic.

    `room` is how many requests at once it takes, where it took fewer than it was sent, `proven` how many it took;
    `silent` how often in a row it did not answer; before `ask_after` it is not asked, before `owed_until` a late reply
    may still come.
    """

    room: int | None = None
    proven: int = 0
    silent: int = 0
    ask_after: float = 0.0
    owed_until: float = 0.0

    def says_nothing(self, now: float) -> bool:
        """Whether a fresh record would do as well."""
        return self.room is None and self.owed_until <= now


class Seat:
    """One device's place at a port, and where its frames are noted."""

    def __init__(self, port: ModbusPort, unit: int, outstanding: int, frames: Frames) -> None:
        self._port, self._unit, self._outstanding, self._frames = port, unit, outstanding, frames
        self._left = False

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent."""
        return not self._left and self._port.link.is_open

    @property
    def hangs_up(self) -> bool:
        """Whether the device closed the connection when it was asked who it is."""
        return self._unit in self._port.mute

    async def open(self) -> None:
        """Open the port where it is not; NotConnectedError where that fails or the unit's pause is not over."""
        self._port.check(self._unit)
        await self._port.open()

    async def reopen(self) -> None:
        """Open again after the device hung up on being asked who it is; while the port lives it is not asked again."""
        await self._port.open()
        self._port.mute.add(self._unit)

    async def ask(self, pdus: Sequence[bytes], timeout: float) -> list[bytes]:
        """The PDU that answers each request; NotConnectedError where one has none `timeout` seconds after its turn."""
        return await self._port.ask(self._unit, pdus, self._outstanding, timeout, self._frames)

    def unreachable(self) -> UnitSilentError:
        """A gateway said that it cannot reach the unit: it is asked less often. The error to raise."""
        self._port.fell_silent(self._unit, gateway_answers=True)
        return UnitSilentError(
            f"the gateway at {self._port.endpoint} cannot reach unit {self._unit}; "
            "check the unit number, its power and cable"
        )

    async def leave(self) -> None:
        """Give the place back; the last one out closes the connection. Safe to call twice."""
        if not self._left:
            self._left = True
            await self._port.leave(self)


class ModbusPort:
    """The connection to one endpoint, and who sits at it."""

    def __init__(self, ports: Ports, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.seats: set[Seat] = set()
        self.mute: set[int] = set()
        self._ports = ports
        self._is_bus = not (isinstance(endpoint, Socket) and endpoint.framing == "tcp")
        self.link: TcpLink | RtuLine
        if isinstance(endpoint, Socket) and endpoint.framing == "tcp":
            self.link = TcpLink(endpoint)
        else:
            self.link = RtuLine(endpoint, self._owes)
        self._opening = asyncio.Lock()
        self._well: set[int] = set()

    async def open(self) -> None:
        """Open the connection where it is not; who comes meanwhile waits for the same one."""
        async with self._opening:
            if not self.link.is_open:
                self._well.clear()
                self._ports.forget_silence(self.endpoint)
                await self.link.open()

    def check(self, unit: int) -> None:
        """NotConnectedError while a unit is not to be asked."""
        record, now = self._ports.record(self.endpoint, unit), self._ports.now()
        if now < record.ask_after:
            raise UnitSilentError(
                f"{self.endpoint} unit {unit} did not answer {record.silent} times, its neighbours do; asked again in "
                f"{record.ask_after - now:.1f} s; check the unit number, its power and cable"
            )
        if now < record.owed_until:
            raise UnitSilentError(
                f"{self.endpoint} unit {unit} still owes a reply, which must not be taken for another; "
                f"asked again in {record.owed_until - now:.1f} s"
            )

    async def ask(
        self, unit: int, pdus: Sequence[bytes], outstanding: int, timeout: float, frames: Frames
    ) -> list[bytes]:
        """See Seat.ask; several at once have half the time, so that the other half is left to ask one by one."""
        self.check(unit)
        record = self._ports.record(self.endpoint, unit)
        room = 1 if self._is_bus else min(len(pdus), outstanding, record.room or outstanding)
        if room == 1:
            return self._heard(unit, pdus, await self.link.ask(unit, pdus, 1, timeout, frames), timeout)
        try:
            replies = await self.link.ask(unit, pdus, room, timeout / 2, frames)
        except NotConnectedError:
            if room > record.proven:
                record.room = max(1, room // 2)  # some devices hang up on what they cannot take
            raise
        again = [n for n, reply in enumerate(replies) if reply is None or _is_exception(reply, BUSY)]
        if not again:
            record.proven = max(record.proven, room)
            return self._heard(unit, pdus, replies, timeout)
        rest = await self.link.ask(unit, [pdus[n] for n in again], 1, timeout / 2, frames)
        for n, reply in zip(again, rest, strict=True):
            replies[n] = reply
        if None not in rest:
            record.room = max(1, room // 2)  # it answers, though not that many at once
        return self._heard(unit, pdus, replies, timeout)

    def _heard(self, unit: int, pdus: Sequence[bytes], replies: Sequence[bytes | None], timeout: float) -> list[bytes]:
        whole = [reply for reply in replies if reply is not None]
        if len(whole) == len(replies):
            if not any(_is_exception(reply, *GATEWAY_REFUSED) for reply in whole):
                record = self._ports.record(self.endpoint, unit)
                record.silent, record.ask_after = 0, 0.0
                self._well.add(unit)
            return whole
        if pdus[0][0] != IDENTITY:  # some units pass over that one
            self.fell_silent(unit)
        raise UnitSilentError(
            f"{self.endpoint} unit {unit} did not answer within {timeout:g} s; "
            "check the unit number, or write a longer timeout"
        )

    def fell_silent(self, unit: int, *, gateway_answers: bool = False) -> None:
        """Ask the unit later where its neighbours answer; where nobody does, the connection is at fault."""
        self._well.discard(unit)
        record, now = self._ports.record(self.endpoint, unit), self._ports.now()
        record.silent += 1
        if self._well and self.link.quiet_s < QUIET_S:
            record.ask_after = now + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(record.silent - 1, 16))
        elif len(self.seats) > 1 and not gateway_answers:
            self._ports.forget_silence(self.endpoint)
            self.link.drop("none of its units answers; check the gateway")

    async def leave(self, seat: Seat) -> None:
        """See Seat.leave."""
        self.seats.discard(seat)
        if not self.seats:
            self._ports.release(self.endpoint)
            await self.link.close()

    def _owes(self, unit: int, timeout: float) -> None:
        """A bus: as long as the unit had to answer, it is left alone after it did not."""
        self._ports.record(self.endpoint, unit).owed_until = self._ports.now() + timeout


class Ports:
    """The ports in use, by endpoint, and what is known of the units behind them."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.open: dict[tuple[asyncio.AbstractEventLoop, Endpoint], ModbusPort] = {}
        self._records: dict[tuple[Endpoint, int], UnitRecord] = {}

    def seat(self, endpoint: Endpoint, unit: int, outstanding: int, frames: Frames | None = None) -> Seat:
        """A place at the port of an endpoint; the caller leaves it. Its frames are noted in `frames`."""
        key = (asyncio.get_running_loop(), endpoint)
        port = self.open.get(key) or self.open.setdefault(key, ModbusPort(self, endpoint))
        seat = Seat(port, unit, outstanding, frames or Frames())
        port.seats.add(seat)
        return seat

    def record(self, endpoint: Endpoint, unit: int) -> UnitRecord:
        """What is known of a unit."""
        return self._records.setdefault((endpoint, unit), UnitRecord())

    def forget_silence(self, endpoint: Endpoint) -> None:
        """A new connection: every unit may be asked, but for what it owes."""
        for (own, _), record in self._records.items():
            if own == endpoint:
                record.silent, record.ask_after = 0, 0.0

    def release(self, endpoint: Endpoint) -> None:
        """Nobody sits there any more; only what must outlive the connection is kept."""
        self.open.pop((asyncio.get_running_loop(), endpoint), None)
        now = self.now()
        for key in [key for key, record in self._records.items() if key[0] == endpoint and record.says_nothing(now)]:
            del self._records[key]


PORTS = Ports()
"""The ports of this process: devices with the same endpoint share one."""


def _is_exception(reply: bytes, *codes: int) -> bool:
    return len(reply) == 2 and reply[0] & EXCEPTION != 0 and reply[1] in codes
