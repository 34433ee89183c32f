"""Hot samples: the blocks of a commit are a turn, kept in slots of a page each that are written over and over.

Writing over a page costs that page; a new row would cost its page, the pages above it and the index. A turn is hot
from `cold` + 1 to `last`; slots of older ones are free. Cold blocks of a group of turns that is being merged, one tag
list a step, are named in `merged`.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import apsw

PART = 4000  # bytes of a turn in a slot: with its row's head more than half a page, less than one
GROW = 16  # slots made at once
BLOCK = struct.Struct("<qqqIII")  # tag list, first, last, rows, checksum, length
TURN = struct.Struct("<II")  # length and checksum of what follows


class HotBlock(NamedTuple):
    """A device's samples of a turn: a row of the table `block` to be."""

    tag_list: int
    first: int
    last: int
    rows: int
    body: bytes
    crc: int


class Standing(NamedTuple):
    """How far the turns are, as the ledger's meta holds it."""

    cold: int = 0
    last: int = 0
    merged: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """For the meta table."""
        return json.dumps([self.cold, self.last, list(self.merged)])


def standing_in(text: str | None) -> Standing:
    """What `Standing.text` wrote."""
    if text is None:
        return Standing()
    cold, last, merged = json.loads(text)
    return Standing(cold, last, tuple(merged))


def pack(turn: int, blocks: Iterable[HotBlock]) -> list[bytes]:
    """A turn in parts."""
    packed = b"".join(
        BLOCK.pack(one.tag_list, one.first, one.last, one.rows, one.crc, len(one.body)) + one.body for one in blocks
    )
    whole = TURN.pack(len(packed), zlib.crc32(packed, turn & 0xFFFFFFFF)) + packed
    return [whole[start : start + PART] for start in range(0, len(whole), PART)]


def unpack(turn: int, parts: Sequence[bytes]) -> list[HotBlock]:
    """The blocks of a turn; ValueError where they are not what was written."""
    whole = b"".join(parts)
    if len(whole) < TURN.size:
        raise ValueError("a turn of hot samples is cut off")
    length, crc = TURN.unpack_from(whole)
    packed = whole[TURN.size :]
    if len(packed) != length or zlib.crc32(packed, turn & 0xFFFFFFFF) != crc:
        raise ValueError("a turn of hot samples is not what was written")
    blocks, place = [], 0
    while place < length:
        tag_list, first, last, rows, crc, size = BLOCK.unpack_from(packed, place)
        place += BLOCK.size + size
        blocks.append(HotBlock(tag_list, first, last, rows, packed[place - size : place], crc))
    return blocks


def turns(
    standing: Standing, rows: Iterable[tuple[int, int, bytes]], until: int | None = None
) -> Iterator[tuple[int, list[HotBlock] | None]]:
    """The hot turns up to `until` in order, from rows (turn, part, body) in order; None for one that is damaged."""
    found = {turn: [body for _, _, body in parts] for turn, parts in groupby(rows, lambda row: row[0])}
    for turn in range(standing.cold + 1, (standing.last if until is None else until) + 1):
        try:
            yield turn, unpack(turn, found.get(turn, []))
        except ValueError:
            yield turn, None


class Slots:
    """The slots of a ledger file, for its writing connection. What goes wrong in a transaction makes this worthless."""

    def __init__(self, db: apsw.Connection, standing: Standing) -> None:
        self._db = db
        self.standing = standing
        self._free: list[int] = []
        self._used: dict[int, list[int]] = {}
        for slot, turn in db.execute("SELECT slot, turn FROM hot ORDER BY slot DESC"):
            if standing.cold < turn <= standing.last:
                self._used.setdefault(turn, []).append(slot)
            else:
                self._free.append(slot)

    def put(self, blocks: Sequence[HotBlock]) -> None:
        """Write a turn."""
        turn = self.standing.last + 1
        parts = pack(turn, blocks)
        if len(parts) > len(self._free):
            self._grow(max(GROW, len(parts) - len(self._free)))
        slots = [self._free.pop() for _ in parts]
        rows: list[tuple[Any, ...]] = [(turn, *one) for one in zip(range(len(parts)), parts, slots, strict=True)]
        self._db.executemany("UPDATE hot SET turn = ?, part = ?, body = ? WHERE slot = ?", rows)
        self._used[turn] = slots
        self.standing = self.standing._replace(last=turn)

    def read(self, until: int) -> list[tuple[int, list[HotBlock] | None]]:
        """The oldest turns, up to `until`."""
        sql = "SELECT turn, part, body FROM hot WHERE turn > ? AND turn <= ? ORDER BY turn, part"
        return list(turns(self.standing, self._db.execute(sql, (self.standing.cold, until)), until))

    def merge(self, tag_lists: Sequence[int]) -> None:
        """The blocks of these in the oldest group are in the table of cold ones."""
        self.standing = self.standing._replace(merged=(*self.standing.merged, *tag_lists))

    def release(self, until: int) -> None:
        """Nothing of the turns up to `until`, which are no more than a group, is needed here any more."""
        for turn in range(self.standing.cold + 1, until + 1):
            self._free += reversed(self._used.pop(turn, []))
        self.standing = Standing(until, self.standing.last)

    def shrink(self) -> None:
        """Give the pages of free slots back to the file."""
        self._db.executemany("DELETE FROM hot WHERE slot = ?", [(slot,) for slot in self._free])
        self._free = []

    def _grow(self, number: int) -> None:
        last = self._db.execute("SELECT coalesce(max(slot), 0) FROM hot").get
        slots = range(last + 1, last + number + 1)
        self._db.executemany("INSERT INTO hot VALUES(?, 0, 0, zeroblob(?))", [(slot, PART) for slot in slots])
        self._free = [*reversed(slots), *self._free]
