"""The plant's OPC UA server: three machines and a clock, each change written with its exact source time."""

from __future__ import annotations

import asyncio
import gc
import logging
from datetime import UTC, datetime, timedelta

from asyncua import ua
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds

from simulators.live import Live
from simulators.shot import HEALTHY

VENDOR = "tanchang simulators"
PRODUCT_URI = "urn:tanchang:simulators"
EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)

U16, F32 = ua.VariantType.UInt16, ua.VariantType.Float
MACHINE = {"light": U16, "good": U16, "scrap": U16, "reason": U16, "cycle": F32}
SHOT = {"shot": ua.VariantType.UInt32, "die_temperature": F32, **{f"shot_{name}": F32 for name in HEALTHY}}
FOLDERS = ("diecast1", "trim1", "testpack1")
NODES = {
    "clock": ua.VariantType.UInt64,
    **{f"{machine}.{name}": kind for machine in FOLDERS for name, kind in MACHINE.items()},
    **{f"diecast1.{name}": kind for name, kind in SHOT.items()},
}


class OpcuaServer:
    """Serves NODES of a live plant on loopback; `off` and `on` close and open its listener, never the plant.

    `public` is the port that it tells clients to call where a proxy stands before it.
    """

    def __init__(self, live: Live, port: int, public: int | None = None) -> None:
        self.port, self.public = port, public
        self._live = live
        self._server = Server()
        self._nodes: dict[str, ua.NodeId] = {}

    async def open(self) -> None:
        """Build the address space and listen; `port` is then the real one."""
        server, scenario = self._server, self._live.plant.scenario.name
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        await _fill(server)
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port if self.public is None else self.public}/")
        server.socket_address = ("127.0.0.1", self.port)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        await server.set_application_uri(f"{PRODUCT_URI}:server")
        server.set_server_name(f"{VENDOR} {scenario}")
        server.product_uri, server.manufacturer_name = PRODUCT_URI, VENDOR
        build = (PRODUCT_URI, VENDOR, scenario, "1", f"speed={self._live.clock.speed:g}")
        await server.set_build_info(*build, datetime.now(UTC))
        space = await server.register_namespace(f"{PRODUCT_URI}:{scenario}")
        folders = {}
        for name, kind in NODES.items():
            machine, _, value = name.rpartition(".")
            if machine not in folders:
                parent = server.nodes.objects
                path = _node(machine, space), ua.QualifiedName(machine, space)
                folders[machine] = await parent.add_object(*path) if machine else parent
            first = self._live.plant.values.get(name, self._live.plant.now // 1_000_000)
            node = await folders[machine].add_variable(
                _node(name, space), ua.QualifiedName(value, space), _typed(kind, first), kind
            )
            self._nodes[name] = node.nodeid
            await self._write(name, first, self._live.plant.now)
        await server.start()
        assert server.bserver is not None  # start() has made it
        self.port = server.bserver.port

    async def tell(self) -> None:
        """Write every change up to now, one by one in order, then the clock: whoever reads it knows all before it."""
        live = self._live
        now = live.catch_up()
        while live.untold and live.untold[0].time <= now:
            change = live.untold.popleft()
            if change.node in self._nodes:
                await self._write(change.node, change.value, change.time)
        await self._write("clock", now // 1_000_000, now)

    async def off(self) -> None:
        """Close the listener and every connection."""
        listener, self._server.bserver = self._server.bserver, None
        if listener is None:
            return
        closing = asyncio.create_task(listener.stop())
        while not closing.done():  # a link accepted a moment ago would hold stop() for half a minute
            for link in list(listener.clients):
                if link.transport is not None:
                    link.transport.abort()
            await asyncio.wait({closing}, timeout=0.02)
        await closing

    async def on(self) -> None:
        """Listen again, on the same port."""
        if self._server.bserver is None:
            listener = BinaryServer(self._server.iserver, "127.0.0.1", self.port, self._server.limits)
            listener.set_policies(self._server._policies)  # the server keeps them nowhere else
            await listener.start()
            self._server.bserver = listener

    async def close(self) -> None:
        """Close for good."""
        await self.off()
        await self._server.iserver.stop()

    async def _write(self, name: str, value: int | float, time_ns: int) -> None:
        when = EPOCH + timedelta(microseconds=time_ns // 1000)
        status = await self._server.iserver.aspace.write_attribute_value(
            self._nodes[name],
            AttributeIds.Value,
            ua.DataValue(
                _typed(NODES[name], value),
                ua.StatusCode(),
                SourceTimestamp=when,
                ServerTimestamp=ua.DateTime.now(UTC),
            ),
        )
        status.check()


async def _fill(server: Server) -> None:
    """Load the standard nodes: 400,000 objects that all stay, so collecting garbage meanwhile doubles the time."""
    gc.disable()
    try:
        await server.init()
    finally:
        gc.freeze()
        gc.enable()


def _typed(kind: ua.VariantType, value: int | float) -> ua.Variant:
    return ua.Variant(float(value) if kind == F32 else int(value), kind)


def _node(name: str, space: int) -> ua.NodeId:
    return ua.NodeId.from_string(f"ns={space};s={name}")
