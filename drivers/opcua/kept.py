"""Pure: what is remembered of a subscription so that the next link goes on exactly where a broken one stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.model import BAD_NO_DATA
from drivers.opcua.columns import Notification, Rows

LAST_SEQUENCE = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Kept:
    """A subscription that may still live in the server.

    `meaning` is what its handles stand for: it is taken up only by a driver to whom they mean the same.
    `sequence` is the number of the next message, `ready` what came and was not told, `unacknowledged` what was told;
    `refused` are handles without an item, `numbers` the server's of the others; `tries` counts the links since the last
    message. `observed` is up to which plant time an earlier process has told of the device, 0 where this one has.
    """

    ticket: object
    meaning: str
    subscription: int
    silence_s: float
    sequence: int
    ready: tuple[Notification, ...]
    unacknowledged: tuple[tuple[int, int], ...]
    refused: frozenset[int]
    told: Rows
    time: int
    tries: int
    observed: int = 0
    numbers: Mapping[int, int] = field(default_factory=dict)


def after(sequence: int) -> int:
    """The sequence number that follows; it wraps to 1."""
    return sequence % LAST_SEQUENCE + 1


def in_turn(arrived: Sequence[Notification], sequence: int) -> tuple[tuple[Notification, ...], int]:
    """Of messages as they arrived those that are in turn from `sequence` on, and the number that is missing next."""
    taken = []
    for one in arrived:
        if one.is_keep_alive or one.ended is not None or one.sequence != sequence:
            break
        taken.append(one)
        sequence = after(sequence)
    return tuple(taken), sequence


class Told:
    """What each handle was last told to hold."""

    def __init__(self, handles: int) -> None:
        self._value = np.full(handles, np.nan)
        self._source_time = np.zeros(handles, np.int64)
        self._status = np.full(handles, BAD_NO_DATA, np.uint32)
        self._text: dict[int, str] = {}

    def note(self, rows: Rows) -> None:
        """Remember rows, the later ones last."""
        self._value[rows.handle] = rows.value
        self._source_time[rows.handle] = rows.source_time
        self._status[rows.handle] = rows.status
        if self._text or rows.text:
            for row, handle in enumerate(rows.handle.tolist()):
                self._text.pop(handle, None)
                if row in rows.text:
                    self._text[handle] = rows.text[row]

    def again(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows are a number told before, of the same moment and quality: the same sample, not a new one."""
        same: NDArray[np.bool_] = self._value[rows.handle] == rows.value
        if same.any():
            same &= self._source_time[rows.handle] == rows.source_time
            same &= self._status[rows.handle] == rows.status
        return same

    def differs(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows, each of another handle, say something else than was told."""
        before, now = self._value[rows.handle], rows.value
        same: NDArray[np.bool_] = (before == now) | (np.isnan(before) & np.isnan(now))
        same &= self._status[rows.handle] >> 30 == rows.status >> 30
        for row in np.flatnonzero(same & np.isnan(now)):
            same[row] = self._text.get(int(rows.handle[row])) == rows.text.get(int(row))
        return ~same

    def all(self) -> Rows:
        """One row for every handle."""
        handles = np.arange(len(self._value), dtype=np.uint32)
        columns = self._value.copy(), self._source_time.copy(), self._status.copy()
        return Rows(handles, *columns, dict(self._text))
