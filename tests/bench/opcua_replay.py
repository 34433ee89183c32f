"""An OPC UA server that sends prebuilt Publish responses: `python -m tests.bench.opcua_replay TAGS EVERY_MS`.

asyncua's server does the handshake, the session and the subscription; then the octets of responses of at most 1,000
values, encoded once, go out as fast as the client asks, only their numbers are filled in; each value differs from the
one before. No server of Python could encode 200,000 values a second.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import struct
import sys
from typing import Any

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.server import Server
from asyncua.ua.ua_binary import struct_to_binary

AT_ONCE = 1000
MARK = 0xA5A5_5A5A
HANDLE_AT = 12  # of the request handle: after the type and the header's time
LONGEST_BACKLOG_S = 1.0
VALUES = (1.5, 2.5)  # in turn


class Replay(InternalSubscription):
    """A subscription whose messages were encoded before."""

    tags = 0
    every_s = 0.0

    async def _subscription_loop(self) -> None:
        items = self.monitored_item_srv._monitored_items
        while len(items) < self.tags:  # noqa: ASYNC110 - created by the client, call after call
            await asyncio.sleep(0.05)
        handles = [one.client_handle or 0 for one in items.values()]
        parts = [handles[start : start + AT_ONCE] for start in range(0, self.tags, AT_ONCE)]
        self._bodies = [_body(part, self.data.SubscriptionId, value) for value in VALUES for part in parts]
        self._owed, self._sent = 0, 0
        most = int(LONGEST_BACKLOG_S / self.every_s) * len(parts)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._owed = min(most, self._owed + len(parts))
            while await self.publish_results():
                pass
            due += self.every_s
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def publish_results(self, requestdata: Any = None) -> bool:
        """Send what is owed for the request in hand, or for those that wait."""
        if not getattr(self, "_owed", 0):
            return False
        if requestdata is None and self.pub_request_callback:
            requestdata = self.pub_request_callback(self.data.SubscriptionId)
        if requestdata is None:
            return False
        body, at = self._bodies[self._sent % len(self._bodies)]
        self._owed -= 1
        self._sent += 1
        struct.pack_into("<I", body, HANDLE_AT, requestdata.requesthdr.RequestHandle)
        struct.pack_into("<I", body, at, self._sent)
        processor = self.pub_result_callback.__self__  # type: ignore[attr-defined]  # a method of the link's
        request = requestdata.seqhdr.RequestId
        octets = processor._connection.message_to_binary(bytes(body), request_id=request)
        processor._transport.write(octets)
        await self.publish_results()
        return True


def _body(handles: list[int], subscription: int, number: float) -> tuple[bytearray, int]:
    """A Publish response with a Double for each handle, and where its sequence number stands."""
    time = ua.DateTime(2026, 11, 22, tzinfo=dt.UTC)
    value = ua.DataValue(ua.Variant(number, ua.VariantType.Double), SourceTimestamp=time)
    changes = ua.DataChangeNotification()
    changes.MonitoredItems = [ua.MonitoredItemNotification(ua.UInt32(handle), value) for handle in handles]
    answer = ua.PublishResponse()
    answer.Parameters.SubscriptionId = ua.UInt32(subscription)
    answer.Parameters.NotificationMessage.SequenceNumber = ua.UInt32(MARK)
    answer.Parameters.NotificationMessage.PublishTime = time
    answer.Parameters.NotificationMessage.NotificationData = [changes]  # type: ignore[list-item]
    body = bytearray(struct_to_binary(answer))
    return body, body.index(struct.pack("<I", MARK))


async def main(tags: int, every_s: float) -> None:
    """Prints {"event": "ready", "url": ...}; serves until standard input closes."""
    from asyncua.server import subscription_service

    Replay.tags, Replay.every_s = tags, every_s
    subscription_service.InternalSubscription = Replay  # type: ignore[attr-defined,misc]  # the server makes ours
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:tanchang:bench")
    await server.nodes.objects.add_variable(f"ns={index};s=t0", f"{index}:t0", 0.0)
    async with server:
        port = server.bserver._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # asyncua tells no port
        print(json.dumps({"event": "ready", "url": f"opc.tcp://127.0.0.1:{port}/"}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
