"""An OPC UA server that answers large Reads with prebuilt responses: `python -m tests.bench.opcua_poll_server NODES`.

asyncua's server does the handshake, the session and small Reads; a Read of NODES nodes gets the octets of one of two
responses that were encoded once and differ in every value, with only the request's number filled in. No server of
Python could encode as fast as the clients under measurement read.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import struct
import sys
from itertools import cycle
from typing import Any

from asyncua import ua
from asyncua.server.server import Server
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_to_binary

READ = ua.NodeId(ua.Int32(ObjectIds.ReadRequest_Encoding_DefaultBinary))
ROUND = 10  # Reads until the values change
HANDLE_AT = 12  # of the request handle: after the type and the header's time
LEAST_OCTETS_A_NODE = 10  # of a ReadValueId


def _body(tags: int, value: float) -> bytearray:
    """A Read response with so many Doubles."""
    time = ua.DateTime(2026, 11, 22, tzinfo=dt.UTC)
    cell = ua.DataValue(ua.Variant(value, ua.VariantType.Double), SourceTimestamp=time)
    answer = ua.ReadResponse()
    answer.Results = [cell] * tags
    return bytearray(struct_to_binary(answer))


def answer_large_reads(tags: int) -> None:
    """Every server of this process does from now on."""
    bodies = cycle([_body(tags, 1.5)] * ROUND + [_body(tags, 2.5)] * ROUND)
    plain = UaProcessor._process_message

    async def quick(self: Any, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        if typeid != READ or len(body) < LEAST_OCTETS_A_NODE * tags:
            return bool(await plain(self, typeid, requesthdr, seqhdr, body))
        octets = next(bodies)
        struct.pack_into("<I", octets, HANDLE_AT, requesthdr.RequestHandle)
        self._transport.write(self._connection.message_to_binary(bytes(octets), request_id=seqhdr.RequestId))
        return True

    UaProcessor._process_message = quick  # type: ignore[method-assign]


async def main(tags: int) -> None:
    """Prints {"event": "ready", "url": ...}; serves until standard input closes."""
    answer_large_reads(tags)
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace("urn:tanchang:bench")
    async with server:
        port = server.bserver._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # asyncua tells no port
        print(json.dumps({"event": "ready", "url": f"opc.tcp://127.0.0.1:{port}/"}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
