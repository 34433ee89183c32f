"""Replays recordings behind real servers, which say of themselves that they are simulated."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from simulators.opcua import EPOCH, PRODUCT_URI, VENDOR, fill
from simulators.recording import Image, Recording, framed, frames

STANDARD_NAMESPACES = 2  # OPC UA's own and the server's
IDENTIFY, MEI = 43, 14
CHUNK = 65536
PRODUCT = "replay"


class ModbusReplay:
    """Answers every read with what the recording had told by then."""

    def __init__(self, recording: Recording, speed: float) -> None:
        self._rows = iter(recording.rows)
        self._next = next(self._rows, None)
        self._image = Image()
        self._objects = [VENDOR, PRODUCT, "1", "", "", "", f"speed={speed:g}"]

    async def tell(self, t: int) -> None:
        """Learn all up to `t`, ns of the recording."""
        while self._next is not None and self._next["t"] <= t:
            row, self._next = self._next, next(self._rows, None)
            self._image.learn(row["unit"], bytes.fromhex(row["request"]), bytes.fromhex(row["reply"]))

    @asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[str]:
        """Listen on loopback; the address."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", port) as server:
            yield f"modbus://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = bytearray()
        with contextlib.closing(writer), contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK):
                buffer += piece
                for transaction, unit, request in frames(buffer):
                    writer.write(framed(transaction, unit, self._answer(unit, request)))
                await writer.drain()

    def _answer(self, unit: int, request: bytes) -> bytes:
        if request[:2] == bytes((IDENTIFY, MEI)):
            return _identity(request, self._objects)
        return self._image.answer(unit, request)


def _identity(request: bytes, objects: list[str]) -> bytes:
    """Read Device Identification (Modbus application protocol 1.1b3, 6.21), all in one reply."""
    code = request[2] if len(request) > 2 else 1
    told = [(number, text.encode()) for number, text in enumerate(objects) if text and (code > 1 or number < 3)]
    listed = b"".join(struct.pack("BB", number, len(text)) + text for number, text in told)
    return bytes([IDENTIFY, MEI, code, 2, 0, 0, len(told)]) + listed


class OpcuaReplay:
    """Serves the recorded nodes under their namespaces; source times move with `shift` ns."""

    def __init__(self, recording: Recording, speed: float, shift: int) -> None:
        self._recording, self._speed, self._shift = recording, speed, shift
        self._rows = iter(recording.rows)
        self._next = next(self._rows, None)
        self._server = Server()
        self._nodes: list[tuple[ua.NodeId, ua.VariantType]] = []

    async def tell(self, t: int) -> None:
        """Write all changes up to `t`, ns of the recording, in order."""
        while self._next is not None and self._next["t"] <= t:
            row, self._next = self._next, next(self._rows, None)
            node, kind = self._nodes[row["node"]]
            await self._server.iserver.aspace.write_attribute_value(node, AttributeIds.Value, self._told(row, kind))

    @asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[str]:
        """Build the address space and listen on loopback; the url."""
        server = self._server
        await fill(server)
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
        server.socket_address = ("127.0.0.1", port)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.product_uri, server.manufacturer_name = PRODUCT_URI, VENDOR
        build = (PRODUCT_URI, VENDOR, PRODUCT, "1", f"speed={self._speed:g}")
        await server.set_build_info(*build, datetime.now(UTC))
        await self._build()
        await server.start()
        assert server.bserver is not None  # start() has made it
        try:
            yield f"opc.tcp://127.0.0.1:{server.bserver.port}/"
        finally:
            await server.stop()

    async def _build(self) -> None:
        """Namespaces in the recorded order, then the nodes, which hold nothing before their first row."""
        own = await self._server.get_namespace_array()
        spaces = own[:STANDARD_NAMESPACES] + self._recording.header["namespaces"][STANDARD_NAMESPACES:]
        await self._server.get_node(ObjectIds.Server_NamespaceArray).write_value(spaces)
        for text, name, kind in self._recording.header["nodes"]:
            node, variant = ua.NodeId.from_string(text), ua.VariantType[kind]
            added = await self._server.nodes.objects.add_variable(
                node, ua.QualifiedName(name, node.NamespaceIndex), ua.Variant(_empty(variant), variant)
            )
            waiting = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadWaitingForInitialData)))
            await self._server.iserver.aspace.write_attribute_value(added.nodeid, AttributeIds.Value, waiting)
            self._nodes.append((added.nodeid, variant))

    def _told(self, row: Mapping[str, Any], kind: ua.VariantType) -> ua.DataValue:
        value = row["value"]
        if kind == ua.VariantType.DateTime and isinstance(value, str):
            value = datetime.fromisoformat(value)
        when = EPOCH + timedelta(microseconds=(row["source"] + self._shift) // 1000)
        return ua.DataValue(
            ua.Variant() if value is None else ua.Variant(value, kind),
            ua.StatusCode(row["status"]),
            SourceTimestamp=when,
            ServerTimestamp=ua.DateTime.now(UTC),
        )


def _empty(kind: ua.VariantType) -> object:
    empty: dict[ua.VariantType, Callable[[], object]] = {
        ua.VariantType.String: str,
        ua.VariantType.Boolean: bool,
        ua.VariantType.DateTime: lambda: EPOCH,
        ua.VariantType.Float: float,
        ua.VariantType.Double: float,
    }
    return empty.get(kind, int)()
