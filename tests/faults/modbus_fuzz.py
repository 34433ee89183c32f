"""Replies, most of them broken, to a Modbus TCP link and an RTU line: a seed is ten thousand frames.

Each must be taken for exactly what an independent reading of the octets finds in it, or be refused. Nothing but
NotConnectedError may come out, and none may hold the loop up for 200 ms.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from drivers.contract import NotConnectedError
from drivers.modbus.address import Space
from drivers.modbus.blocks import Block
from drivers.modbus.endpoint import Socket
from drivers.modbus.frame import Refusal, read_reply, read_request
from drivers.modbus.line import RtuLine
from drivers.modbus.link import TcpLink

FULL, QUICK = 100, 1
TOGETHER = 2
FRAMES = 10_000
SUMMED = ("read", "exception", "refused")
LAG_MS = 200.0
UNIT = 5
HOUR = 3600.0


class Wire(asyncio.Transport):
    """Keeps what was sent last; ends when it is told to."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.sent = b""
        self._protocol = protocol
        self._ended = False
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent = bytes(data)

    def abort(self) -> None:
        if self._ended:
            return
        self._ended = True
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)


def crc(octets: bytes) -> bytes:
    """The checksum bit by bit, as the specification draws it."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def rtu(unit: int, pdu: bytes) -> bytes:
    return bytes([unit]) + pdu + crc(bytes([unit]) + pdu)


def mutated(random: Random, octets: bytes) -> bytes:
    """The reply with something wrong, or as it is."""
    broken = bytearray(octets)
    kind = random.randrange(8)
    if kind == 1:
        for _ in range(random.randint(1, 4)):
            broken[random.randrange(min(12, len(broken)))] ^= 1 << random.randrange(8)
    elif kind == 2:
        del broken[random.randrange(len(broken)) :]
    elif kind == 3:
        broken += random.randbytes(random.randint(1, 20))
    elif kind == 4:
        broken[:0] = random.randbytes(random.randint(1, 20))
    elif kind == 5:
        broken = bytearray(random.randbytes(random.randint(0, 300)))
    elif kind == 6:
        place = random.randrange(len(broken))
        broken[place : place + random.randint(1, 4)] = random.randbytes(random.randint(0, 4))
    elif kind == 7:
        broken[random.randrange(len(broken))] = random.randrange(256)
    return bytes(broken)


def reply_pdu(random: Random, block: Block) -> bytes:
    """An answer a unit may give: mostly right, sometimes an exception, another function or another length."""
    kind = random.randrange(10)
    if kind == 0:
        return bytes([block.space | 0x80, random.randrange(256)])
    if kind == 1:
        size = random.randint(0, 250)
        return bytes([random.randrange(256), size]) + random.randbytes(random.randint(0, 250))
    octets = block.count * 2 if block.space > 2 else (block.count + 7) // 8
    return bytes([block.space, octets]) + random.randbytes(octets)


def tcp_truth(octets: bytes, transaction: int) -> bytes | None:
    """The PDU that the stream holds for this transaction; None where there is none before the stream breaks."""
    while len(octets) >= 7:
        own, protocol, length = struct.unpack(">HHH", octets[:6])
        if protocol or length < 3 or length > 254 or len(octets) < 6 + length:
            return None
        if own == transaction:
            return octets[7 : 6 + length] if octets[6] == UNIT else None
        octets = octets[6 + length :]
    return None


def rtu_may_be(octets: bytes, pdu: bytes) -> bool:
    """Whether the stream holds this very PDU from our unit under a right checksum."""
    return rtu(UNIT, pdu) in octets


async def _asked(link: TcpLink | RtuLine, block: Block, answer: Callable[[], list[bytes]]) -> bytes | None:
    """The PDU a link takes for the answer; None where it refuses all of them."""
    task = asyncio.create_task(link.ask(UNIT, [read_request(block)], 1, HOUR))
    await asyncio.sleep(0)
    for piece in answer():
        link.data_received(piece)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if not task.done():
        task.cancel()
    try:
        return (await task)[0]
    except (NotConnectedError, asyncio.CancelledError):
        return None


def pieces(random: Random, octets: bytes) -> list[bytes]:
    """The octets as a network may bring them."""
    cuts = sorted(random.randrange(len(octets) + 1) for _ in range(random.choice((0, 0, 1, 5))))
    return [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)], strict=True) if a < b]


def _sound(block: Block, pdu: bytes) -> str:
    """What the driver makes of a PDU: a payload of the length asked for, an exception, or a refusal."""
    try:
        assert len(read_reply(block, pdu)) == (2 * block.count if block.space > 2 else (block.count + 7) // 8)
    except Refusal:
        return "exception"
    except ValueError:
        return "refused"
    return "read"


def one(seed: int, _folder: Path) -> dict[str, float]:
    """What became of the frames of a seed, and the longest that one kept the loop busy (CPU time)."""
    told, lag_ms = asyncio.run(fuzz(FRAMES, seed))
    assert lag_ms <= LAG_MS, f"a reply held the loop up for {lag_ms:.0f} ms"
    return {"lost": 0, "double": 0, "unexplained": 0, **told, "lag_ms": round(lag_ms, 2)}


async def fuzz(count: int, seed: int) -> tuple[dict[str, int], float]:
    """Half the replies go to each kind of link: how many were read, lawful exceptions, and refused; the worst lag."""
    crashed: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: crashed.append(str(context)))
    random = Random(seed)
    told = {"read": 0, "exception": 0, "refused": 0}
    lag_s = 0.0
    for number in range(count):
        space = random.choice(list(Space))
        block = Block(space, random.randrange(1000), random.randint(1, 125), (0,))
        right = reply_pdu(random, block)
        began = time.thread_time()
        outcome = await (_tcp if number % 2 else _rtu)(random, block, right)
        lag_s = max(lag_s, time.thread_time() - began)
        told[outcome] += 1
        assert not crashed, crashed[0]
    return told, lag_s * 1000


async def _tcp(random: Random, block: Block, right: bytes) -> str:
    link = TcpLink(Socket("fuzz", 502))
    wire = Wire(link)
    octets = b""

    def answer() -> list[bytes]:
        nonlocal octets
        octets = mutated(random, mbap(struct.unpack(">H", wire.sent[:2])[0], UNIT, right))
        return pieces(random, octets)

    got = await _asked(link, block, answer)
    transaction = struct.unpack(">H", wire.sent[:2])[0]
    assert got == tcp_truth(octets, transaction), (block, octets.hex(), got)
    outcome = _sound(block, got) if got is not None else "refused"
    await link.close()
    return outcome


async def _rtu(random: Random, block: Block, right: bytes) -> str:
    owed: list[int] = []
    line = RtuLine(Socket("fuzz", 502, "rtu"), lambda unit, _timeout: owed.append(unit))
    Wire(line)
    octets = mutated(random, rtu(UNIT, right))
    got = await _asked(line, block, lambda: pieces(random, octets))
    assert got is None or rtu_may_be(octets, got), (block, octets.hex(), got)
    if octets == rtu(UNIT, right) and _sound(block, right) != "refused":
        assert got == right, (block, octets.hex(), got)
    await line.close()
    assert owed == ([] if got is not None else [UNIT])
    return _sound(block, got) if got is not None else "refused"
