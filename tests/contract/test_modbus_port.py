"""Devices that share a connection: one socket, no stall behind a dead unit, several requests in flight, RTU lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from drivers.contract import NotConnectedError
from drivers.modbus.device import ModbusDevice
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.port import PORTS, Ports
from drivers.modbus.rtu import checksum
from tests.contract.test_modbus_replies import frame, honest

Answer = Callable[[int, bytes], Awaitable[bytes | None]]


class Gateway:
    """Units behind one TCP port; each request is answered on its own with what `answer(unit, pdu)` gives."""

    def __init__(self, answer: Answer, *, rtu: bool = False) -> None:
        self.answer, self.rtu = answer, rtu
        self.links = 0
        self.flying = self.most = 0
        self.port = 0
        self.dead: set[int] = set()
        self.unreachable: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                if self.rtu:
                    unit, *_ = head = await reader.readexactly(2)
                    body = await reader.readexactly(5 if head[1] == 43 else 6)
                    pdu, wrap = head[1:] + body[:-2], partial(rtu, unit)
                else:
                    tid, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                    pdu = await reader.readexactly(length - 1)
                    wrap = partial(frame, tid, unit)
                task = asyncio.create_task(self._answer(unit, pdu, wrap, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        writer.close()

    async def _answer(self, unit: int, pdu: bytes, wrap: Callable[[bytes], bytes], writer: Any) -> None:
        if unit in self.dead:
            return
        if pdu[0] == 43:
            writer.write(wrap(b"\xab\x0b" if unit in self.unreachable else b"\xab\x01"))
            return
        self.flying += 1
        self.most = max(self.most, self.flying)
        reply = await self.answer(unit, pdu)
        self.flying -= 1
        if reply is not None:
            writer.write(wrap(reply))


def rtu(unit: int, pdu: bytes) -> bytes:
    body = bytes([unit]) + pdu
    return body + checksum(body).to_bytes(2, "little")


@asynccontextmanager
async def gateway(answer: Answer, *, framed_rtu: bool = False) -> AsyncIterator[Gateway]:
    made = Gateway(answer, rtu=framed_rtu)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


def table(port: int | str, unit: int = 1, registers: int = 1, **more: Any) -> ModbusDevice:
    tags = [{"name": f"t{n}", "address": f"HR{n * 200}", "datatype": "u16", "every": "20ms"} for n in range(registers)]
    where: dict[str, Any] = {"name": f"u{unit}", "driver": "modbus", "port": port, "unit": unit, "shared": True}
    where |= {"host": "127.0.0.1"} if isinstance(port, int) else {}
    return ModbusDevice.model_validate(where | {"timeout": "300ms", "tag": tags} | more)


@asynccontextmanager
async def drivers(*devices: ModbusDevice, ports: Ports = PORTS) -> AsyncIterator[list[ModbusDriver]]:
    made = [ModbusDriver(device, ports=ports) for device in devices]
    try:
        yield made
    finally:
        for driver in made:
            await driver.close()


async def value(driver: ModbusDriver) -> list[float]:
    return (await driver.read()).value.tolist()


async def units_number(unit: int, pdu: bytes) -> bytes:
    """Every register holds the unit's number."""
    return honest(pdu, unit)


async def address(_unit: int, pdu: bytes) -> bytes:
    """Every register holds the address the request began with."""
    return honest(pdu, int.from_bytes(pdu[1:3]))


async def test_units_behind_one_address_share_a_socket_and_the_last_one_out_closes_it() -> None:
    async with gateway(units_number) as far, drivers(*(table(far.port, unit) for unit in (1, 2, 9))) as own:
        await asyncio.gather(*(driver.connect(driver.device.tags) for driver in own))
        assert [await value(driver) for driver in own] == [[1], [2], [9]]
        assert far.links == 1
        await own[0].close()
        await own[2].close()
        assert len(PORTS.open) == 1
        assert (await own[1].read()).status.tolist() == []
        await own[1].close()
        assert PORTS.open == {}


async def test_devices_at_different_addresses_do_not_share() -> None:
    async with (
        gateway(units_number) as one,
        gateway(units_number) as two,
        drivers(table(one.port), table(two.port)) as own,
    ):
        for driver in own:
            await driver.connect(driver.device.tags)
        assert (one.links, two.links) == (1, 1)


async def until_silent(driver: ModbusDriver) -> None:
    with pytest.raises(NotConnectedError):
        await driver.read()


