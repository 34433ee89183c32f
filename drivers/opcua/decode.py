"""Pure: the octets of a Publish response -> columns, without an object per value where all values look alike.

Three speeds: one numpy view over values of one shape; item by item for mixed shapes; None where neither can, and
the caller hands the octets to a complete decoder. ValueError where the octets contradict themselves.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from agent.model import BAD
from drivers.opcua.columns import (
    BAD_TYPE_MISMATCH,
    EPOCH,
    EXACT,
    Notification,
    Rows,
    checked,
    milliseconds,
    nanoseconds,
)
from drivers.opcua.cursor import I64, U32, Cursor

PUBLISH_RESPONSE = 829
DATA_CHANGE, STATUS_CHANGE = 811, 820
VALUE, STATUS, SOURCE, SERVER = 1, 2, 4, 8
BOOLEAN, DATE = 1, 13
FORMS = {1: "B", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d", 13: "q", 19: "I"}
NUMBERS = {kind: struct.Struct("<" + form) for kind, form in FORMS.items()}
SIGNED, WIDE = 8, (8, 9)
TEXTS = (12, 15, 16)
NULL, DIMENSIONS, ARRAY = 0, 0x40, 0x80


def notification(body: bytes) -> Notification | None:
    """What a PublishResponse tells, None where it has a part that only a complete decoder knows."""
    cursor = Cursor(body)
    if cursor.node_id() != PUBLISH_RESPONSE or not _plain_header(cursor):
        return None
    subscription = cursor.number(U32)
    cursor.skip(4 * cursor.count(4))
    cursor.skip(1)
    sequence = cursor.number(U32)
    published = int(nanoseconds(np.array([cursor.number(I64)], np.int64))[0])
    rows: list[Rows] = []
    ended = None
    parts = cursor.count()
    for _ in range(parts):
        kind = cursor.node_id()
        if cursor.octet() != 1:
            return None
        length = cursor.count()
        part = Cursor(memoryview(body)[cursor.skip(length) : cursor.at])
        if kind == DATA_CHANGE:
            found = data_changes(part)
            if found is None:
                return None
            rows.append(found)
        elif kind == STATUS_CHANGE:
            ended = part.number(U32)
    return Notification(subscription, sequence, published, tuple(rows), ended, is_keep_alive=parts == 0)


def _plain_header(cursor: Cursor) -> bool:
    """Step over the response header; False where it carries diagnostics."""
    cursor.skip(16)
    if cursor.octet() != 0:
        return False
    for _ in range(cursor.count(4)):
        cursor.string()
    cursor.node_id()
    if cursor.octet() != 0:
        cursor.string()
    return True


def data_changes(cursor: Cursor) -> Rows | None:
    """The rows of a DataChangeNotification, None where only a complete decoder reads them."""
    count = cursor.count(5)
    rows = _alike(cursor, count) or _one_by_one(cursor, count)
    return None if rows is None else checked(rows)


def _alike(cursor: Cursor, count: int) -> Rows | None:
    """All values in one view, None where they are not all of one numeric type and one set of fields."""
    if count == 0 or cursor.left < 6:
        return None
    mask, kind = cursor.data[cursor.at + 4], cursor.data[cursor.at + 5]
    if kind not in FORMS or mask & VALUE == 0 or mask & ~(VALUE | STATUS | SOURCE | SERVER):
        return None
    fields = [("handle", "<u4"), ("mask", "u1"), ("kind", "u1"), ("value", "<" + FORMS[kind])]
    optional = ((STATUS, "status", "<u4"), (SOURCE, "source", "<i8"), (SERVER, "server", "<i8"))
    shape = np.dtype(fields + [(name, form) for bit, name, form in optional if mask & bit])
    if cursor.left < count * shape.itemsize:
        return None
    items = np.frombuffer(cursor.data, shape, count, cursor.at)
    if (items["mask"] != mask).any() or (items["kind"] != kind).any():
        return None
    value, text = _numbers(kind, items["value"])
    return Rows(
        items["handle"].astype(np.uint32),
        value,
        nanoseconds(items["source"].astype(np.int64)) if mask & SOURCE else np.zeros(count, np.int64),
        items["status"].astype(np.uint32) if mask & STATUS else np.zeros(count, np.uint32),
        text,
    )


def _numbers(kind: int, raw: Any) -> tuple[Any, dict[int, str]]:
    """A column of one type as float64, and the digits of what that cannot hold."""
    if kind == DATE:
        return milliseconds(raw.astype(np.int64)), {}
    value = (raw != 0).astype(np.float64) if kind == BOOLEAN else raw.astype(np.float64)
    if kind not in WIDE:
        return value, {}
    beyond = np.flatnonzero((raw > EXACT) | (raw < -EXACT if kind == SIGNED else False))
    value[beyond] = np.nan
    return value, {int(row): str(raw[row]) for row in beyond}


def _one_by_one(cursor: Cursor, count: int) -> Rows | None:
    """The same, value by value."""
    handle, status = np.empty(count, np.uint32), np.zeros(count, np.uint32)
    value, source = np.full(count, np.nan), np.zeros(count, np.int64)
    text: dict[int, str] = {}
    for row in range(count):
        handle[row] = cursor.number(U32)
        mask = cursor.octet()
        kind = cursor.octet() if mask & VALUE else NULL
        if not _is_known(kind):
            return None
        scalar = _scalar(cursor, kind)
        if mask & STATUS:
            status[row] = cursor.number(U32)
        if kind & ARRAY and status[row] < BAD:
            status[row] = BAD_TYPE_MISMATCH
        source[row] = cursor.number(I64) if mask & SOURCE else 0
        cursor.skip(2 * bool(mask & 16) + 8 * bool(mask & SERVER) + 2 * bool(mask & 32))
        if isinstance(scalar, str):
            text[row] = scalar
        elif scalar is not None:
            value[row] = scalar
    return Rows(handle, value, nanoseconds(source), status, text)


def _is_known(kind: int) -> bool:
    """Whether a Variant of this type can be read or stepped over here; ValueError for an array of nothing."""
    plain = kind & ~(ARRAY | DIMENSIONS)
    if plain == NULL and kind != NULL:
        raise ValueError("an array of nulls has no size that could be checked")
    return plain == NULL or plain in NUMBERS or plain in TEXTS


def _scalar(cursor: Cursor, kind: int) -> float | str | None:
    """The value of a Variant of a known type; None for a null one and for an array, which is stepped over."""
    plain = kind & ~(ARRAY | DIMENSIONS)
    if kind & ARRAY:
        size = NUMBERS[plain].size if plain in NUMBERS else 4
        for _ in range(cursor.count(size)):
            _ = cursor.skip(size) if plain in NUMBERS else cursor.string()
        if kind & DIMENSIONS:
            cursor.skip(4 * cursor.count(4))
        return None
    if plain == NULL:
        return None
    if plain in TEXTS:
        octets = cursor.string()
        return None if octets is None else octets.decode("utf-8", "replace")
    number = cursor.number(NUMBERS[plain])
    if plain == DATE:
        return float((number - EPOCH) // 10_000)
    return str(number) if plain in WIDE and abs(number) > EXACT else float(number)
