"""Records a real site: Modbus as a relay that writes down what passes, OPC UA as a client that subscribes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.common.subscription import DataChangeNotif
from asyncua.ua.object_ids import ObjectIds

from simulators.recording import frames, header

CHUNK = 65536
QUEUE = 100
SCALARS = frozenset(
    {"Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double", "String",
     "DateTime"}
)  # fmt: skip


class Sheet:
    """The file of a recording: a line is on its way to the disk when it is written."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)
        self._began = time.monotonic_ns()

    def begin(self, protocol: str, target: str, **more: Any) -> None:
        """Write the header; times count from now."""
        self._began = time.monotonic_ns()
        self._file.write(json.dumps(header(protocol, target, time.time_ns(), **more)) + "\n")

    def put(self, **row: Any) -> None:
        """Write a row."""
        self.rows += 1
        self._file.write(json.dumps({"t": time.monotonic_ns() - self._began, **row}) + "\n")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


@asynccontextmanager
async def modbus_relay(host: str, port: int, listen: int, sheet: Sheet) -> AsyncIterator[int]:
    """Stand between Modbus TCP clients and a device, and write down each request with its reply; the port to call."""
    sheet.begin("modbus", f"modbus://{host}:{port}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked: dict[int, tuple[int, bytes]] = {}
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        with contextlib.closing(far_writer), contextlib.closing(writer):
            there = asyncio.create_task(_pass_on(reader, far_writer, asked, None))
            back = asyncio.create_task(_pass_on(far_reader, writer, asked, sheet))
            _, rest = await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    async with await asyncio.start_server(serve, "127.0.0.1", listen) as server:
        yield server.sockets[0].getsockname()[1]


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    asked: dict[int, tuple[int, bytes]],
    sheet: Sheet | None,
) -> None:
    """Carry one direction, unchanged; the way back, with a sheet, writes down what was asked and answered."""
    seen = bytearray()
    while piece := await reader.read(CHUNK):
        writer.write(piece)
        await writer.drain()
        seen += piece
        for transaction, unit, pdu in frames(seen):
            if sheet is None:
                asked[transaction] = unit, pdu
            elif (request := asked.pop(transaction, None)) is not None:
                sheet.put(unit=request[0], request=request[1].hex(), reply=pdu.hex())


class _Hearer:
    """What asyncua calls for each change."""

    def __init__(self, sheet: Sheet, index: dict[Node, int]) -> None:
        self._sheet, self._index = sheet, index

    def datachange_notification(self, node: Node, value: object, data: DataChangeNotif) -> None:
        """Write one change."""
        told = data.monitored_item.Value
        source = told.SourceTimestamp or told.ServerTimestamp
        self._sheet.put(
            node=self._index[node],
            value=value.isoformat() if isinstance(value, datetime) else value,
            status=told.StatusCode.value if told.StatusCode else 0,
            source=_ns(source) if source else time.time_ns(),
        )


@asynccontextmanager
async def opcua_listener(url: str, security: str, most: int, every_s: float, sheet: Sheet) -> AsyncIterator[int]:
    """Subscribe to every scalar variable of a server, at most `most`, and write down what changes; how many."""
    client = Client(url)
    if security:
        await client.set_security_string(security)
    async with client:
        nodes = await _variables(client, most)
        found = [[node.nodeid.to_string(), name, kind] for node, name, kind in nodes]
        sheet.begin("opcua", url, namespaces=await client.get_namespace_array(), nodes=found)
        index = {node: place for place, (node, _, _) in enumerate(nodes)}
        subscription = await client.create_subscription(every_s * 1000, _Hearer(sheet, index))
        await subscription.subscribe_data_change(list(index), queuesize=QUEUE)
        yield len(nodes)


async def _variables(client: Client, most: int) -> list[tuple[Node, str, str]]:
    """The scalar variables below Objects, without the server's own: node, name, variant type."""
    found: list[tuple[Node, str, str]] = []
    seen = {client.nodes.server.nodeid}
    rest = [client.nodes.objects]
    while rest and len(found) < most:
        for child in await rest.pop(0).get_children(ObjectIds.HierarchicalReferences):
            if child.nodeid in seen or len(found) == most:
                continue
            seen.add(child.nodeid)
            rest.append(child)
            if await child.read_node_class() == ua.NodeClass.Variable:
                told = await child.read_data_value(raise_on_bad_status=False)
                kind = "" if told.Value is None or told.Value.is_array else told.Value.VariantType.name
                if kind in SCALARS:
                    found.append((child, (await child.read_browse_name()).Name, kind))
    return found


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
