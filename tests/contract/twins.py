"""Small servers of our own, one a protocol, that serve the same four tags; and a tap that writes down what is sent."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from asyncua import ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from cryptography.x509.oid import ExtendedKeyUsageOID
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.catalog import device_type
from drivers.contract import Device

START_MS = 1_795_305_600_000
NAMES = ("clock", "good", "light", "temperature", "absent")
NAMESPACE = "urn:tanchang:test"
T = TypeVar("T")


class OwnLoop:
    """An event loop in a thread of its own, so that a test's loop holds nothing but the driver under test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server under test")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.call(_end_of_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end in that loop, from a thread that has time to wait."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end in that loop, from a test's loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


async def _end_of_all() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class ModbusTwin:
    """Clock HR0, good HR4, light HR5, temperature HR6; HR300 is not there. Reading sets no value."""

    driver = "modbus"

    def __init__(self, loop: OwnLoop) -> None:
        self._loop = loop
        self._held = {"clock": START_MS, "good": 0, "light": 4, "temperature": 20.5}
        self.port = 0

    async def open(self) -> None:
        identity = ModbusDeviceIdentification(  # type: ignore[no-untyped-call]  # pymodbus has no types here
            info_name={"VendorName": "tanchang simulators", "ProductCode": "twin", "UserApplicationName": "speed=60"}
        )
        unit = SimDevice(1, [SimData(0, count=8, datatype=DataType.REGISTERS)], action=self._refresh)
        self._server = ModbusTcpServer([unit], identity=identity, address=("127.0.0.1", 0))
        await self._server.serve_forever(background=True)
        self.port = cast("asyncio.Server", self._server.transport).sockets[0].getsockname()[1]

    async def close(self) -> None:
        await self._server.shutdown()  # type: ignore[no-untyped-call]  # nor here

    async def write(self, **values: float) -> None:
        """Set all values and the clock, in one step."""

        async def store() -> None:
            self._held |= values

        await self._loop.run(store())

    async def _refresh(self, _code: int, _start: int, _at: int, _count: int, registers: list[int], _new: Any) -> None:
        held = self._held
        packed = struct.pack(">QHHf", held["clock"], held["good"], held["light"], held["temperature"])
        registers[0:8] = struct.unpack(">8H", packed)

    def device(self, port: int, **changes: Any) -> Device:
        """The device table of this twin behind a port."""
        addresses = ("HR0 u64", "HR4 u16", "HR5 u16", "HR6 f32", "HR300 u16")
        tags = [
            {"name": name, "address": place.split()[0], "datatype": place.split()[1], "every": "50ms"}
            for name, place in zip(NAMES, addresses, strict=True)
        ]
        table = {"name": "twin", "driver": "modbus", "host": "127.0.0.1", "port": port, "clock": "clock", "tag": tags}
        return device_type("modbus").model_validate(table | {"timeout": "1s"} | changes)


