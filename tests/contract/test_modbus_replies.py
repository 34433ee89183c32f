"""A Modbus unit that answers wrongly is refused, whatever is wrong; an answer belongs to one request only."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.catalog import create, device_type
from drivers.contract import Driver, NotConnectedError

GOOD = 7
Reply = Callable[[int, int, bytes], bytes]


class LyingUnit:
    """Answers each request with what `reply(transaction, unit, pdu)` gives; identification is refused lawfully."""

    def __init__(self, reply: Callable[[int, int, bytes], bytes]) -> None:
        self.reply = reply
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                pdu = await reader.readexactly(length - 1)
                if pdu[0] == 43:
                    writer.write(frame(transaction, unit, b"\xab\x01"))
                    continue
                self.asked.append(pdu)
                writer.write(self.reply(transaction, unit, pdu))
        writer.close()


def frame(transaction: int, unit: int, pdu: bytes, protocol: int = 0) -> bytes:
    return struct.pack(">HHHB", transaction, protocol, len(pdu) + 1, unit) + pdu


def honest(pdu: bytes, value: int = GOOD) -> bytes:
    """Each register asked for, all of one value."""
    count = int.from_bytes(pdu[3:5])
    return bytes([pdu[0], 2 * count]) + struct.pack(">H", value) * count


@asynccontextmanager
async def connected(
    reply: Reply, addresses: Sequence[str] = ("HR0",), timeout: str = "300ms"
) -> AsyncIterator[tuple[Driver[Any], LyingUnit]]:
    """A driver connected to a lying unit, and the unit."""
    unit = LyingUnit(reply)
    server = await asyncio.start_server(unit.serve, "127.0.0.1", 0)
    tags = [
        {"name": f"t{n}", "address": address, "datatype": "u16", "every": "20ms"} for n, address in enumerate(addresses)
    ]
    port = server.sockets[0].getsockname()[1]
    table = {"name": "m", "driver": "modbus", "host": "127.0.0.1", "port": port, "timeout": timeout, "tag": tags}
    driver = create(device_type("modbus").model_validate(table))
    try:
        assert (await driver.connect(driver.device.tags)).simulated is False
        yield driver, unit
    finally:
        await driver.close()
        server.close()
        await server.wait_closed()


async def test_an_honest_reply_is_read_and_a_real_device_is_not_called_simulated() -> None:
    async with connected(lambda tid, unit, pdu: frame(tid, unit, honest(pdu))) as (driver, _):
        batch = await driver.read()
        assert (batch.value.tolist(), batch.status.tolist()) == ([GOOD], [0])


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda _tid, unit, pdu: frame(0, unit, honest(pdu)), id="transaction-0"),
        pytest.param(lambda tid, unit, pdu: frame(tid + 1, unit, honest(pdu)), id="another-transaction"),
        pytest.param(lambda tid, unit, pdu: frame(tid, unit + 1, honest(pdu)), id="another-unit"),
        pytest.param(lambda tid, unit, pdu: frame(tid, unit, b"\x04" + honest(pdu)[1:]), id="another-function"),
        pytest.param(lambda tid, unit, _pdu: frame(tid, unit, b"\x01\x01\x00"), id="coils"),
        pytest.param(lambda tid, unit, _pdu: frame(tid, unit, b"\x03\x00"), id="too-short"),
        pytest.param(lambda tid, unit, _pdu: frame(tid, unit, b"\x03"), id="no-byte-count"),
        pytest.param(lambda tid, unit, pdu: frame(tid, unit, honest(pdu) + b"\x00\x07"), id="too-long"),
        pytest.param(lambda tid, unit, _pdu: frame(tid, unit, b"\x03\x04\x00\x07"), id="byte-count-too-high"),
        pytest.param(lambda tid, unit, _pdu: frame(tid, unit, b"\x83\x02\x00"), id="exception-too-long"),
        pytest.param(lambda tid, unit, pdu: frame(tid, unit, honest(pdu), protocol=1), id="another-protocol"),
        pytest.param(lambda tid, unit, pdu: struct.pack(">HHHB", tid, 0, 60000, unit) + honest(pdu), id="length-60000"),
        pytest.param(lambda tid, unit, pdu: frame(tid, unit, honest(pdu))[:-1], id="half-a-frame"),
        pytest.param(lambda _tid, _unit, _pdu: b"", id="silence"),
    ],
)
async def test_a_wrong_reply_is_refused(lie: Reply) -> None:
    async with connected(lie) as (driver, _):
        with pytest.raises(NotConnectedError):
            await driver.read()


async def test_a_late_reply_is_never_given_to_the_next_request() -> None:
    late: list[bytes] = []

    def reply(tid: int, unit: int, pdu: bytes) -> bytes:
        """The first answer comes together with the second, before it."""
        if not late:
            late.append(frame(tid, unit, honest(pdu, value=666)))
            return b""
        return late[0] + frame(tid, unit, honest(pdu))

    async with connected(reply) as (driver, _):
        with pytest.raises(NotConnectedError):
            await driver.read()
        assert (await driver.read()).value.tolist() == [GOOD]


async def test_a_reply_in_pieces_is_put_together() -> None:
    waiting: list[asyncio.StreamWriter] = []

    class Slow(LyingUnit):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            waiting.append(writer)
            await super().serve(reader, writer)

        def piecewise(self, tid: int, unit: int, pdu: bytes) -> bytes:
            octets = frame(tid, unit, honest(pdu))
            for place, octet in enumerate(octets):
                asyncio.get_running_loop().call_later(place * 0.002, waiting[-1].write, bytes([octet]))
            return b""

    unit = Slow(lambda *_: b"")
    unit.reply = unit.piecewise
    server = await asyncio.start_server(unit.serve, "127.0.0.1", 0)
    tag = {"name": "t", "address": "HR0", "datatype": "u16"}
    port = server.sockets[0].getsockname()[1]
    table = {"name": "m", "driver": "modbus", "host": "127.0.0.1", "port": port, "tag": [tag]}
    driver = create(device_type("modbus").model_validate(table))
    await driver.connect(driver.device.tags)
    assert (await driver.read()).value.tolist() == [GOOD]
    await driver.close()
    server.close()
    await server.wait_closed()


async def test_a_refused_block_falls_apart_once_and_its_good_tags_stay_together() -> None:
    def reply(tid: int, unit: int, pdu: bytes) -> bytes:
        start, count = struct.unpack(">HH", pdu[1:])
        holds_bad = start <= 5 < start + count
        return frame(tid, unit, b"\x83\x02" if holds_bad else honest(pdu))

    async with connected(reply, ["HR0", "HR1", "HR5", "HR6"]) as (driver, unit):
        first = await driver.read()
        assert dict(zip(first.index.tolist(), (first.status >> 31).tolist(), strict=True)) == {0: 0, 1: 0, 2: 1, 3: 0}
        unit.asked.clear()
        await driver.read()
        assert [struct.unpack(">HH", pdu[1:]) for pdu in unit.asked] == [(0, 2), (5, 1), (6, 1)]


async def test_a_busy_unit_spoils_one_poll_and_is_not_taken_apart() -> None:
    answers = iter([b"\x83\x06", None])

    def reply(tid: int, unit: int, pdu: bytes) -> bytes:
        return frame(tid, unit, next(answers, None) or honest(pdu))

    async with connected(reply, ["HR0", "HR1"]) as (driver, unit):
        assert (await driver.read()).status.tolist() == [0x808B0000, 0x808B0000]
        assert (await driver.read()).status.tolist() == [0, 0]
        assert len(unit.asked) == 2


async def test_a_gateway_that_cannot_reach_its_unit_is_not_connected() -> None:
    async with connected(lambda tid, unit, _pdu: frame(tid, unit, b"\x83\x0b")) as (driver, _):
        with pytest.raises(NotConnectedError, match="unit number"):
            await driver.read()


async def test_a_unit_that_hangs_up_on_being_asked_who_it_is_still_connects() -> None:
    asked: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                tid, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                pdu = await reader.readexactly(length - 1)
                asked.append(pdu[0])
                if pdu[0] == 43:
                    break
                writer.write(frame(tid, unit, honest(pdu)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tag = {"name": "t", "address": "HR0", "datatype": "u16"}
    table = {"name": "m", "driver": "modbus", "host": "127.0.0.1", "port": port, "tag": [tag]}
    driver = create(device_type("modbus").model_validate(table))
    assert not (await driver.connect(driver.device.tags)).simulated
    assert (await driver.read()).value.tolist() == [GOOD]
    assert asked == [43, 3, 43, 3]  # hung up twice, and well between
    await driver.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("silent", [True, False])
async def test_who_is_slow_to_say_that_it_is_simulated_is_still_known_as_simulated_and_who_never_says_is_not(
    silent: bool,
) -> None:
    identity = b"\x2b\x0e\x02\x83\x00\x00\x01\x00\x13tanchang simulators"
    slow: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Says nothing until it is asked for a register; then answers all in turn."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                tid, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                pdu = await reader.readexactly(length - 1)
                if pdu[0] == 43:
                    slow.append(b"" if silent else frame(tid, unit, identity))
                else:
                    writer.write(b"".join(slow) + frame(tid, unit, honest(pdu)))
                    slow.clear()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    tag = {"name": "t", "address": "HR0", "datatype": "u16"}
    where = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "timeout": "400ms"}
    driver = create(device_type("modbus").model_validate({"name": "m", "driver": "modbus", "tag": [tag]} | where))
    origin = await driver.connect(driver.device.tags)
    assert origin.simulated is not silent
    assert (await driver.read()).value.tolist() == [GOOD]
    await driver.close()
    server.close()
    await server.wait_closed()
