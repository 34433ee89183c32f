"""An OPC UA server of counters that all change at once: `python -m tests.bench.opcua_server TAGS [EVERY_MS]`."""

from __future__ import annotations

import asyncio
import json
import sys

from asyncua import ua
from asyncua.server.server import Server


async def main(tags: int, every_s: float) -> None:
    """Prints {"event": "ready", "url": ...}; counts until standard input closes."""
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:tanchang:bench")
    folder = await server.nodes.objects.add_object(index, "bench")
    nodes = [
        await folder.add_variable(f"ns={index};s=t{n}", f"{index}:t{n}", 0, ua.VariantType.UInt32) for n in range(tags)
    ]
    async with server:
        port = server.bserver._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # asyncua tells no port
        print(json.dumps({"event": "ready", "url": f"opc.tcp://127.0.0.1:{port}/"}), flush=True)
        loop = asyncio.get_running_loop()
        closed = loop.run_in_executor(None, sys.stdin.read)
        count = 0
        while not closed.done():
            began = loop.time()
            count += 1
            for node in nodes:
                await server.write_attribute_value(node.nodeid, ua.DataValue(ua.Variant(count, ua.VariantType.UInt32)))
            await asyncio.sleep(max(0.0, began + every_s - loop.time()))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 1.0))
