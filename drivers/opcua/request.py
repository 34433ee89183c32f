"""Pure: in octets the requests that are sent as often as values come: PublishRequest and ReadRequest."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from drivers.opcua.columns import EPOCH

PUBLISH_REQUEST = b"\x01\x00\x3a\x03"
HEADER = struct.Struct("<qIIiI3xi")
"""Time, handle, diagnostics, audit entry (null), timeout hint, no further header; then how many acknowledgements."""

READ_REQUEST = b"\x01\x00\x77\x02"
READ_HEADER = struct.Struct("<qIIiI3xdI")
"""Time, handle, diagnostics, audit entry (null), timeout hint, no further header; then age and which times (source)."""


def read_request(token: bytes, time: int, handle: int, timeout_s: float, nodes: bytes) -> bytes:
    """The request for values straight from the device; `nodes` is the encoded list of what is read."""
    header = READ_HEADER.pack(time // 100 + EPOCH, handle, 0, -1, int(timeout_s * 1000), 0.0, 0)
    return b"".join((READ_REQUEST, token, header, nodes))


def publish_request(token: bytes, time: int, handle: int, acknowledged: Sequence[tuple[int, int]]) -> bytes:
    """The request of a session (`token`, its NodeId in octets) at `time` (ns since 1970 UTC), without a time limit."""
    header = HEADER.pack(time // 100 + EPOCH, handle, 0, -1, 0, len(acknowledged))
    numbers = [number for one in acknowledged for number in one]
    return b"".join((PUBLISH_REQUEST, token, header, struct.pack(f"<{len(numbers)}I", *numbers)))
