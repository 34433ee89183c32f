"""What gives way when the store fills: trends are thinned, then go, then pictures, then told details; counts never.

How full it is counts from what the file may become: its own limit, or what the disk has left. Each commit takes one
step at most, and each step is told as a gap. Told records that go leave where each counter stood and the chain's
value behind, so that what stays can still be proved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent.model import Kind
from agent.storage import cold
from agent.storage.hot import Slots
from agent.storage.record import BEGIN, chained, content, record_of

if TYPE_CHECKING:
    import apsw

THIN, DROP, PICTURES, DETAILS = 0.80, 0.85, 0.90, 0.95
FILLING = 0.70  # from here on a fault warns
PAGE = 4096
FOR_THE_LOG = 4 * 2**20  # the write-ahead log between two checkpoints
MARGIN = 1000  # records before every cursor that stay: some are told again after a new link
RECORDS_AT_ONCE = 2000
EVIDENCE = "evidence"
RESERVE, RESERVE_BYTES = "ledger.reserve", 8 * 2**20
RESERVE_OF = 3  # it is made while the disk has this many times its size left


class Lost(NamedTuple):
    """What a step gave up: of what, why, and from when to when (ns)."""

    what: str
    cause: str
    start: int
    end: int


class Room(NamedTuple):
    """How full the store is, 0..1, and whether it is the disk that limits it."""

    full: float
    by_disk: bool


def room(db: apsw.Connection, folder: Path) -> Room:
    """Of what the file may become at most."""
    pages = db.pragma("page_count")
    disk = os.statvfs(folder)
    by_disk = pages + max(0, disk.f_bavail * disk.f_frsize - FOR_THE_LOG) // PAGE
    limit = db.pragma("max_page_count")
    used = pages - db.pragma("freelist_count")
    return Room(used / max(1, min(limit, by_disk)), by_disk < limit)


def words(full: float) -> str | None:
    """What a store this full gives up, None while it has room."""
    told = (
        (DETAILS, "95 % full: the oldest records go that every sink has, their counts stay as sums"),
        (PICTURES, "90 % full: old trends go, and pictures where the disk is short"),
        (DROP, "85 % full: the oldest trends go"),
        (THIN, "80 % full: old trends keep a value a minute"),
        (FILLING, "70 % full"),
    )
    return next((text for least, text in told if full > least), None)


def hold_reserve(folder: Path) -> None:
    """Keep some of the disk for the facts of the hour in which it is full."""
    path = folder / RESERVE
    if path.exists():
        return
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < RESERVE_OF * RESERVE_BYTES:
        return
    with suppress(OSError), path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def release_reserve(folder: Path) -> bool:
    """Give that back to the disk; whether there was any."""
    try:
        (folder / RESERVE).unlink()
    except OSError:
        return False
    return True


class Ladder:
    """The steps, on a writing connection within its transaction. `meta` is the ledger's, changed in place."""

    def __init__(self, db: apsw.Connection, folder: Path, slots: Slots, meta: dict[str, str]) -> None:
        self._db = db
        self._folder = folder
        self._slots = slots
        self._meta = meta
        self._doomed: list[Path] = []
        self._freed = 0

    def step(self, at: Room, told: int) -> Lost | None:
        """Give way where it must be; `told` is the seq up to which every sink has everything."""
        if at.full <= THIN:
            return None
        return (
            self._thin()
            or (self._drop() if at.full > DROP else None)
            or (self._pictures() if at.full > PICTURES and at.by_disk else None)
            or (self.forget(told, None) if at.full > DETAILS else None)
        )

    def settle(self) -> int:
        """The steps are on disk: remove the pictures that are told to be gone; the bytes of cold blocks given up."""
        doomed, self._doomed, freed, self._freed = self._doomed, [], self._freed, 0
        for path in doomed:
            path.unlink(missing_ok=True)
        return freed

    def _thin(self) -> Lost | None:
        after = int(self._meta.get("thinned", "0"))
        done, span, gone = cold.thin(self._db, after)
        self._freed += gone
        if done != after:
            self._put({"thinned": str(done)})
        return None if span is None else Lost("samples", "thinned", *span)

    def _drop(self) -> Lost | None:
        span, gone = cold.give_up(self._db, self._slots)
        self._freed += gone
        return None if span is None else Lost("samples", "store_full", *span)

    def _pictures(self) -> Lost | None:
        """The older half of them."""
        found = sorted((path.stat().st_mtime_ns, path) for path in (self._folder / EVIDENCE).glob("*.webp"))
        old = found[: (len(found) + 1) // 2]
        self._doomed = [path for _, path in old]
        return Lost("pictures", "store_full", old[0][0], old[-1][0]) if old else None

    def forget(self, told: int, before: int | None) -> Lost | None:
        """Give up the oldest records that were told long ago, some at once; only those written before a wall time."""
        gone = int(self._meta.get("gone", "0"))
        until = min(gone + RECORDS_AT_ONCE, told - MARGIN)
        wall = None if until <= gone else self._db.execute("SELECT wall FROM record WHERE seq = ?", (until,)).get
        if wall is None or (before is not None and wall >= before):
            return None
        root, base = self._meta.get("gone_root", BEGIN), json.loads(self._meta.get("base", "{}"))
        floor = int(self._meta.get("floor", "0"))
        times = []
        for row in self._db.execute("SELECT * FROM record WHERE seq <= ? ORDER BY seq", (until,)):
            record = record_of(row)
            root = chained(root, content(record, row[4], row[7]))
            times.append(record.time)
            if record.kind is Kind.COUNT and record.seq > floor:
                base[f"{record.machine}.{record.body['counter']}"] = record.body["epoch"], record.body["total"]
        self._db.execute("DELETE FROM record WHERE seq <= ?", (until,))
        self._put({"gone": str(until), "gone_root": root, "base": json.dumps(base)})
        return Lost("records", "store_full", min(times), max(times))

    def _put(self, rows: Mapping[str, str]) -> None:
        self._meta.update(rows)
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", rows.items())