async def test_a_dead_unit_does_not_hold_up_its_neighbours_and_is_asked_ever_less_often() -> None:
    clock = 1000.0
    ports = Ports(now=lambda: clock)
    async with gateway(units_number) as far, drivers(*(table(far.port, unit) for unit in (1, 2)), ports=ports) as own:
        alive, other = own
        for driver in own:
            await driver.connect(driver.device.tags)
        assert (await value(alive), await value(other)) == ([1], [2])
        far.dead.add(2)
        waiting = asyncio.create_task(until_silent(other))
        while not waiting.done():  # its neighbour is read all the while it is waited for
            assert (await alive.read()).status.tolist() == []
        await waiting
        for pause in (0.5, 1.0, 2.0, 4.0):
            clock += pause - 0.01
            with pytest.raises(NotConnectedError, match="its neighbours do"):
                await other.connect(other.device.tags)
            clock += 0.02
            with pytest.raises(NotConnectedError, match="did not answer within"):
                await other.connect(other.device.tags)
            assert (await alive.read()).status.tolist() == []
        clock += 30
        far.dead.clear()
        await other.connect(other.device.tags)
        assert await value(other) == [2]
        assert far.links == 1


async def test_a_unit_its_gateway_cannot_reach_is_asked_ever_less_often_on_the_same_connection() -> None:
    clock = 1000.0
    ports = Ports(now=lambda: clock)
    async with gateway(units_number) as far, drivers(*(table(far.port, unit) for unit in (1, 2)), ports=ports) as own:
        alive, other = own
        await alive.connect(alive.device.tags)
        assert await value(alive) == [1]
        far.unreachable.add(2)
        for pause in (0.5, 1.0, 2.0):
            with pytest.raises(NotConnectedError, match="cannot reach unit 2"):
                await other.connect(other.device.tags)
            clock += pause - 0.01
            with pytest.raises(NotConnectedError, match="its neighbours do"):
                await other.connect(other.device.tags)
            clock += 0.02
        assert (await alive.read()).status.tolist() == []
        assert far.links == 1


async def test_a_gateway_where_every_unit_is_silent_is_connected_to_anew() -> None:
    async with gateway(units_number) as far, drivers(*(table(far.port, unit) for unit in (1, 2))) as own:
        for driver in own:
            await driver.connect(driver.device.tags)
            await driver.read()
        far.dead |= {1, 2}
        failed = await asyncio.gather(*(driver.read() for driver in own), return_exceptions=True)
        assert all(isinstance(error, NotConnectedError) for error in failed)
        far.dead.clear()
        for driver in own:
            await driver.connect(driver.device.tags)
        assert [await value(driver) for driver in own] == [[1], [2]]
        assert far.links == 2


async def test_several_requests_are_in_flight_and_each_reply_finds_its_own() -> None:
    held: list[asyncio.Event] = []

    async def backwards(_unit: int, pdu: bytes) -> bytes:
        """Four at a time, the last asked answered first."""
        held.append(asyncio.Event())
        mine = held[-1]
        if len(held) == 4:
            while held:
                held.pop().set()
                await asyncio.sleep(0)
        await mine.wait()
        return await address(1, pdu)

    async with gateway(backwards) as far, drivers(table(far.port, registers=8, outstanding=4, timeout="5s")) as (own,):
        await own.connect(own.device.tags)
        batch = await own.read()
        assert dict(zip(batch.index.tolist(), batch.value.tolist(), strict=True)) == {n: 200 * n for n in range(8)}
        assert far.most == 4


@pytest.mark.parametrize("excess", [None, b"\x83\x06"], ids=["silent", "busy"])
async def test_a_unit_that_takes_fewer_at_once_is_sent_fewer_and_no_value_is_lost(excess: bytes | None) -> None:
    async def two_at_most(_unit: int, pdu: bytes) -> bytes | None:
        if far.flying > 2:
            return excess
        await asyncio.sleep(0.01)
        return await address(1, pdu)

    async with gateway(two_at_most) as far, drivers(table(far.port, registers=8, outstanding=8)) as (own,):
        await own.connect(own.device.tags)
        first = await own.read()
        assert dict(zip(first.index.tolist(), first.value.tolist(), strict=True)) == {n: 200 * n for n in range(8)}
        for _ in range(3):
            assert (await own.read()).status.tolist() == []
        far.most = 0
        assert (await own.read()).status.tolist() == []
        assert far.most == 2


