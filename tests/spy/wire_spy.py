"""Watches what leaves our drivers: every octet they send, in this process and its children, decoded independently.

A socket is ours where a function of `drivers` connects it, itself or in a task it started. OPC UA requests are read
from the wire where it is plain, else as they are handed over for encryption; Modbus frames always from the wire.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import Counter
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

SERVICES = {
    422: "FindServers",
    428: "GetEndpoints",
    446: "OpenSecureChannel",
    452: "CloseSecureChannel",
    461: "CreateSession",
    467: "ActivateSession",
    473: "CloseSession",
    527: "Browse",
    533: "BrowseNext",
    631: "Read",
    751: "CreateMonitoredItems",
    781: "DeleteMonitoredItems",
    787: "CreateSubscription",
    826: "Publish",
    832: "Republish",
    841: "TransferSubscriptions",
    847: "DeleteSubscriptions",
}
"""All that may be asked of an OPC UA server, by the numbers of the requests' binary encodings (OPC 10000-6)."""
FUNCTIONS = {
    1: "read coils",
    2: "read discrete inputs",
    3: "read holding registers",
    4: "read input registers",
    43: "read device identification",
}
"""All that may be asked of a Modbus unit."""
READ_IDENTIFICATION = 14  # what function 43 must be about
SEALED = "sealed"
FOLDER = "TANCHANG_WIRE_SPY"
OWNERS = ("drivers.modbus", "drivers.opcua")
OWNER: ContextVar[str | None] = ContextVar("wire_spy_owner", default=None)


def owner() -> str | None:
    """Which driver is at work: it called us, or started the task that did."""
    known = OWNER.get()
    frame = sys._getframe(1) if known is None else None
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith(OWNERS):
            return ".".join(name.split(".")[:2])
        frame = frame.f_back
    return known


class Stream:
    """What one of our sockets sends: `feed` gives what was asked for, a word a request."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._octets = b""
        self._sealed = False

    def feed(self, octets: bytes) -> list[str]:
        """More octets; the requests that are whole now."""
        self._octets += octets
        return list(self._opcua() if self._protocol == "drivers.opcua" else self._modbus())

    def _modbus(self) -> Any:
        while len(octets := self._octets) >= 4:
            if octets[-2:] == crc(octets[:-2]):  # an RTU line sends a frame at a time
                self._octets = b""
                yield modbus(octets[1:-2])
                continue
            size = 6 + int.from_bytes(octets[4:6], "big")
            if len(octets) < max(8, size):
                return
            self._octets = octets[size:]
            yield modbus(octets[7:size])

    def _opcua(self) -> Any:
        while len(octets := self._octets) >= 8:
            size = int.from_bytes(octets[4:8], "little")
            if len(octets) < size:
                return
            self._octets = octets[size:]
            kind = octets[:3]
            if kind == b"OPN":
                length = int.from_bytes(octets[12:16], "little")
                self._sealed = not octets[16 : 16 + length].endswith(b"#None")
            if kind == b"HEL":
                yield "Hello"
            elif kind in (b"OPN", b"CLO"):
                yield {b"OPN": "OpenSecureChannel", b"CLO": "CloseSecureChannel"}[kind]
            elif not self._sealed:
                yield opcua(octets[24:])
            elif octets[3:4] == b"F":
                yield SEALED


def crc(octets: bytes) -> bytes:
    """The checksum of an RTU frame, bit by bit."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def modbus(pdu: bytes) -> str:
    """The name of what a PDU asks for; a violation begins with "!"."""
    if pdu[:1] == b"\x2b" and pdu[1:2] != bytes([READ_IDENTIFICATION]):
        return f"!Modbus function 43/{pdu[1:2].hex()}"
    return FUNCTIONS.get(pdu[0], f"!Modbus function {pdu[0]}")


def opcua(body: bytes) -> str:
    """The name of the service that a plain body asks for; a violation begins with "!"."""
    number = int.from_bytes(body[2:4], "little") if body[:2] == b"\x01\x00" else -1
    return SERVICES.get(number, f"!OPC UA request {number}")


