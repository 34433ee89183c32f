"""An OPC UA server on asyncua that counts: `python -m tests.peers.counting_opcua LIFE SHIFT EVERY_MS`.

Nodes, words on standard input and lines on standard output are those of counting_opcua.js.
"""

from __future__ import annotations

import asyncio
import json
import sys

from asyncua import ua
from asyncua.server.server import Server
from asyncua.ua.status_codes import StatusCodes

from simulators.retransmission import keep_until_acknowledged
from tests.peers.words import Counting, words

NAMES = ("light", "good", "check", "serial")


async def main(life: int, shift: int, every_s: float) -> None:
    """Count until standard input ends."""
    keep_until_acknowledged()
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    for n in range(shift):
        await server.register_namespace(f"urn:tanchang:before{n}")
    space = await server.register_namespace("urn:tanchang:counting")
    nodes = [
        await server.nodes.objects.add_variable(f"ns={space};s={name}", f"{space}:{name}", 0, ua.VariantType.UInt32)
        for name in NAMES
    ]
    counting = Counting(life)

    async def tell() -> None:
        light, good, serial, check = counting.values()
        for node, value in zip(nodes, (light, good, check, serial), strict=True):
            status = StatusCodes.BadSensorFailure if counting.bad else StatusCodes.Good
            data = ua.DataValue(ua.Variant(value, ua.VariantType.UInt32), ua.StatusCode(ua.UInt32(status)))
            await server.write_attribute_value(node.nodeid, data)

    async def count() -> None:
        while True:
            await asyncio.sleep(every_s)
            if not counting.halted:
                counting.good += 1
                await tell()

    await tell()
    async with server:
        assert server.bserver is not None
        print(json.dumps({"port": server.bserver.port}), flush=True)
        counter = asyncio.create_task(count())
        async for word in words():
            counting.hear(word)
            await tell()
        counter.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000))
