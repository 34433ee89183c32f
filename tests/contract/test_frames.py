"""What really went over the wire is what is kept of it, also after the link broke; secrets of a session never are."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, cast

import pytest
from asyncua.server.internal_session import InternalSession

from drivers.catalog import create, describer
from drivers.contract import Driver, NotConnectedError
from drivers.frames import CUT, KEPT, Frame
from drivers.modbus.driver import ModbusDriver
from drivers.opcua.shown import NAMES as SHOWN
from drivers.opcua.shown import REQUESTS, without_token
from simulators.proxy import FaultProxy, Mode
from tests.contract.test_driver_contract import PATIENCE_S, read_for
from tests.contract.test_modbus_port import drivers, gateway, table, units_number
from tests.contract.test_modbus_replies import connected, frame, honest
from tests.contract.test_opcua_trust import opened, trusted, users
from tests.contract.twins import START_MS, OpcuaTwin, Tap, Twin, opcua_services

__all__ = ["trusted", "users"]  # fixtures


def unbounded(driver: Driver[Any]) -> Driver[Any]:
    """Keeps every frame from here on."""
    driver.frames.notes = deque()
    return driver


def said(driver: Driver[Any], frames: tuple[Frame, ...]) -> list[list[str | int]]:
    """What the frames are, without transaction and unit."""
    describe = describer(driver.device)
    return [[part["word"] for part in describe(one) if part["word"] not in ("transaction", "unit")] for one in frames]


async def test_every_frame_of_a_link_is_kept_as_it_went_over_the_wire(twin: Twin) -> None:
    async with Tap(twin.port) as tap:
        driver = unbounded(create(twin.device(tap.port)))
        await driver.connect(driver.device.tags)
        for step in range(3):
            await twin.write(clock=START_MS + step, good=step)
            await driver.acknowledge((await driver.read()).token)
        await driver.close()
    sent = [one.octets for one in driver.frames.last() if one.sent]
    if twin.driver == "modbus":
        assert b"".join(sent) == tap.sent
    else:
        asked = [body for number, body in opcua_services(tap.sent) if number in REQUESTS]
        assert [without_token(body) for body in asked] == sent
    assert all(one.octets and one.size >= len(one.octets) for one in driver.frames.last())
    assert sum(not one.sent for one in driver.frames.last()) > 3


@pytest.mark.parametrize("fault", ["rst", "hole", "garbage", "torn"])
async def test_what_came_before_a_break_is_kept_for_the_next_driver(twin: Twin, fault: Mode) -> None:
    async with FaultProxy("127.0.0.1", twin.port) as proxy:
        driver = unbounded(create(twin.device(proxy.port)))
        await driver.connect(driver.device.tags)
        await driver.read()
        before = driver.frames.last()
        await proxy.switch(fault)
        with pytest.raises(NotConnectedError):
            await read_for(driver, PATIENCE_S)
        await driver.close()
        await proxy.switch("pass")
        after = create(twin.device(proxy.port))
        after.frames = driver.frames
        await after.connect(after.device.tags)
        await after.read()
        await after.close()
    assert after.frames.last()[: len(before)] == before
    assert len(after.frames.last()) > len(before)


async def test_of_a_session_s_secrets_nothing_is_kept(
    opcua: OpcuaTwin, trusted: Path, users: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of logging in by password over an encrypted channel, nor of the token that stands for the session."""
    monkeypatch.setattr(InternalSession, "_auth_counter", 0x5EC2_E701)  # a token whose octets stand for nothing else
    async with opened(opcua, opcua.port, trusted, **users["password"]) as (driver, _):
        await driver.read()
        token = cast("Any", driver)._session.ticket.token
        noted = driver.frames.last()
    names = {SHOWN[int.from_bytes(one.octets[2:4], "little")] for one in noted}
    assert names >= {"ReadRequest", "ReadResponse", "PublishRequest", "PublishResponse"}
    octets = b"".join(one.octets for one in noted)
    identifier = token.Identifier
    secret = identifier if isinstance(identifier, bytes) else int(identifier).to_bytes(4, "little")
    assert [word for word in (secret, b"geheim", b"line3") if word in octets] == []
    assert b"tanchang simulators" in octets  # decrypted all the same


