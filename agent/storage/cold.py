"""Samples that got cold: hot turns become one block a tag list, and the oldest go. Small steps of the writing thread.

A turn is about a second, a group about a minute. Blocks of a tag list stay in order of arrival.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.model import SECOND
from agent.storage import samples
from agent.storage.hot import HotBlock, Slots

if TYPE_CHECKING:
    import apsw

GROUP = 60  # turns that are merged together, once as many again came after them
GONE_AT_ONCE = 50
LEAST_BLOCKS = 10
THINNED_AT_ONCE = 200_000  # rows
LEAST_TURNS = 5
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept: bytes of cold samples, their hours before the newest; None is as long as there is room.

    `records_hours` is for how long records stay that every sink has.
    """

    bytes: int | None = None
    hours: float | None = None
    records_hours: float | None = None


def compact(db: apsw.Connection, slots: Slots) -> tuple[int, list[Span]]:
    """Merge the next tag list of the oldest cold group: bytes added, and from when to when damaged turns were."""
    cold, last, merged = slots.standing
    if last < cold + 2 * GROUP:
        return 0, []
    group = slots.read(cold + GROUP)
    found: dict[int, list[HotBlock]] = {}
    for _, blocks in group:
        for block in blocks or ():
            found.setdefault(block.tag_list, []).append(block)
    wanted = sorted(found.keys() - set(merged))
    now = wanted[: 1 + len(found) // (GROUP // 2)]
    added = sum(_put(db, _merged(found[tag_list])) for tag_list in now)
    slots.merge(now)
    if len(wanted) > len(now):
        return added, []
    slots.release(cold + GROUP)
    return added, _unread(group)


def _put(db: apsw.Connection, blocks: list[HotBlock]) -> int:
    db.executemany("INSERT INTO block(tag_list, first, last, rows, body, crc) VALUES(?, ?, ?, ?, ?, ?)", blocks)
    return sum(len(one.body) for one in blocks)


def _merged(blocks: list[HotBlock]) -> list[HotBlock]:
    """One block of them all; as they are where one cannot be read."""
    if len(blocks) < 2:
        return blocks
    try:
        body = samples.merge([one.body for one in blocks])
    except ValueError:
        return blocks
    first, last, rows = min(one.first for one in blocks), max(one.last for one in blocks), sum(x.rows for x in blocks)
    return [HotBlock(blocks[0].tag_list, first, last, rows, body, zlib.crc32(body))]


def span(blocks: list[HotBlock]) -> Span:
    """From the first to the last source time."""
    return min(one.first for one in blocks), max(one.last for one in blocks)


def _unread(group: list[tuple[int, list[HotBlock] | None]]) -> list[Span]:
    """For each damaged turn the times around it, as far as its group tells."""
    known = [span(blocks) if blocks else None for _, blocks in group]
    lost = []
    for place, (_, blocks) in enumerate(group):
        if blocks is None:
            before = next((one[1] for one in reversed(known[:place]) if one), None)
            after = next((one[0] for one in known[place + 1 :] if one), None)
            start = before if before is not None else after or 0
            lost.append((start, max(start, after or start)))
    return lost


def thin(db: apsw.Connection, after: int) -> tuple[int, Span | None, int]:
    """Leave each tag of the oldest blocks beyond block `after` its last value of every minute.

    Up to which block that is done now, from when to when something went, and the bytes gained.
    """
    rows, spans, gained = 0, [], 0
    for (number,) in list(db.execute("SELECT id FROM block WHERE id > ? ORDER BY id LIMIT ?", (after, GONE_AT_ONCE))):
        first, last, held, body, crc = next(
            db.execute("SELECT first, last, rows, body, crc FROM block WHERE id = ?", (number,))
        )
        thinned = samples.thinned(body) if zlib.crc32(body) == crc else None
        if thinned is not None:
            left, less = thinned
            db.execute(
                "UPDATE block SET rows = ?, body = ?, crc = ? WHERE id = ?", (left, less, zlib.crc32(less), number)
            )
            spans.append((first, last))
            gained += len(body) - len(less)
        after, rows = number, rows + held
        if rows >= THINNED_AT_ONCE:
            break
    return after, (min(one for one, _ in spans), max(one for _, one in spans)) if spans else None, gained


def give_up(db: apsw.Connection, slots: Slots) -> tuple[Span | None, int]:
    """Let go of the oldest samples, some at once, and of slots that wait for new ones.

    From when to when they were, and how many bytes of cold ones.
    """
    low, high = db.execute("SELECT min(id), max(id) FROM block").get
    if low is None:
        return _give_up_hot(slots), 0
    until = low + max(LEAST_BLOCKS, (high - low) // 50)
    sql = "SELECT min(first), max(last), sum(length(body)) FROM block WHERE id <= ?"
    first, last, gone = db.execute(sql, (until,)).get
    db.execute("DELETE FROM block WHERE id <= ?", (until,))
    return (first, last), gone


def _give_up_hot(slots: Slots) -> Span | None:
    """All but the newest turn may go; a group that is partly cold goes whole."""
    cold, last, merged = slots.standing
    until = max(cold, min(cold + (GROUP if merged else LEAST_TURNS), last - 1))
    turns = [[one for one in blocks if one.tag_list not in merged] for _, blocks in slots.read(until) if blocks]
    spans = [span(blocks) for blocks in turns if blocks]
    slots.release(until)
    slots.shrink()
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def size(db: apsw.Connection) -> int:
    """Bytes of all cold sample blocks."""
    return int(db.execute("SELECT coalesce(sum(length(body)), 0) FROM block").get)


def expire(db: apsw.Connection, keep: Keep, used: int, newest: int) -> int:
    """Let go of the oldest cold blocks beyond what is to be kept, some at once; the bytes let go."""
    if keep.bytes is None and keep.hours is None:
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
