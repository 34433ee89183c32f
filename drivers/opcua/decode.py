"""Pure: the octets of a Publish response -> columns, without an object per value where all values look alike.

Three speeds: one numpy view over values of one shape; a view a type over the shape of the notification before; item by
item. Whatever is no number or text is stepped over. ValueError where the octets contradict themselves.
"""

from __future__ import annotations

import struct

import numpy as np

from agent.model import BAD
from drivers.opcua.builtin import (
    NULL,
    SERVER,
    SERVER_PICO,
    SOURCE,
    SOURCE_PICO,
    STATUS,
    VALUE,
    response_header,
    rest_of_variant,
)
from drivers.opcua.columns import (
    BAD_TYPE_MISMATCH,
    EPOCH,
    EXACT,
    LAST_DATE,
    Notification,
    Rows,
    checked,
    moment,
    nanoseconds,
)
from drivers.opcua.cursor import I64, U32, Cursor
from drivers.opcua.layout import BOOLEAN, DATE, FORMS, WIDE, Layout, alike, as_before, learnt

PUBLISH_RESPONSE, REPUBLISH_RESPONSE = 829, 835
DATA_CHANGE, STATUS_CHANGE = 811, 820
NUMBERS = {kind: struct.Struct("<" + form) for kind, form in FORMS.items()}
TEXT = 12
MOST_LAYOUTS = 64


class Decoder:
    """Decodes one subscription's notifications. A shape that comes a second time is learnt."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[int, int], Layout | None] = {}  # by items and octets; None where it came but once

    def publish(self, body: bytes) -> Notification:
        """What a PublishResponse tells."""
        cursor = self._response(body, PUBLISH_RESPONSE)
        subscription = cursor.number(U32)
        cursor.skip(4 * cursor.count(4))
        cursor.skip(1)
        return self._message(cursor, subscription)

    def republish(self, subscription: int, body: bytes) -> Notification:
        """What a RepublishResponse tells of the subscription it was asked for."""
        return self._message(self._response(body, REPUBLISH_RESPONSE), subscription)

    def data_changes(self, cursor: Cursor) -> Rows:
        """The rows of a DataChangeNotification."""
        count = cursor.count(5)
        layout = self._layouts.get((count, cursor.left))
        return checked(alike(cursor, count) or as_before(cursor, count, layout) or self._one_by_one(cursor, count))

    def _response(self, body: bytes, kind: int) -> Cursor:
        cursor = Cursor(body)
        if cursor.node_id() != kind:
            raise ValueError("the answer to another request")
        if (status := response_header(cursor)) >= BAD:
            raise ValueError(f"status {status:#010x}")
        return cursor

    def _message(self, cursor: Cursor, subscription: int) -> Notification:
        sequence = cursor.number(U32)
        published = moment(cursor.number(I64))
        rows: list[Rows] = []
        ended = None
        parts = cursor.count(3)
        for _ in range(parts):
            kind, encoding = cursor.node_id(), cursor.octet()
            if encoding != 1:
                raise ValueError(f"a notification with encoding {encoding}")
            length = cursor.number(U32)
            part = Cursor(memoryview(cursor.data)[cursor.skip(length) : cursor.at])
            if kind == DATA_CHANGE:
                rows.append(self.data_changes(part))
            elif kind == STATUS_CHANGE:
                ended = part.number(U32)
        return Notification(subscription, sequence, published, tuple(rows), ended, is_keep_alive=parts == 0)

    def _one_by_one(self, cursor: Cursor, count: int) -> Rows:
        """Value by value, learning where each stands."""
        handle, status = np.empty(count, np.uint32), np.zeros(count, np.uint32)
        value, source = np.full(count, np.nan), np.zeros(count, np.int64)
        text: dict[int, str] = {}
        key, start = (count, cursor.left), cursor.at
        place, masks, kinds = [0] * count, [0] * count, [0] * count
        for row in range(count):
            place[row] = cursor.at - start
            handle[row] = cursor.number(U32)
            masks[row] = mask = cursor.octet()
            kinds[row] = kind = cursor.octet() if mask & VALUE else NULL
            scalar = _scalar(cursor, kind)
            if mask & STATUS:
                status[row] = cursor.number(U32)
            source[row] = cursor.number(I64) if mask & SOURCE else 0
            cursor.skip(2 * bool(mask & SOURCE_PICO) + 8 * bool(mask & SERVER) + 2 * bool(mask & SERVER_PICO))
            if isinstance(scalar, str):
                text[row] = scalar
            elif scalar is not None:
                value[row] = scalar
            elif kind not in (NULL, TEXT) and status[row] < BAD:
                status[row] = BAD_TYPE_MISMATCH
        if len(self._layouts) >= MOST_LAYOUTS:
            self._layouts.clear()
        self._layouts[key] = learnt(place, masks, kinds, cursor.at - start) if key in self._layouts else None
        return Rows(handle, value, nanoseconds(source), status, text)


def _scalar(cursor: Cursor, kind: int) -> float | str | None:
    """The value of a Variant; None for a null one and for what is neither number nor text, which is stepped over."""
    if kind == TEXT:
        octets = cursor.string()
        return None if octets is None else octets.decode("utf-8", "replace")
    if kind not in NUMBERS:
        rest_of_variant(cursor, kind)
        return None
    number = cursor.number(NUMBERS[kind])
    if kind == DATE:
        return float((min(max(number, 0), LAST_DATE) - EPOCH) // 10_000)
    if kind == BOOLEAN:
        return float(number != 0)
    return str(number) if kind in WIDE and abs(number) > EXACT else float(number)