async def test_a_refused_register_is_kept_with_its_exception_however_much_comes_after_it() -> None:
    refused: list[bytes] = []

    async def answer(unit: int, pdu: bytes) -> bytes:
        """The first read is refused."""
        refused.append(pdu)
        return b"\x83\x02" if len(refused) == 1 else honest(pdu, unit)

    async with gateway(answer) as far, drivers(table(far.port)) as (driver,):
        await driver.connect(driver.device.tags)
        for _ in range(KEPT):
            await driver.read()
        request, reply = driver.frames.refused()[-1]
        assert (request.octets[7:], reply.octets[7:]) == (refused[0], b"\x83\x02")
        assert (request.sent, reply.sent) == (True, False)
        assert request.time <= reply.time < driver.frames.last()[0].time
        assert said(driver, (request, reply)) == [["read"], ["exception"]]


async def test_a_reply_that_comes_too_late_is_seen() -> None:
    late: list[bytes] = []

    def reply(tid: int, unit: int, pdu: bytes) -> bytes:
        """The first answer comes together with the second, before it."""
        late.append(frame(tid, unit, honest(pdu)))
        return b"" if len(late) == 1 else b"".join(late)

    async with connected(reply, timeout="200ms") as (driver, _):
        with pytest.raises(NotConnectedError):
            await driver.read()
        await driver.read()
        assert said(driver, driver.frames.last())[-4:] == [["read"], ["read"], ["registers"], ["registers"]]


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda _tid, _unit, _pdu: b"HTTP/1.1 400 Bad Request\r\n\r\n", ["foreign"]),
        (lambda tid, unit, pdu: frame(tid, unit + 1, honest(pdu)), ["registers"]),
        (lambda tid, unit, _pdu: frame(tid, unit, b"\x03\x04\x00\x07"), ["registers", "announced"]),
    ],
)
async def test_a_reply_that_is_none_is_seen(lie: Any, words: list[str]) -> None:
    async with connected(lie) as (driver, _):
        with pytest.raises(NotConnectedError):
            await driver.read()
        assert said(driver, driver.frames.last()[-2:]) == [["read"], words]


async def test_units_that_share_a_link_each_keep_their_own_frames() -> None:
    async with gateway(units_number) as far, drivers(table(far.port, 1), table(far.port, 2)) as own:
        for driver in own:
            await driver.connect(driver.device.tags)
        await asyncio.gather(*(driver.read() for driver in own))
        assert [{one.octets[6] for one in driver.frames.last()} for driver in own] == [{1}, {2}]
        assert [len(driver.frames.last()) for driver in own] == [4, 4]


async def test_an_rtu_line_shows_whole_frames_broken_ones_and_silence() -> None:
    async def answer(unit: int, pdu: bytes) -> bytes | None:
        return {1: honest(pdu), 2: b"\x83\x02"}.get(unit)

    async with (
        gateway(answer, framed_rtu=True) as far,
        drivers(*(table(far.port, unit, framing="rtu") for unit in (1, 2, 3))) as own,
    ):
        far.dead.add(3)
        for driver in own[:2]:
            await driver.connect(driver.device.tags)
            await driver.read()
        with pytest.raises(NotConnectedError):
            await own[2].connect(own[2].device.tags)
        good, refused, silent = (said(driver, driver.frames.last()) for driver in own)
        assert good[-2:] == [["read", "crc-good"], ["registers", "crc-good"]]
        assert refused[-2:] == [["read", "crc-good"], ["exception", "crc-good"]]
        assert [words[0] for words in silent] == ["identify", "read"]
        assert said(own[1], own[1].frames.refused()[-1]) == [["read", "crc-good"], ["exception", "crc-good"]]


async def test_an_rtu_reply_with_a_wrong_checksum_is_seen() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The checksum of every reply is wrong."""
        while await reader.read(256):
            writer.write(bytes.fromhex("01 03 02 00 07 FF FF"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        driver = ModbusDriver(table(server.sockets[0].getsockname()[1], framing="rtu"))
        with pytest.raises(NotConnectedError):
            await driver.connect(driver.device.tags)
        await driver.close()
    assert ["registers", "crc-bad"] in said(driver, driver.frames.last())
    assert max(len(one.octets) for one in driver.frames.last()) <= CUT
