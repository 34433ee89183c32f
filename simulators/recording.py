"""A recording of a site: JSON lines, a header and then what was seen when. What each reply of a device tells. Pure.

Header: {"tanchang_recording": 1, "protocol": "modbus" | "opcua", "target": url, "started": ns since 1970, ...}; for
OPC UA with the server's `namespaces` and its `nodes` as [node id, name, variant type]. Then rows, each with `t`, ns
since the start: Modbus {"unit", "request", "reply"}, PDUs in hex; OPC UA {"node": index, "value", "status",
"source": ns since 1970}.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VERSION = 1
MARK = "tanchang_recording"
BITS, REGISTERS = (1, 2), (3, 4)
EXCEPTION = 0x80
ILLEGAL_ADDRESS, GATEWAY_SILENT = 2, 11


class RecordingError(Exception):
    """Not a recording that can be replayed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The header and the rows, in order of time."""

    header: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]

    @property
    def length(self) -> int:
        """From the start to the last row, ns."""
        return int(self.rows[-1]["t"]) if self.rows else 0


def header(protocol: str, target: str, started: int, **more: Any) -> dict[str, Any]:
    """The first line of a recording."""
    return {MARK: VERSION, "protocol": protocol, "target": target, "started": started, **more}


def parse(text: str) -> Recording:
    """A recording; RecordingError where it is none. A last line that was cut off is left out."""
    lines = text.split("\n")
    try:
        first, rows = json.loads(lines[0]), [json.loads(line) for line in lines[1:-1]]
    except json.JSONDecodeError as error:
        raise RecordingError(f"this is no recording ({error}); make one with tanchang simulate record") from error
    if not isinstance(first, dict) or MARK not in first:
        raise RecordingError("this is no recording; make one with tanchang simulate record")
    if first[MARK] > VERSION:
        raise RecordingError(f"this recording is of form {first[MARK]}, newer than this program; install a newer one")
    return Recording(first, rows)


@dataclass(slots=True)
class Image:
    """What a Modbus address has told so far: every register and bit by unit, function and address."""

    values: dict[tuple[int, int, int], int] = field(default_factory=dict)
    refused: dict[tuple[int, bytes], bytes] = field(default_factory=dict)

    def learn(self, unit: int, request: bytes, reply: bytes) -> None:
        """Take one exchange; the last word on a register, and on what was refused, holds."""
        self.refused.pop((unit, request), None)
        if not request or not reply:
            return
        if reply[0] == request[0] | EXCEPTION:
            self.refused[unit, request] = reply
            return
        for address, value in _told(request, reply):
            self.values[unit, request[0], address] = value

    def answer(self, unit: int, request: bytes) -> bytes:
        """The reply to a read: what is known, else the recorded refusal, else an exception."""
        if (unit, request) in self.refused:
            return self.refused[unit, request]
        if len(request) != 5 or request[0] not in BITS + REGISTERS:
            return bytes([request[0] | EXCEPTION, 1])
        if all(known != unit for known, _, _ in self.values):
            return bytes([request[0] | EXCEPTION, GATEWAY_SILENT])
        function, start, count = struct.unpack(">BHH", request)
        found = [self.values.get((unit, function, address)) for address in range(start, start + count)]
        known = [value for value in found if value is not None]
        if len(known) < len(found) or not known:
            return bytes([function | EXCEPTION, ILLEGAL_ADDRESS])
        body = _packed(known) if function in BITS else struct.pack(f">{len(known)}H", *known)
        return bytes([function, len(body)]) + body


def frames(buffer: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """The whole Modbus TCP frames at the front of the buffer, taken out of it: transaction, unit, PDU."""
    while len(buffer) >= 8:
        transaction, _, length, unit = struct.unpack_from(">HHHB", buffer)
        if len(buffer) < 6 + length:
            return
        yield transaction, unit, bytes(buffer[7 : 6 + length])
        del buffer[: 6 + length]


def framed(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A Modbus TCP frame."""
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def _told(request: bytes, reply: bytes) -> Iterator[tuple[int, int]]:
    """The addresses of a read with what the reply says of them; nothing where the two do not belong together."""
    if len(request) != 5 or request[0] != reply[0] or reply[0] not in BITS + REGISTERS:
        return
    _, start, count = struct.unpack(">BHH", request)
    body = reply[2:]
    if reply[0] in BITS and len(body) == (count + 7) // 8 == reply[1]:
        for offset in range(count):
            yield start + offset, body[offset // 8] >> offset % 8 & 1
    elif reply[0] in REGISTERS and len(body) == 2 * count == reply[1]:
        yield from zip(range(start, start + count), struct.unpack(f">{count}H", body), strict=True)


def _packed(bits: Sequence[int]) -> bytes:
    whole = bytearray((len(bits) + 7) // 8)
    for offset, bit in enumerate(bits):
        whole[offset // 8] |= bit << offset % 8
    return bytes(whole)
