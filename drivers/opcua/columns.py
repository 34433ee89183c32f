"""Pure: what a Publish response tells, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.model import BAD, BAD_NO_DATA

BAD_TYPE_MISMATCH = 0x8074_0000
EXACT = 2**53
EPOCH = 116_444_736_000_000_000
"""1970-01-01 in OPC UA ticks: 100 ns since 1601."""
LAST_DATE = 2_650_467_743_990_000_000
"""9999-12-31 23:59:59 in ticks: what is later, or earlier than 1601, cannot be told from it (OPC 10000-6, 5.2.2.5)."""
LAST_TICK = EPOCH + int(np.iinfo(np.int64).max) // 100


@dataclass(frozen=True, slots=True)
class Rows:
    """A row per value in order of arrival: client handle, number, source time (ns, 0 where none is told), StatusCode.

    `text` has, by row, strings and the digits of integers beyond 2**53; their number is NaN.
    """

    handle: NDArray[np.uint32]
    value: NDArray[np.float64]
    source_time: NDArray[np.int64]
    status: NDArray[np.uint32]
    text: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notification:
    """One Publish response. A keep-alive has no rows, and the sequence number that the next one will have.

    `ended` is the StatusCode with which the server gave the subscription up, `published` ns since 1970 UTC.
    """

    subscription: int
    sequence: int
    published: int
    rows: tuple[Rows, ...] = ()
    ended: int | None = None
    is_keep_alive: bool = False


def nanoseconds(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ticks as ns since 1970 UTC; 0 for a time before that, the last ns of an int64 for one after it."""
    since = np.minimum(np.maximum(ticks, EPOCH), LAST_TICK)  # np.clip asks for the limits of the type each time
    since -= EPOCH
    since *= 100
    return since


def moment(ticks: int) -> int:
    """One time as `nanoseconds` has it."""
    return (min(max(ticks, EPOCH), LAST_TICK) - EPOCH) * 100


def milliseconds(ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ticks as whole ms since 1970 UTC, as a `datetime` tag holds them."""
    result: NDArray[np.float64] = ((np.clip(ticks, 0, LAST_DATE) - EPOCH) // 10_000).astype(np.float64)
    return result


def checked(rows: Rows) -> Rows:
    """The same rows; a good or uncertain one without number or text becomes BadNoData, for it tells nothing."""
    empty = ~np.isfinite(rows.value)
    if empty.any():
        empty[list(rows.text)] = False
        rows.value[empty] = np.nan
        rows.status[empty & (rows.status < BAD)] = BAD_NO_DATA
    return rows


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part.handle) for part in parts)]).tolist()
    return Rows(
        np.concatenate([np.empty(0, np.uint32), *(part.handle for part in parts)]),
        np.concatenate([np.empty(0), *(part.value for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.source_time for part in parts)]),
        np.concatenate([np.empty(0, np.uint32), *(part.status for part in parts)]),
        {start + row: word for start, part in zip(starts, parts, strict=False) for row, word in part.text.items()},
    )


def select(rows: Rows, kept: NDArray[np.bool_]) -> Rows:
    """The marked rows."""
    if kept.all():
        return rows
    places = np.flatnonzero(kept)
    text = {new: rows.text[old] for new, old in enumerate(places.tolist()) if old in rows.text} if rows.text else {}
    return Rows(rows.handle[kept], rows.value[kept], rows.source_time[kept], rows.status[kept], text)


def without_value(statuses: Mapping[int, int]) -> Rows:
    """A row for each handle that has a status only."""
    size = len(statuses)
    handle, status = np.array(list(statuses), np.uint32), np.array(list(statuses.values()), np.uint32)
    return Rows(handle, np.full(size, np.nan), np.zeros(size, np.int64), status)
