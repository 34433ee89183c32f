"""Pure: where each number stands in a DataChangeNotification, learnt from one and checked on the next.

A notification of the same tags has the same shape as the one before: it is read in one view a type, not item by item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.opcua.builtin import SERVER, SOURCE, STATUS, VALUE
from drivers.opcua.columns import EXACT, Rows, milliseconds, nanoseconds
from drivers.opcua.cursor import Cursor

BOOLEAN, SIGNED, DATE = 1, 8, 13
WIDE = (8, 9)
FORMS = {1: "B", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d", 13: "q", 19: "I"}
HANDLE_OCTETS = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one type and one set of fields, and the octets of each, a line a row."""

    mask: int
    kind: int
    rows: NDArray[np.intp]
    octets: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Layout:
    """`place`, `mask` and `kind` of every item; `size` octets in all."""

    place: NDArray[np.intp]
    mask: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    size: int
    groups: tuple[Group, ...]


def is_regular(mask: int, kind: int) -> bool:
    """Whether an item is a number with fields of fixed size."""
    return kind in FORMS and bool(mask & VALUE) and not mask & ~(VALUE | STATUS | SOURCE | SERVER)


@cache
def shape(mask: int, kind: int) -> np.dtype[Any]:
    """The octets of a regular item; `both` are its mask and its kind."""
    fields = [("handle", "<u4"), ("both", "<u2"), ("value", "<" + FORMS[kind])]
    optional = ((STATUS, "status", "<u4"), (SOURCE, "source", "<i8"), (SERVER, "server", "<i8"))
    return np.dtype(fields + [(name, form) for bit, name, form in optional if mask & bit])


def learnt(place: Sequence[int], mask: Sequence[int], kind: Sequence[int], size: int) -> Layout | None:
    """The layout of items that were read one by one; None where one of them is not regular."""
    pairs = list(zip(mask, kind, strict=True))
    if not all(is_regular(*pair) for pair in set(pairs)):
        return None
    at = np.array(place, np.intp)
    groups = []
    for pair in sorted(set(pairs)):
        rows = np.array([row for row, own in enumerate(pairs) if own == pair], np.intp)
        groups.append(Group(*pair, rows, at[rows][:, None] + np.arange(shape(*pair).itemsize)))
    return Layout(at, np.array(mask, np.uint8), np.array(kind, np.uint8), size, tuple(groups))


def alike(cursor: Cursor, count: int) -> Rows | None:
    """All items in one view, None where they are not all of one numeric type and one set of fields."""
    if count == 0 or cursor.left < HANDLE_OCTETS + 2:
        return None
    mask, kind = cursor.data[cursor.at + HANDLE_OCTETS], cursor.data[cursor.at + HANDLE_OCTETS + 1]
    if not is_regular(mask, kind) or cursor.left < count * shape(mask, kind).itemsize:
        return None
    items = np.frombuffer(cursor.data, shape(mask, kind), count, cursor.at)
    if (items["both"] != mask | kind << 8).any():
        return None
    return _columns(items, mask, kind)


def as_before(cursor: Cursor, count: int, layout: Layout | None) -> Rows | None:
    """All items by a layout, None where the notification has another one."""
    if layout is None or count != len(layout.place) or cursor.left < layout.size:
        return None
    octets = np.frombuffer(cursor.data, np.uint8, layout.size, cursor.at)
    at = layout.place + HANDLE_OCTETS
    if (octets[at] != layout.mask).any() or (octets[at + 1] != layout.kind).any():
        return None
    handle, status = np.empty(count, np.uint32), np.empty(count, np.uint32)
    value, source = np.empty(count), np.empty(count, np.int64)
    text: dict[int, str] = {}
    for group in layout.groups:
        items = octets[group.octets].view(shape(group.mask, group.kind))[:, 0]
        part = _columns(items, group.mask, group.kind)
        handle[group.rows], value[group.rows] = part.handle, part.value
        source[group.rows], status[group.rows] = part.source_time, part.status
        text |= {int(group.rows[row]): word for row, word in part.text.items()}
    return Rows(handle, value, source, status, dict(sorted(text.items())))


def _columns(items: Any, mask: int, kind: int) -> Rows:
    count = len(items)
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
