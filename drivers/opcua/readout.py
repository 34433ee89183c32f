"""Pure: the octets of a ReadResponse -> columns, as a notification of the same values would give them.

A value that was read stands there as in a notification, only without its handle: the handles are put in, in one step
where all values look alike or stand where they stood before, and the notifications' decoder does the rest.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.model import BAD
from drivers.opcua.builtin import (
    BESIDE_VALUE,
    NULL,
    READ_RESPONSE,
    VALUE,
    response_header,
    rest_of_variant,
)
from drivers.opcua.columns import Rows, nanoseconds
from drivers.opcua.cursor import I64, Cursor
from drivers.opcua.decode import Decoder
from drivers.opcua.layout import HANDLE_OCTETS, is_regular, shape

COUNT = struct.Struct("<i")
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where regular values stand, what they look like, and where each octet goes once handles are put in."""

    place: Places
    mask: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    moved: Places


class Readout:
    """Decodes what one list of nodes is read as, again and again."""

    def __init__(self) -> None:
        self.published = 0  # the server's time (ns) in the last one
        self._decoder = Decoder()
        self._cut: Cut | None = None

    def rows(self, body: bytes, handles: NDArray[np.uint32]) -> Rows:
        """A row for each node that was asked for, in that order; ValueError where the octets contradict themselves."""
        cursor = Cursor(body)
        if cursor.node_id() != READ_RESPONSE:
            raise ValueError("the answer to another request")
        self.published = int(nanoseconds(np.array([cursor.number(I64)], np.int64))[0])
        cursor.at -= I64.size
        if (status := response_header(cursor)) >= BAD:
            raise ValueError(f"status {status:#010x}")
        count = cursor.count(1)
        if count != len(handles):
            raise ValueError(f"{count} values for {len(handles)} nodes")
        octets = self._alike(cursor, handles) or self._as_before(cursor, handles) or self._walked(cursor, handles)
        return self._decoder.data_changes(Cursor(COUNT.pack(count) + octets))

    def _alike(self, cursor: Cursor, handles: NDArray[np.uint32]) -> bytes | None:
        """With handles, where all values are of one regular shape."""
        if cursor.left < 2 or not len(handles):
            return None
        mask, kind = cursor.data[cursor.at], cursor.data[cursor.at + 1]
        if not is_regular(mask, kind):
            return None
        size = shape(mask, kind).itemsize - HANDLE_OCTETS
        if cursor.left < size * len(handles):
            return None
        octets = np.frombuffer(cursor.data, np.uint8, size * len(handles), cursor.at).reshape(len(handles), size)
        if (octets[:, 0] != mask).any() or (octets[:, 1] != kind).any():
            return None
        whole = np.empty((len(handles), HANDLE_OCTETS + size), np.uint8)
        whole[:, :HANDLE_OCTETS], whole[:, HANDLE_OCTETS:] = _octets(handles), octets
        return whole.tobytes()

    def _as_before(self, cursor: Cursor, handles: NDArray[np.uint32]) -> bytes | None:
        """With handles, where every value stands and looks as it did the last time."""
        cut = self._cut
        if cut is None or len(cut.place) != len(handles) or cursor.left < len(cut.moved):
            return None
        octets = np.frombuffer(cursor.data, np.uint8, len(cut.moved), cursor.at)
        if (octets[cut.place] != cut.mask).any() or (octets[cut.place + 1] != cut.kind).any():
            return None
        return _with(handles, octets, cut)

    def _walked(self, cursor: Cursor, handles: NDArray[np.uint32]) -> bytes:
        """With handles, value by value; learns where each stands if all are regular."""
        data, start = cursor.data, cursor.at
        ends, looks = [start], []
        for _ in range(len(handles)):
            looks.append(_step(cursor))
            ends.append(cursor.at)
        self._cut = None
        if all(is_regular(*look) for look in set(looks)):
            place = np.array(ends[:-1], np.intp) - start
            moved = np.arange(cursor.at - start) + HANDLE_OCTETS * np.repeat(
                np.arange(1, len(handles) + 1), np.diff(np.array(ends))
            )
            masks, kinds = (np.array([look[side] for look in looks], np.uint8) for side in (0, 1))
            self._cut = Cut(place, masks, kinds, moved)
        pieces = []
        for handle, begin, end in zip(_octets(handles), ends[:-1], ends[1:], strict=True):
            pieces += [handle.tobytes(), bytes(data[begin:end])]
        return b"".join(pieces)


def _octets(handles: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return handles.astype("<u4").view(np.uint8).reshape(len(handles), HANDLE_OCTETS)


def _with(handles: NDArray[np.uint32], octets: NDArray[np.uint8], cut: Cut) -> bytes:
    whole = np.empty(len(octets) + HANDLE_OCTETS * len(handles), np.uint8)
    whole[cut.moved] = octets
    before = cut.moved[cut.place][:, None] - np.arange(HANDLE_OCTETS, 0, -1)
    whole[before] = _octets(handles)
    return whole.tobytes()


def _step(cursor: Cursor) -> tuple[int, int]:
    """Step over a DataValue; its mask and the type of its value."""
    mask, kind = cursor.octet(), NULL
    if mask & VALUE:
        kind = cursor.octet()
        rest_of_variant(cursor, kind)
    cursor.skip(sum(size for bit, size in BESIDE_VALUE if mask & bit))
    return mask, kind
