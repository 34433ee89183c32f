"""An OPC UA server of one machine: `python -m tests.bench.panel_plc`; each line on standard input turns its light."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from asyncua import ua
from asyncua.server.server import Server

LIGHTS = (4, 1)
PARTS_EVERY_S = 0.2


async def main() -> None:
    """Prints ready with its url, then `turned` with the wall time of each turn; counts parts all the while."""
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:tanchang:bench")
    machine = await server.nodes.objects.add_object(index, "machine1")
    light, good = [
        await machine.add_variable(f"ns={index};s={name}", f"{index}:{name}", first, ua.VariantType.UInt32)
        for name, first in (("light", LIGHTS[0]), ("good", 0))
    ]
    async with server:
        port = server.bserver._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # asyncua tells no port
        print(json.dumps({"event": "ready", "url": f"opc.tcp://127.0.0.1:{port}/"}), flush=True)
        counting = asyncio.create_task(_count(server, good.nodeid))
        loop, turns = asyncio.get_running_loop(), 0
        while await loop.run_in_executor(None, sys.stdin.readline):
            turns += 1
            at = time.time()
            await _write(server, light.nodeid, LIGHTS[turns % 2])
            print(json.dumps({"event": "turned", "at": at}), flush=True)
        counting.cancel()


async def _count(server: Server, node: ua.NodeId) -> None:
    """Parts enough that the panel always has something to tell: its pace is part of the delay."""
    count = 0
    while True:
        count += 1
        await _write(server, node, count)
        await asyncio.sleep(PARTS_EVERY_S)


async def _write(server: Server, node: ua.NodeId, value: int) -> None:
    await server.write_attribute_value(node, ua.DataValue(ua.Variant(value, ua.VariantType.UInt32)))


if __name__ == "__main__":
    asyncio.run(main())
