"""The plant's OPC UA server: three machines and a clock, each change written with its exact source time."""

from __future__ import annotations

import asyncio
import gc
import logging
from copy import copy
from datetime import UTC, datetime, timedelta

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from simulators.live import Live
from simulators.retransmission import keep_until_acknowledged
from simulators.shot import HEALTHY

VENDOR = "tanchang simulators"
PRODUCT_URI = "urn:tanchang:simulators"
EPOCH = ua.DateTime(1970, 1, 1, tzinfo=UTC)

U16, F32 = ua.VariantType.UInt16, ua.VariantType.Float
MACHINE = {"light": U16, "good": U16, "scrap": U16, "reason": U16, "cycle": F32}
SHOT = {"shot": ua.VariantType.UInt32, "die_temperature": F32, **{f"shot_{name}": F32 for name in HEALTHY}}
FOLDERS = ("diecast1", "trim1", "testpack1")
VANISHING = "trim1"
NODES = {
    "clock": ua.VariantType.UInt64,
    **{f"{machine}.{name}": kind for machine in FOLDERS for name, kind in MACHINE.items()},
    **{f"diecast1.{name}": kind for name, kind in SHOT.items()},
}


class OpcuaServer:
    """Serves NODES of a live plant on loopback; `off` and `on` close and open its listener, never the plant.

    `public` is the port that it tells clients to call where a proxy stands before it. `shift` gives the nodes'
    namespace another index, while it is off; `vanish` takes a machine's nodes away, `appear` brings them back.
    """

    def __init__(self, live: Live, port: int, public: int | None = None) -> None:
        self.port, self.public = port, public
        self._live = live
        self._server = Server()
        self._space = 0
        self._nodes: dict[str, ua.NodeId] = {}
        self._folders: dict[str, Node] = {}
        self._turn = asyncio.Lock()  # nodes do not go while they are written

    async def open(self) -> None:
        """Build the address space and listen; `port` is then the real one."""
        server, scenario = self._server, self._live.plant.scenario.name
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        keep_until_acknowledged()
        await fill(server)
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port if self.public is None else self.public}/")
        server.socket_address = ("127.0.0.1", self.port)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        server.set_identity_tokens([ua.AnonymousIdentityToken])
        await server.set_application_uri(f"{PRODUCT_URI}:server")
        server.set_server_name(f"{VENDOR} {scenario}")
        server.product_uri, server.manufacturer_name = PRODUCT_URI, VENDOR
        build = (PRODUCT_URI, VENDOR, scenario, "1", f"speed={self._live.clock.speed:g}")
        await server.set_build_info(*build, datetime.now(UTC))
        self._space = await server.register_namespace(f"{PRODUCT_URI}:{scenario}")
        await self.appear()
        await server.start()
        assert server.bserver is not None  # start() has made it
        self.port = server.bserver.port

    async def tell(self) -> None:
        """Write every change up to now, one by one in order, then the clock: whoever reads it knows all before it."""
        async with self._turn:
            await self._tell()

    async def _tell(self) -> None:
        live = self._live
        now, error = live.catch_up(), live.clock_error.get("opcua", 0)
        while live.untold and live.untold[0].time <= now:
            change = live.untold.popleft()
            if change.node in self._nodes:
                await self._write(change.node, change.value, change.time + error)
        await self._write("clock", (now + error) // 1_000_000, now + error)

    async def appear(self) -> None:
        """Add the nodes that are not there, with what they hold now."""
        async with self._turn:
            await self._add()

    async def _add(self) -> None:
        for name, kind in NODES.items():
            if name in self._nodes:
                continue
            machine, _, value = name.rpartition(".")
            now = self._live.plant.now
            first = self._live.plant.values.get(name, now // 1_000_000)
            path = _node(name, self._space), ua.QualifiedName(value, self._space)
            node = await (await self._folder(machine)).add_variable(*path, _typed(kind, first), kind)
            self._nodes[name] = node.nodeid
            await self._write(name, first, now + self._live.clock_error.get("opcua", 0))

    async def vanish(self, machine: str = VANISHING) -> None:
        """Take a machine's nodes away; clients are told that they know no such node."""
        async with self._turn:
            gone = [name for name in self._nodes if name.startswith(f"{machine}.")]
            nodes = [self._server.get_node(self._nodes.pop(name)) for name in gone]
            await self._server.delete_nodes([*nodes, self._folders.pop(machine)])

    async def shift(self) -> None:
        """Give the namespace of all nodes the next index, as a PLC may after a change of its program."""
        async with self._turn:
            everything = [self._server.get_node(node) for node in self._nodes.values()]
            await self._server.delete_nodes([*everything, *self._folders.values()])
            self._nodes.clear()
            self._folders.clear()
            spaces = await self._server.get_namespace_array()
            spaces.insert(self._space, f"{PRODUCT_URI}:moved:{self._space}")
            await self._server.get_node(ObjectIds.Server_NamespaceArray).write_value(spaces)
            self._space += 1
            await self._add()

    async def _folder(self, machine: str) -> Node:
        """The object that holds a machine's nodes; the clock stands beside the machines."""
        if not machine:
            return self._server.nodes.objects
        if machine not in self._folders:
            path = _node(machine, self._space), ua.QualifiedName(machine, self._space)
            self._folders[machine] = await self._server.nodes.objects.add_object(*path)
        return self._folders[machine]

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

    async def boot(self) -> None:
        """Tell from now on that it started now."""
        inside = self._server.iserver
        status = copy(await inside.server_status_node.read_value())
        status.StartTime = status.CurrentTime = datetime.now(UTC)
        await inside.server_status_node.write_value(status)

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


async def fill(server: Server) -> None:
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