class Spy:
    """One a process. `seen` counts requests by name, `violations` are those that do not only read."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.violations: list[str] = []
        self._streams: WeakKeyDictionary[socket.socket, Stream] = WeakKeyDictionary()
        self._named = 0  # requests that were read before they were encrypted, and are not on the wire yet
        self._installed = False
        self._is_child = False

    def install(self) -> None:
        """Watch this process from now on."""
        if self._installed:
            return
        self._installed = True
        self._is_child = "pytest" not in sys.modules
        self._watch_sockets()
        self._watch_serial_lines()
        self._follow_tasks()

    def take(self) -> list[str]:
        """The violations of this process and its children since the last call."""
        found, self.violations = self.violations, []
        for file in Path(os.environ[FOLDER]).iterdir() if FOLDER in os.environ else ():
            found += file.read_text().splitlines()
            file.unlink()
        return found

    def note(self, words: list[str]) -> None:
        """What was asked for; a child tells its parent of a violation at once, in a file of its own."""
        for word in words:
            if word == SEALED:
                self._named -= 1
                word = SEALED if self._named >= 0 else "!OPC UA request that was encrypted unseen"
            self.seen[word] += 1
            if not word.startswith("!"):
                continue
            self.violations.append(word[1:])
            if self._is_child and FOLDER in os.environ:
                with (Path(os.environ[FOLDER]) / str(os.getpid())).open("a") as file:
                    file.write(f"{word[1:]} (process {os.getpid()})\n")

    def _watch_sockets(self) -> None:
        connect, send, sendall, sendmsg = (
            getattr(socket.socket, name) for name in ("connect", "send", "sendall", "sendmsg")
        )

        def connecting(link: socket.socket, address: Any) -> Any:
            found = owner()
            if found is not None and link.type & socket.SOCK_STREAM:
                self._streams[link] = Stream(found)
                if found == "drivers.opcua":
                    self._watch_sealed()
            return connect(link, address)

        def sending(link: socket.socket, data: Any, *flags: int) -> Any:
            sent = send(link, data, *flags)
            if (stream := self._streams.get(link)) is not None:
                self.note(stream.feed(bytes(data)[:sent]))
            return sent

        def sending_all(link: socket.socket, data: Any, *flags: int) -> Any:
            if (stream := self._streams.get(link)) is not None:
                self.note(stream.feed(bytes(data)))
            return sendall(link, data, *flags)

        def sending_pieces(link: socket.socket, buffers: Any, *rest: Any) -> Any:
            pieces = [bytes(one) for one in buffers]
            sent = sendmsg(link, pieces, *rest)
            if (stream := self._streams.get(link)) is not None:
                self.note(stream.feed(b"".join(pieces)[:sent]))
            return sent

        hooks = {"connect": connecting, "send": sending, "sendall": sending_all, "sendmsg": sending_pieces}
        for name, hook in hooks.items():
            setattr(socket.socket, name, hook)

    def _watch_serial_lines(self) -> None:
        write = os.write

        def writing(fd: int, data: Any) -> int:
            if owner() == "drivers.modbus":
                self.note(Stream("drivers.modbus").feed(bytes(data)))
            return write(fd, data)

        setattr(os, "write", writing)  # noqa: B010 - mypy takes no assignment to a function

    def _watch_sealed(self) -> None:
        """Requests that are encrypted on the wire, as the library is given them."""
        from asyncua import ua
        from asyncua.common.connection import SecureConnection

        seal, plain = SecureConnection.message_to_binary, ua.MessageType.SecureMessage
        if getattr(seal, "is_watched", False):
            return

        def sealing(link: Any, message: bytes, *rest: Any, **named: Any) -> bytes:
            if link.security_policy.Mode != ua.MessageSecurityMode.None_ and owner() == "drivers.opcua":
                self._named += (rest[0] if rest else named.get("message_type", plain)) == plain
                self.note([opcua(message)])
            return seal(link, message, *rest, **named)

        sealing.is_watched = True  # type: ignore[attr-defined]
        setattr(SecureConnection, "message_to_binary", sealing)  # noqa: B010 - as above

    def _follow_tasks(self) -> None:
        create = asyncio.base_events.BaseEventLoop.create_task

        def creating(loop: Any, work: Any, **named: Any) -> Any:
            found = owner()
            if found is None:
                return create(loop, work, **named)
            token = OWNER.set(found)
            try:
                return create(loop, work, **named)
            finally:
                OWNER.reset(token)

        setattr(asyncio.base_events.BaseEventLoop, "create_task", creating)  # noqa: B010 - as above


SPY = Spy()
