"""What this driver knows of asyncua's channel beyond its public face, private names included.

Every response is looked through before it is decoded. Publish goes out and comes in as octets, without a task, a lock
or an object of the library on its way; where the installed version does not have the names that needs (`KNOWN`), it
goes the public way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_to_binary

from drivers.frames import CUT, Frames
from drivers.opcua.builtin import vet
from drivers.opcua.request import publish_request, read_request
from drivers.opcua.shown import Shown

MAKE_PROTOCOL, DELIVER = "_make_protocol", "_call_callback"
PENDING, CHANNEL, LAST_REQUEST, LAST_HANDLE = "_callbackmap", "_connection", "_request_id", "_request_handle"
PUBLISH_RESPONSE, READ_RESPONSE = b"\x01\x00\x3d\x03", b"\x01\x00\x7a\x02"
KNOWN = all(hasattr(UASocketProtocol(), name) for name in (PENDING, CHANNEL, LAST_REQUEST, LAST_HANDLE))


def watch(transport: UaClient, frames: Frames) -> None:
    """Every response is looked through before the library decodes any of it; a hostile one ends the link.

    What may be seen of requests and responses is noted in `frames`.
    """
    make = getattr(transport, MAKE_PROTOCOL)

    def made() -> asyncio.Protocol:
        protocol = make()
        deliver, shown = getattr(protocol, DELIVER), Shown(frames, time.time_ns)
        if hasattr(protocol, CHANNEL):
            _show_requests(getattr(protocol, CHANNEL), shown)

        def vetted(request: int, body: Any) -> None:
            if isinstance(body, Buffer):
                shown.received(request, body.copy().read(min(len(body), CUT)), len(body))
                if not isinstance(getattr(protocol, PENDING, {}).get(request), Undecoded):
                    vet(bytes(body))
            deliver(request, body)

        setattr(protocol, DELIVER, vetted)
        return cast("asyncio.Protocol", protocol)

    setattr(transport, MAKE_PROTOCOL, made)


def _show_requests(channel: Any, shown: Shown) -> None:
    encode = channel.message_to_binary

    def encoded(body: bytes, *rest: Any, request_id: int = 0, **more: Any) -> Any:
        shown.sent(request_id, body)
        return encode(body, *rest, request_id=request_id, **more)

    channel.message_to_binary = encoded


Body = Callable[[bytes, int], bytes]


class Undecoded(asyncio.Future[Buffer]):
    """Waits for a response that the library will not decode."""


def publish(transport: UaClient, acknowledged: Sequence[tuple[int, int]], count: int) -> list[asyncio.Future[Buffer]]:
    """Send so many PublishRequests in one piece, the first with the acknowledgements.

    What comes back holds the responses, or why the link ended. ConnectionError without one.
    """

    def asking(acks: Sequence[tuple[int, int]]) -> Body:
        return lambda token, handle: publish_request(token, time.time_ns(), handle, acks)

    return _send(transport, [asking(acknowledged), *[asking(())] * (count - 1)])


def read(transport: UaClient, nodes: bytes, timeout_s: float) -> asyncio.Future[Buffer]:
    """Send a ReadRequest; what comes back holds the response, or why the link ended. ConnectionError without one."""
    (answer,) = _send(transport, [lambda token, handle: read_request(token, time.time_ns(), handle, timeout_s, nodes)])
    return answer


def _send(transport: UaClient, bodies: Sequence[Body]) -> list[asyncio.Future[Buffer]]:
    """Send in one piece what each body makes of the session's token and the request's handle."""
    protocol: Any = transport.protocol
    if protocol is None or protocol.transport is None:
        raise ConnectionError("the connection is closed")
    token, loop = nodeid_to_binary(protocol.authentication_token), asyncio.get_running_loop()
    protocol.revolve_security_token()
    pieces, answers = [], list[asyncio.Future[Buffer]]()
    for body in bodies:
        handle, number = getattr(protocol, LAST_HANDLE) + 1, getattr(protocol, LAST_REQUEST) + 1
        pieces.append(getattr(protocol, CHANNEL).message_to_binary(body(token, handle), request_id=number))
        setattr(protocol, LAST_HANDLE, handle)
        setattr(protocol, LAST_REQUEST, number)
        answers.append(Undecoded(loop=loop))
        getattr(protocol, PENDING)[number] = answers[-1]
    protocol.transport.write(b"".join(pieces))
    return answers


def answered(transport: UaClient, answer: Buffer) -> bytes:
    """The octets of a ReadResponse; the library's error for its status where the server refused."""
    return _response(transport, answer, READ_RESPONSE)


def published(transport: UaClient, answer: Buffer) -> bytes:
    """The octets of a PublishResponse; the library's error for its status where the server refused."""
    return _response(transport, answer, PUBLISH_RESPONSE)


def _response(transport: UaClient, answer: Buffer, kind: bytes) -> bytes:
    body = bytes(answer)
    if not body.startswith(kind):  # the library decodes it after all
        vet(body)
        if transport.protocol is not None:
            transport.protocol.check_answer(answer, "")
    return body
