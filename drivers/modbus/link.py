"""One TCP connection to a Modbus unit. A reply belongs to a request by its transaction, or to nobody."""

from __future__ import annotations

import asyncio

from drivers.contract import NotConnectedError
from drivers.modbus.frame import HEADER, following, frame


class Link(asyncio.Protocol):
    """Asks and waits. Never reconnects; transactions go on counting from one connection to the next."""

    def __init__(self, host: str, port: int, unit: int) -> None:
        self._host, self._port, self._unit = host, port, unit
        self._transaction = 0
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] | None = None
        self._received = bytearray()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None

    async def open(self) -> None:
        """Connect; NotConnectedError where nobody listens."""
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)
        except OSError as error:
            raise NotConnectedError(
                f"{self._host}:{self._port} does not accept a connection ({error}); check power, cable and address"
            ) from error

    async def ask(self, pdu: bytes, timeout: float) -> bytes:
        """The PDU that answers; NotConnectedError when the link breaks or nothing comes within `timeout` seconds."""
        if self._transport is None:
            raise NotConnectedError(
                f"{self._host}:{self._port} closed the connection; check the device and the network"
            )
        self._transaction = self._transaction % 0xFFFF + 1
        mine = self._transaction
        request = frame(mine, self._unit, pdu)
        self._waiting[mine] = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(request)
            async with asyncio.timeout(timeout):
                return await self._waiting[mine]
        except TimeoutError as error:
            raise NotConnectedError(
                f"{self._host}:{self._port} unit {self._unit} did not answer within {timeout:g} s; "
                "check the unit number, or write a longer timeout"
            ) from error
        finally:
            del self._waiting[mine]

    async def close(self) -> None:
        """Drop the connection at once and wait until it is gone."""
        if self._transport is not None:
            self._transport.abort()
        if self._gone is not None:
            await asyncio.shield(self._gone)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._gone = asyncio.get_running_loop().create_future()
        self._received.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(f"{self._host}:{self._port} closed the connection ({exc or 'end of stream'}); check the device")
        if self._gone is not None:
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= HEADER.size:
            try:
                size = HEADER.size + following(self._received[: HEADER.size])
            except ValueError as error:
                self._break(str(error))
                return
            if len(self._received) < size:
                return
            transaction, _, _, unit = HEADER.unpack_from(self._received)
            pdu = bytes(self._received[HEADER.size : size])
            del self._received[:size]
            waiting = self._waiting.get(transaction)
            if waiting is None or waiting.done():
                continue
            if unit != self._unit:
                self._break(f"unit {unit} answered for unit {self._unit}")
                return
            waiting.set_result(pdu)

    def _break(self, why: str) -> None:
        self._fail(f"{self._host}:{self._port}: {why}; check what else answers at this address")
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, message: str) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(NotConnectedError(message))