class OpcuaTwin:
    """The nodes s=clock, s=good, s=light, s=temperature; s=absent is not there. A write carries the clock's time."""

    driver = "opcua"

    def __init__(self, loop: OwnLoop, folder: Path) -> None:
        self._loop = loop
        self.folder = folder
        self._types = {
            "clock": ua.VariantType.UInt64,
            "good": ua.VariantType.UInt16,
            "light": ua.VariantType.UInt16,
            "temperature": ua.VariantType.Float,
        }
        self._held: dict[str, float] = {}
        self.port = 0

    async def open(self) -> None:
        self.server = server = Server()
        await server.init()
        server.set_endpoint("opc.tcp://127.0.0.1:0/")
        server.set_security_policy(
            [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt]
        )
        certificate, key = await keys(self.folder, "server")
        await server.set_application_uri("urn:tanchang:test:server")
        await server.load_certificate(certificate)
        await server.load_private_key(key)
        self._space = await server.register_namespace(NAMESPACE)
        server.product_uri, server.manufacturer_name = "urn:tanchang:simulators", "tanchang simulators"
        await server.set_build_info(
            server.product_uri, server.manufacturer_name, "twin", "1", "speed=60", datetime.now(UTC)
        )
        for name, kind in self._types.items():
            await server.nodes.objects.add_variable(self._node(name), name, ua.Variant(0, kind), kind)
        await self._store({"clock": START_MS, "good": 0, "light": 4, "temperature": 20.5})
        await server.start()
        assert server.bserver is not None
        self.port = server.bserver.port

    async def close(self) -> None:
        await self.server.stop()

    async def write(self, **values: float) -> None:
        """Set all values, the clock last."""
        await self._loop.run(self._store(dict(sorted(values.items(), reverse=True)) | {"clock": values["clock"]}))

    async def _store(self, values: dict[str, float]) -> None:
        time = ua.DateTime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=values["clock"])
        for name, value in [*((n, v) for n, v in values.items() if n != "clock"), ("clock", values["clock"])]:
            variant = ua.Variant(value, self._types[name])
            await self.server.iserver.aspace.write_attribute_value(
                self._node(name),
                AttributeIds.Value,
                ua.DataValue(variant, ua.StatusCode(), SourceTimestamp=time, ServerTimestamp=time),
            )

    async def add(self, name: str, value: float) -> None:
        """One more node, for as long as the server runs."""
        variant = ua.Variant(value, ua.VariantType.UInt16)
        await self._loop.run(self.server.nodes.objects.add_variable(self._node(name), name, variant))

    async def end_subscriptions(self) -> None:
        """End what broken links left behind."""
        service = self.server.iserver.subscription_service
        await self._loop.run(service.delete_subscriptions(list(service.subscriptions)))

    def _node(self, name: str) -> ua.NodeId:
        return ua.NodeId.from_string(f"ns={self._space};s={name}")

    def device(self, port: int, **changes: Any) -> Device:
        """The device table of this twin behind a port."""
        tags = [{"name": name, "node": f"s={name}", "every": "50ms"} for name in NAMES]
        table = {
            "name": "twin",
            "driver": "opcua",
            "url": f"opc.tcp://127.0.0.1:{port}/",
            "namespace": NAMESPACE,
            "security": "none",
            "clock": "clock",
            "timeout": "1s",
            "tag": tags,
        }
        return device_type("opcua").model_validate(table | changes)


async def keys(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key, in files."""
    certificate, key = folder / f"{name}.der", folder / f"{name}.pem"
    use = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(key, certificate, f"urn:tanchang:test:{name}", "localhost", use, {})
    return certificate, key


Twin = ModbusTwin | OpcuaTwin


class Tap:
    """A forwarder that keeps every octet a client sends, in order."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = 0
        self.sent = bytearray()
        self._links: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._links:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._links |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, self.sent), self._pump(far_reader, writer, bytearray()))
        except OSError:
            pass
        finally:
            writer.close()
            far_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
        while piece := await reader.read(65536):
            kept += piece
            writer.write(piece)
            await writer.drain()
        writer.close()


def modbus_functions(sent: bytes | bytearray) -> list[int]:
    """The function codes of a stream of Modbus TCP requests."""
    found = []
    at = 0
    while at + 7 < len(sent):
        found.append(sent[at + 7])
        at += 6 + int.from_bytes(sent[at + 4 : at + 6])
    return found


def opcua_services(sent: bytes | bytearray) -> list[tuple[int, bytes]]:
    """Of an unsecured OPC UA stream: the type number of each request in one chunk, and its octets."""
    found = []
    at = 0
    while at + 8 < len(sent):
        size = int.from_bytes(sent[at + 4 : at + 8], "little")
        if sent[at : at + 4] == b"MSGF":
            body = bytes(sent[at + 24 : at + size])
            found.append((int.from_bytes(body[2:4], "little"), body))
        at += size
    return found
