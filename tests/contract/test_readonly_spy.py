"""The spy over the whole suite sees what does not only read: over TCP, on an RTU line, sealed, and in a child."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from drivers.contract import NotConnectedError
from drivers.modbus import frame, rtu
from drivers.modbus.endpoint import Socket, Tty
from drivers.modbus.line import RtuLine
from drivers.modbus.link import TcpLink
from drivers.opcua import session as opcua_session
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.services import LOOKING, READING
from tests.contract.test_opcua_security import secured
from tests.contract.twins import OpcuaTwin

spy = importlib.import_module("wire_spy")
ROOT = Path(__file__).parents[2]
WRITE = bytes([6, 0, 1, 0, 2])  # write single register
DEVICE_COMMAND = bytes([43, 13, 0, 0])  # function 43 about something else than who the device is
CHILD = """
import asyncio, sys
from drivers.modbus import frame
from drivers.modbus.endpoint import Socket
from drivers.modbus.link import TcpLink

async def main():
    frame.READ_ONLY_FUNCTIONS = {6}
    link = TcpLink(Socket("127.0.0.1", int(sys.argv[1])))
    await link.open()
    await link.ask(1, [bytes([6, 0, 1, 0, 2])], 1, 0.01)
    await link.close()

asyncio.run(main())
"""


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drivers' own guard is off."""
    monkeypatch.setattr(frame, "READ_ONLY_FUNCTIONS", {6, 43})
    monkeypatch.setattr(rtu, "READ_ONLY_FUNCTIONS", {6, 43})


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """The port of one who answers nothing."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def ask(link: TcpLink | RtuLine, pdu: bytes) -> list[str]:
    """What the spy says of one request."""
    assert spy.SPY.take() == []
    await link.open()
    with contextlib.suppress(NotConnectedError):
        await link.ask(1, [pdu], 1, 0.01)
    await link.close()
    return list(spy.SPY.take())


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(("pdu", "words"), [(WRITE, "Modbus function 6"), (DEVICE_COMMAND, "Modbus function 43/0d")])
async def test_a_modbus_request_that_does_not_only_read_is_seen(pdu: bytes, words: str) -> None:
    async with listening() as port:
        assert await ask(TcpLink(Socket("127.0.0.1", port)), pdu) == [words]
        assert await ask(RtuLine(Socket("127.0.0.1", port, "rtu"), lambda _unit, _timeout: None), pdu) == [words]
    far, near = pty.openpty()
    try:
        assert await ask(RtuLine(Tty(os.ttyname(near)), lambda _unit, _timeout: None), pdu) == [words]
    finally:
        os.close(far)
        os.close(near)


async def test_a_child_process_is_watched_as_well() -> None:
    async with listening() as port:
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, str(port), cwd=ROOT)
        assert await child.wait() == 0
    (words,) = spy.SPY.take()
    assert words == f"Modbus function 6 (process {child.pid})"


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_an_opcua_request_that_does_not_only_read_is_seen(
    opcua: OpcuaTwin, tmp_path: Path, is_sealed: bool
) -> None:
    device = await secured(opcua, opcua.port, tmp_path) if is_sealed else opcua.device(opcua.port)
    assert isinstance(device, OpcuaDevice)
    session = opcua_session.Session(device, READING | {"WriteRequest"})
    await session.open()
    assert spy.SPY.take() == []
    at_work = spy.OWNER.set("drivers.opcua")  # as if the driver itself called it
    await session._client.uaclient.session.write(ua.WriteParameters())
    spy.OWNER.reset(at_work)
    assert spy.SPY.take() == ["OPC UA request 673"]
    await session.close()


def test_a_sealed_request_that_was_not_seen_before_is_a_violation() -> None:
    watch = spy.Spy()
    opened = b"OPNF" + (16 + 10 + 0).to_bytes(4, "little") + bytes(4) + (10).to_bytes(4, "little") + b"#Aes256Sha"
    stream = spy.Stream("drivers.opcua")
    assert stream.feed(opened + b"MSGF" + (24).to_bytes(4, "little") + bytes(16)) == ["OpenSecureChannel", spy.SEALED]
    watch.note([spy.SEALED])
    assert watch.violations == ["OPC UA request that was encrypted unseen"]


def test_what_the_drivers_allow_themselves_is_what_the_spy_allows() -> None:
    names = {f"{name}Request" for name in spy.SERVICES.values()}
    assert names >= READING | LOOKING
    assert set(frame.READ_ONLY_FUNCTIONS) == set(spy.FUNCTIONS)
    for number, name in spy.SERVICES.items():
        assert getattr(ObjectIds, f"{name}Request_Encoding_DefaultBinary") == number
