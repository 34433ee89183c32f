"""What stands before every web server of ours: who may ask, and the headers each answer carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from gateway.turns import Turns

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
SAFE = ("GET", "HEAD", "OPTIONS")
MOST_AT_ONCE = 128
MOST_SOCKETS = 96  # live pages and those that are being told there is no seat left
LONGEST_BODY = 64 * 1024


def named(hosts: Iterable[str]) -> frozenset[str]:
    """The host names a server answers to: loopback always, and those given."""
    return frozenset({*LOOPBACK, *(host.lower() for host in hosts if host)})


def host_of(header: str) -> str | None:
    """The name in a Host header, without its port; None where it is not one."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


class Guard:
    """ASGI: refuses a foreign Host (DNS rebinding) and a foreign Origin on anything that acts or streams.

    Of requests that are being answered there are at most `most`, however slowly they are read; the next gets 503.
    `longer` are the octets of a body below addresses that take more than others: they read it once they know who asks.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        most: int = MOST_AT_ONCE,
        longer: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._hosts = named(hosts)
        self._most = most
        self._longer = longer
        self._open = 0
        self._sockets = 0
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None and (status := _too_long(scope, most := self._room(scope))):
            long = PlainTextResponse(f"a request has at most {most} bytes, and says how many", status)
            await long(scope, receive, _with_headers(send))
        elif refusal is None:
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008, refusal)(scope, receive, send)
        else:
            await PlainTextResponse(refusal, 403)(scope, receive, _with_headers(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send)
            return
        if self._open >= self._most:
            busy = PlainTextResponse("too many requests at once: ask again later", 503, {"retry-after": "1"})
            await busy(scope, receive, _with_headers(send))
            return
        self._open += 1
        try:
            await self._turns.take()
            await self._app(scope, receive, _with_headers(send))
        finally:
            self._open -= 1

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A crowd is sent away before anything is spent on it."""
        if self._sockets >= MOST_SOCKETS:
            await WebSocketClose(1013, "too many pages at once")(scope, receive, send)
            return
        self._sockets += 1
        try:
            await self._turns.take()
            await self._app(scope, receive, _with_headers(send))
        finally:
            self._sockets -= 1

    def _room(self, scope: Scope) -> int:
        """The octets a body may have."""
        return next((most for below, most in self._longer.items() if scope["path"].startswith(below)), LONGEST_BODY)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host_of(host) not in self._hosts:
            return "unknown host: add the name to the line file, or use the address the server printed"
        acts = scope["type"] == "websocket" or scope["method"] not in SAFE
        # A client without Origin is no browser and carries nobody's rights.
        if acts and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return "foreign origin: open the page from the server itself"
        return None


def _too_long(scope: Scope, most: int) -> int | None:
    """413 for a body longer than `most` octets, 411 for one that does not tell its length; nothing of it is read."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if headers.get("transfer-encoding"):
        return 411
    return 413 if not (length.isascii() and length.isdigit()) or int(length) > most else None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
