"""What answers at a Modbus TCP address: units, who they are, which registers there are, how many at once, how fast."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from drivers.contract import NotConnectedError
from drivers.modbus.address import Space
from drivers.modbus.frame import HEADER, Refusal, answered, following, frame
from drivers.modbus.identity import identity_reply, identity_request

GATEWAY_REFUSED = (10, 11)  # a gateway says that nobody is behind it
MOST = 125
REGISTERS = (Space.HOLDING_REGISTER, Space.INPUT_REGISTER)
ROUNDS = 20
IDENTITY_OBJECTS = 16

Ask = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Run:
    """Registers that are there, without a hole."""

    space: Space
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. `objects`: its identification; `block`: most registers in one answer; latencies of `ROUNDS` reads."""

    number: int
    objects: dict[int, str]
    runs: tuple[Run, ...]
    block: int
    median_s: float
    slowest_s: float


class Wire:
    """One connection, one request at a time; opened anew after a unit has let one time out."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._host, self._port, self._timeout = host, port, timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._transaction = 0

    async def ask(self, unit: int, pdu: bytes) -> bytes:
        """The PDU that answers; TimeoutError where none comes, NotConnectedError where nobody listens."""
        self._transaction = self._transaction % 0xFFFF + 1
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await self._open()
                writer.write(frame(self._transaction, unit, pdu))
                while True:
                    head = await reader.readexactly(HEADER.size)
                    reply = await reader.readexactly(following(head))
                    if HEADER.unpack(head)[0] == self._transaction and head[-1] == unit:
                        return reply
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionResetError, ValueError):
            self.close()
            raise TimeoutError from None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection(self._host, self._port)
            except OSError as error:
                raise NotConnectedError(
                    f"{self._host}:{self._port} does not accept a connection ({error}); check power, cable and address"
                ) from error
        return self._streams

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def survey(
    host: str, port: int, units: Iterable[int], span: int, timeout: float, now: Callable[[], float]
) -> list[Unit]:
    """The units that answer, their registers looked for in 0..span of both tables. `now` is a monotonic clock in s."""
    wire = Wire(host, port, timeout)
    found: list[Unit] = []
    try:
        for number in units:

            async def ask(pdu: bytes, unit: int = number) -> bytes:
                return await wire.ask(unit, pdu)

            if await _is_there(ask):
                found.append(await _examine(number, ask, span, now))
    except TimeoutError as error:
        raise NotConnectedError(
            f"{host}:{port} fell silent while it was looked at; look again, or give a longer --timeout"
        ) from error
    finally:
        wire.close()
    return found


async def peek(host: str, port: int, unit: int, space: Space, start: int, timeout: float, most: int = 4) -> bytes:
    """The octets of registers from `start` on: `most`, else half as many, and so on; none where the first is not."""
    wire = Wire(host, port, timeout)
    try:
        count = most
        while count:
            try:
                return await _read(lambda pdu: wire.ask(unit, pdu), space, start, count)
            except (Refusal, TimeoutError):
                count //= 2
        return b""
    finally:
        wire.close()


async def _is_there(ask: Ask) -> bool:
    """A unit that refuses lawfully is there; one that a gateway answers for, or nobody, is not."""
    try:
        await _read(ask, Space.HOLDING_REGISTER, 0, 1)
    except TimeoutError:
        return False
    except Refusal as refusal:
        return refusal.code not in GATEWAY_REFUSED
    return True


async def _examine(number: int, ask: Ask, span: int, now: Callable[[], float]) -> Unit:
    runs = [run for space in REGISTERS for run in joined(space, await _parts(ask, space, 0, span))]
    longest = max(runs, key=lambda run: run.count, default=None)
    if longest is None:
        return Unit(number, await _identity(ask), (), 0, 0.0, 0.0)
    block = await _block(ask, longest)
    took: list[float] = []
    for _ in range(ROUNDS):
        start = now()
        await _read(ask, longest.space, longest.start, 1)
        took.append(now() - start)
    return Unit(number, await _identity(ask), tuple(runs), block, sorted(took)[ROUNDS // 2], max(took))


async def _read(ask: Ask, space: Space, start: int, count: int) -> bytes:
    """The registers' octets. Refusal for an exception, TimeoutError for silence or a reply that does not fit."""
    reply = await ask(struct.pack(">BHH", space, start, count))
    try:
        answered(space, reply)
    except ValueError:
        raise TimeoutError from None
    if len(reply) != 2 + 2 * count:
        raise TimeoutError
    return reply[2:]


async def _can(ask: Ask, space: Space, start: int, count: int) -> bool:
    try:
        await _read(ask, space, start, count)
    except (Refusal, TimeoutError):
        return False
    return True


async def _parts(ask: Ask, space: Space, start: int, count: int) -> list[tuple[int, int]]:
    """Readable pieces (start, count) of a stretch, found by halving what is refused."""
    if count <= MOST and await _can(ask, space, start, count):
        return [(start, count)]
    if count == 1:
        return []
    half = count // 2
    return await _parts(ask, space, start, half) + await _parts(ask, space, start + half, count - half)


def joined(space: Space, parts: Iterable[tuple[int, int]]) -> list[Run]:
    """Pieces in order of address as runs without a hole."""
    runs: list[Run] = []
    for start, count in parts:
        if runs and runs[-1].start + runs[-1].count == start:
            runs[-1] = Run(space, runs[-1].start, runs[-1].count + count)
        else:
            runs.append(Run(space, start, count))
    return runs


async def _block(ask: Ask, run: Run) -> int:
    """The most registers the unit gives at once, by bisection; a single one is known to work."""
    low, high = 1, min(run.count, MOST)
    while low < high:
        middle = (low + high + 1) // 2
        if await _can(ask, run.space, run.start, middle):
            low = middle
        else:
            high = middle - 1
    return low


async def _identity(ask: Ask) -> dict[int, str]:
    """Read Device Identification (43/14), empty where the unit does not say."""
    objects: dict[int, str] = {}
    following_object: int | None = 0
    for _ in range(IDENTITY_OBJECTS):
        if following_object is None:
            break
        try:
            part, following_object = identity_reply(await ask(identity_request(following_object)))
        except (Refusal, TimeoutError, ValueError):
            break
        objects |= part
    return objects