async def test_a_unit_that_hangs_up_on_several_requests_is_sent_fewer_when_it_is_back() -> None:
    most: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while octets := await reader.read(4096):
                if len(octets) > 12:
                    most.append(len(octets) // 12)
                    break
                tid, _, _, unit = struct.unpack(">HHHB", octets[:7])
                writer.write(frame(tid, unit, b"\xab\x01" if octets[7] == 43 else honest(octets[7:])))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with drivers(table(port, registers=4, outstanding=4)) as (own,):
        for _ in range(2):
            await own.connect(own.device.tags)
            with pytest.raises(NotConnectedError):
                await own.read()
        await own.connect(own.device.tags)
        assert await value(own) == [7, 7, 7, 7]
    assert most == [4, 2]
    server.close()
    await server.wait_closed()


async def test_rtu_through_a_serial_server_one_request_at_a_time() -> None:
    async with (
        gateway(units_number, framed_rtu=True) as far,
        drivers(*(table(far.port, unit, 3, framing="rtu", timeout="1s") for unit in (1, 2))) as own,
    ):
        for driver in own:
            await driver.connect(driver.device.tags)
        assert await asyncio.gather(*(value(driver) for driver in own)) == [[1, 1, 1], [2, 2, 2]]
        assert (far.links, far.most) == (1, 1)


async def test_a_late_rtu_reply_is_never_given_to_the_next_request() -> None:
    """The unit answers everything one request late, as a reply without transaction can not show."""
    late: list[bytes] = []
    clock = 1000.0

    async def answer(_unit: int, pdu: bytes) -> bytes | None:
        late.append(honest(pdu, 666 if not late else 7))
        return late[-2] if len(late) == 2 else None if len(late) == 1 else late[-1]

    ports = Ports(now=lambda: clock)
    async with gateway(answer, framed_rtu=True) as far, drivers(table(far.port, framing="rtu"), ports=ports) as (own,):
        await own.connect(own.device.tags)
        with pytest.raises(NotConnectedError, match="did not answer"):
            await own.read()
        for _ in range(3):  # until the reply can no longer come, nothing is asked, whoever connects
            with pytest.raises(NotConnectedError, match="owes a reply"):
                await own.connect(own.device.tags)
        assert len(late) == 1


async def test_a_cancelled_rtu_read_leaves_its_reply_to_nobody() -> None:
    asked, free = asyncio.Event(), asyncio.Event()
    answers = iter([666, 7])

    async def answer(_unit: int, pdu: bytes) -> bytes:
        mine = next(answers)
        asked.set()
        await free.wait()
        return honest(pdu, mine)

    async with (
        gateway(answer, framed_rtu=True) as far,
        drivers(table(far.port, framing="rtu", timeout="5s")) as (own,),
    ):
        await own.connect(own.device.tags)
        first = asyncio.create_task(own.read())
        await asked.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(own.read())
        for _ in range(20):
            await asyncio.sleep(0)
        free.set()
        assert (await second).value.tolist() == [7]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]), id="checksum"),
        pytest.param(lambda octets: octets[:3] + bytes([octets[3] ^ 1]) + octets[4:], id="a-bit-of-the-value"),
        pytest.param(lambda octets: octets[:-2], id="cut"),
        pytest.param(lambda octets: bytes([octets[0] + 1]) + octets[1:], id="another-unit"),
        pytest.param(lambda octets: rtu(octets[0] + 1, octets[1:-2]), id="another-unit-with-its-checksum"),
        pytest.param(lambda octets: rtu(octets[0], b"\x04" + octets[2:-2]), id="another-function"),
        pytest.param(lambda octets: rtu(octets[0], b"\x03\x04\x00\x07\x00\x07"), id="too-long"),
        pytest.param(lambda octets: b"\x55" + octets, id="garbage-before"),
    ],
)
async def test_a_wrong_rtu_reply_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(2)
                body = await reader.readexactly(5 if head[1] == 43 else 6)
                reply = rtu(head[0], b"\xab\x01" if head[1] == 43 else honest(head[1:] + body[:-2]))
                writer.write(reply if head[1] == 43 else spoil(reply))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with drivers(table(server.sockets[0].getsockname()[1], framing="rtu")) as (own,):
        await own.connect(own.device.tags)
        with pytest.raises(NotConnectedError):
            await own.read()
    server.close()
    await server.wait_closed()


async def test_a_serial_line_is_read_and_its_loss_is_noticed() -> None:
    far, near = os.openpty()
    asked = bytearray()

    def serve() -> None:
        """A unit at the other end of the line; answers each whole request."""
        asked.extend(os.read(far, 4096))
        while len(asked) >= 7:
            size = 7 if asked[1] == 43 else 8
            request = bytes(asked[:size])
            del asked[:size]
            assert checksum(request[:-2]) == int.from_bytes(request[-2:], "little")
            os.write(far, rtu(request[0], b"\xab\x01" if request[1] == 43 else honest(request[1:-2], request[0])))

    loop = asyncio.get_running_loop()
    loop.add_reader(far, serve)
    line: dict[str, Any] = {"timeout": "1s", "baudrate": 9600, "parity": "none"}
    devices = [table(os.ttyname(near), unit, 3, **line) for unit in (3, 4)]
    async with drivers(*devices) as own:
        for driver in own:
            await driver.connect(driver.device.tags)
        assert [await value(driver) for driver in own] == [[3, 3, 3], [4, 4, 4]]
        assert len(PORTS.open) == 1
        loop.remove_reader(far)
        os.close(near)
        os.close(far)
        with pytest.raises(NotConnectedError):
            await own[0].read()
    assert PORTS.open == {}


async def test_a_serial_line_that_is_not_there_is_not_connected(tmp_path: Any) -> None:
    for path in (tmp_path / "ttyX", tmp_path):
        async with drivers(table(str(path))) as (own,):
            with pytest.raises(NotConnectedError, match="cannot be opened"):
                await own.connect(own.device.tags)
