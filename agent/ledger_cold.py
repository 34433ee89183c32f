"""Samples that got cold: one-second blocks become minute blocks, and the oldest go. Small steps of the writing thread.

A minute block takes the place of its first block, so blocks stay in order of arrival.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent import samples
from agent.model import SECOND

if TYPE_CHECKING:
    import apsw

MINUTE = 60 * SECOND
LAG = 60 * SECOND  # a minute is cold once the newest samples are this far beyond it
SKIPS = 20
MOST_BLOCKS = 240
GONE_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Keep:
    """How long samples are kept: bytes of blocks, and hours before the newest; None is as long as there is room."""

    bytes: int | None = None
    hours: float | None = None


def compact(db: apsw.Connection, after: int) -> int:
    """Merge the first cold minute of a device beyond block `after`; up to which block nothing is left to merge."""
    newest = db.execute("SELECT last FROM block ORDER BY id DESC LIMIT 1").get
    for _ in range(SKIPS):
        found = db.execute("SELECT id, tag_list, first FROM block WHERE id > ? ORDER BY id LIMIT 1", (after,)).get
        if found is None:
            return after
        number, tag_list, first = found
        minute = first - first % MINUTE
        if newest < minute + MINUTE + LAG:
            return after
        after = number
        if _merged(db, number, tag_list, minute):
            return after
    return after


def _merged(db: apsw.Connection, number: int, tag_list: int, minute: int) -> bool:
    """Whether there was more than one block to merge; a damaged one is left as it is, and what lies beside it."""
    sql = (
        "SELECT id, first, last, rows, body, crc FROM block"
        " WHERE tag_list = ? AND last >= ? AND first >= ? AND first < ? AND id >= ? ORDER BY id LIMIT ?"
    )
    group = list(db.execute(sql, (tag_list, minute, minute, minute + MINUTE, number, MOST_BLOCKS)))
    if len(group) < 2 or any(zlib.crc32(body) != crc for *_, body, crc in group):
        return False
    try:
        body = samples.merge([row[4] for row in group])
    except ValueError:
        return False
    values = min(row[1] for row in group), max(row[2] for row in group), sum(row[3] for row in group)
    db.execute(
        "UPDATE block SET first = ?, last = ?, rows = ?, body = ?, crc = ? WHERE id = ?",
        (*values, body, zlib.crc32(body), number),
    )
    db.executemany("DELETE FROM block WHERE id = ?", [(row[0],) for row in group[1:]])
    return True


def size(db: apsw.Connection) -> int:
    """Bytes of all sample blocks."""
    return int(db.execute("SELECT coalesce(sum(length(body)), 0) FROM block").get)


def expire(db: apsw.Connection, keep: Keep, used: int) -> int:
    """Let go of the oldest blocks beyond what is to be kept, some at once; the bytes let go."""
    newest = db.execute("SELECT last FROM block ORDER BY id DESC LIMIT 1").get
    if newest is None or (keep.bytes is None and keep.hours is None):
        return 0
    oldest = newest - int(keep.hours * 3600 * SECOND) if keep.hours is not None else None
    gone = 0
    rows = list(db.execute("SELECT id, last, length(body) FROM block ORDER BY id LIMIT ?", (GONE_AT_ONCE,)))
    for number, last, length in rows:
        is_old = oldest is not None and last < oldest
        is_much = keep.bytes is not None and used - gone > keep.bytes
        if not (is_old or is_much):
            break
        db.execute("DELETE FROM block WHERE id = ?", (number,))
        gone += length
    return gone
