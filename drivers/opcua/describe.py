"""Pure: what the body of an OPC UA message is, as the standard names it. Never raises, whatever the octets are.

Only the first octets are there: what stands behind them is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from drivers.contract import Device
from drivers.frames import Describe, Frame, Part
from drivers.opcua.builtin import response_header
from drivers.opcua.cursor import I64, U32, Cursor
from drivers.opcua.decode import DATA_CHANGE, STATUS_CHANGE
from drivers.opcua.shown import FAULT, NAMES

STATUSES = {
    0x800A_0000: "BadTimeout",
    0x800B_0000: "BadServiceUnsupported",
    0x8010_0000: "BadTooManyOperations",
    0x8022_0000: "BadSecureChannelIdInvalid",
    0x8025_0000: "BadSessionIdInvalid",
    0x8026_0000: "BadSessionClosed",
    0x8027_0000: "BadSessionNotActivated",
    0x8028_0000: "BadSubscriptionIdInvalid",
    0x8078_0000: "BadTooManyPublishRequests",
    0x8079_0000: "BadNoSubscription",
    0x807A_0000: "BadSequenceNumberUnknown",
    0x807B_0000: "BadMessageNotAvailable",
}
WORDS = frozenset({"message", "acknowledges", "nodes", "values", "sequence", "keep-alive", "status", "foreign"})
"""All words that its parts use."""


def describer(_device: Device) -> Describe:
    """For the messages that shown.py lets through."""
    return describe


def describe(frame: Frame) -> tuple[Part, ...]:
    """The message's name, and as much of its numbers as the octets hold."""
    cursor = Cursor(frame.octets)
    parts: list[Part] = []
    try:
        name = NAMES.get(cursor.node_id() or 0)
        if name is None:
            return ({"word": "foreign"},)
        parts.append({"word": "message", "name": name})
        parts.extend(DETAILS[name](cursor))
    except ValueError:
        pass  # the rest was cut off, or is none
    return tuple(parts)


def _request(cursor: Cursor) -> None:
    """Step over a request's header."""
    cursor.node_id()
    cursor.skip(16)
    cursor.string()
    cursor.skip(7)


def _publish_request(cursor: Cursor) -> Iterator[Part]:
    _request(cursor)
    if count := cursor.count(8):
        cursor.skip(8 * (count - 1) + 4)
        yield {"word": "acknowledges", "n": count, "last": str(cursor.number(U32))}


def _republish_request(cursor: Cursor) -> Iterator[Part]:
    _request(cursor)
    cursor.skip(4)
    yield {"word": "sequence", "id": str(cursor.number(U32))}


def _read_request(cursor: Cursor) -> Iterator[Part]:
    _request(cursor)
    cursor.skip(12)
    yield {"word": "nodes", "n": int(cursor.number(U32))}


def _publish_response(cursor: Cursor) -> Iterator[Part]:
    yield from _status(cursor)
    cursor.skip(4)
    cursor.skip(4 * cursor.count(4) + 1)
    yield from _message(cursor)


def _republish_response(cursor: Cursor) -> Iterator[Part]:
    yield from _status(cursor)
    yield from _message(cursor)


def _read_response(cursor: Cursor) -> Iterator[Part]:
    yield from _status(cursor)
    yield {"word": "values", "n": int(cursor.number(U32))}


def _status(cursor: Cursor) -> Iterator[Part]:
    """Why the server refused, where it did."""
    if status := response_header(cursor):
        yield _named(status)


def _named(status: int) -> Part:
    return {"word": "status", "status": f"0x{status:08X}", "name": STATUSES.get(status & 0xFFFF_0000, "")}


def _message(cursor: Cursor) -> Iterator[Part]:
    """A NotificationMessage: its number, and what the first of its notifications holds."""
    yield {"word": "sequence", "id": str(cursor.number(U32))}
    cursor.number(I64)
    if not cursor.number(U32):
        yield {"word": "keep-alive"}
        return
    kind = cursor.node_id()
    cursor.skip(5)
    if kind == DATA_CHANGE:
        yield {"word": "values", "n": int(cursor.number(U32))}
    elif kind == STATUS_CHANGE:
        yield _named(int(cursor.number(U32)))


DETAILS: dict[str, Callable[[Cursor], Iterator[Part]]] = {
    "PublishRequest": _publish_request,
    "PublishResponse": _publish_response,
    "RepublishRequest": _republish_request,
    "RepublishResponse": _republish_response,
    "ReadRequest": _read_request,
    "ReadResponse": _read_response,
    NAMES[FAULT]: _status,
}
