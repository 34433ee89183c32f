"""A damaged ledger file is set aside, and what can be read of it begins a new ledger with a new name.

The new file is whole before the old one is moved: a kill in between leaves one of the two.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from agent.model import Record
from agent.storage import samples
from agent.storage.damage import BROKEN, NONSENSE, damage
from agent.storage.durable import settle
from agent.storage.reader import Reader
from agent.storage.record import LedgerError, based, record_of
from agent.storage.schema import SCHEMA
from agent.storage.store import FILE, PAGE, Block, Change, Stand, Store, marks_in, standing, states
from agent.storage.takeover import Found, Heir, faces, heir, sampled_since

BUDGET_S = 2.0
CHUNK = 512
LEAST_ROW = 40  # bytes of the file that a record takes at least
NEW, BEGUN = "salvage.db", "begun.db"
SUSPECT = "ledger.suspect"
TAILS = ("", "-wal", "-shm")
UNREADABLE = (*BROKEN, *NONSENSE)

log = logging.getLogger(__name__)


def mended(folder: Path, max_bytes: int, wall: int, *, known: bool) -> str | None:
    """Make the ledger in `folder` one that can be used; in words what was wrong, None where nothing was.

    `known` says that an agent had a ledger here: a file of no length is then a loss, not a beginning.
    """
    path, new = folder / FILE, folder / NEW
    if not path.exists() and new.exists():
        new.rename(path)  # killed between the two moves below
    _remove(new)
    if not path.exists():
        _create(path, max_bytes)
        return None
    budget = math.inf if (folder / SUSPECT).exists() else BUDGET_S
    wrong = "the file is empty" if known and path.stat().st_size == 0 else damage(path, budget)
    (folder / SUSPECT).unlink(missing_ok=True)
    if wrong is None:
        return None
    found, proved = _found(path)
    start = heir(replace(found, now=wall))
    _write(new, max_bytes, wall, start, proved)
    aside = _set_aside(path, wall)
    new.rename(path)
    settle(folder)
    lost = sum(high - low + 1 for low, high in start.unread)
    words = f"{wrong}; set aside as {aside.name}, {len(found.records)} records taken over, {lost} unreadable"
    log.error("ledger: %s was damaged: %s", path, words)
    return words


def _create(path: Path, max_bytes: int) -> None:
    """A new ledger, there whole or not at all: a kill leaves no file that looks like a loss."""
    begun = path.with_name(BEGUN)
    _remove(begun)
    Store(begun, max_bytes).close()
    begun.rename(path)
    settle(path.parent)


def suspect(folder: Path) -> None:
    """Damage showed while the ledger was in use: the next opening looks at the whole file, however long it takes."""
    with contextlib.suppress(OSError):
        (folder / SUSPECT).touch()


def _found(path: Path) -> tuple[Found, Change]:
    """All that can be read: as the file is, or where its first page is broken with the one a new ledger has."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        found = _read(path)
        if not found[0].records and found[0].counters is None and path.stat().st_size > PAGE:
            copy = Path(name) / FILE
            shutil.copyfile(path, copy)
            _mend_first_page(copy, Path(name))
            again = _read(copy)
            found = max(found, again, key=lambda one: (len(one[0].records), one[0].counters is not None))
        return found


def _mend_first_page(path: Path, scratch: Path) -> None:
    """Every ledger has the same header and tables on its first page; lengths are read off the file."""
    Store(scratch / "new.db", 1024 * PAGE).close()
    first = bytearray((scratch / "new.db").read_bytes()[:PAGE])
    pages = path.stat().st_size // PAGE
    first[28:32] = pages.to_bytes(4, "big")
    first[32:40] = bytes(8)
    with path.open("r+b") as file:
        file.write(first)
        file.truncate(pages * PAGE)


def _read(path: Path) -> tuple[Found, Change]:
    """The records whose checksum holds, and what is kept besides where its checksum holds."""
    db = None
    try:
        db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
        change, last = _proved(db)
        records = sorted(_records(db, 1, _last(db, path)), key=lambda one: one[0].seq)
        end = max(last, *(one[0].seq for one in records), 0)
        meta = _kept(db)
        name = meta.get("id", "unknown")
        if change is None:
            return Found(name, records, end, None, _cursors(db, end)), Change(marks=faces(marks_in(meta)))
        gone, base = int(meta.get("gone", "0")), based(meta) if "gone" in meta else {}
        found = Found(name, records, end, change.counters, _cursors(db, end), gone, base)
        places = _places(path, marks_in(meta))
        return found, replace(change, marks=places.marks, blocks=places.blocks)
    except UNREADABLE:
        return Found("unknown", [], 0, None, None), Change()
    finally:
        if db is not None:
            db.close()


def _kept(db: apsw.Connection) -> dict[str, str]:
    try:
        return dict(db.execute("SELECT key, value FROM meta"))
    except UNREADABLE:
        return {}


def _cursors(db: apsw.Connection, last: int) -> dict[str, int] | None:
    """Up to where each sink had everything; None where that cannot be read or cannot be."""
    try:
        cursors = dict(db.execute("SELECT sink, seq FROM cursor"))
    except UNREADABLE:
        return None
    return cursors if all(0 <= seq <= last for seq in cursors.values()) else None


def _places(path: Path, marks: Mapping[str, str]) -> Change:
    """Marks, and the samples without which a driver cannot go on by its own; one that misses some reads anew."""
    kept, blocks = faces(marks), []
    with contextlib.suppress(LedgerError, *UNREADABLE), contextlib.closing(Reader(path)) as reader:
        lists = reader.tag_lists()
        for device in dict.fromkeys(name for name, _ in lists):
            since = sampled_since(marks, device)
            if since is None:
                continue
            with contextlib.suppress(LedgerError, *UNREADABLE):
                blocks += [one for name, tags in lists if name == device for one in _sampled(reader, name, tags, since)]
                kept |= {name: text for name, text in marks.items() if name.rpartition(".")[0] == device}
    return Change(marks=kept, blocks=tuple(blocks))


def _sampled(reader: Reader, device: str, tags: tuple[str, ...], since: int) -> list[Block]:
    """What was sampled of these tags since, as one block, or none."""
    batches = [one for one in reader.batches(device, tags, since) if len(one.index)]
    if not batches:
        return []
    times = np.concatenate([one.source_time for one in batches])
    return [Block(device, tags, int(times.min()), int(times.max()), len(times), samples.encode(batches))]


def _last(db: apsw.Connection, path: Path) -> int:
    """A seq that no record of the file is beyond."""
    most = path.stat().st_size // LEAST_ROW
    try:
        return min(int(db.execute("SELECT coalesce(max(seq), 0) FROM record").get), most)
    except UNREADABLE:
        return most


def _proved(db: apsw.Connection) -> tuple[Change | None, int]:
    """Counters, observed and cursors if they are what was written, and the last seq then."""
    try:
        meta = _kept(db)
        counters, observed, cursors = states(db)
        stand = Stand(int(meta["sum"].partition(" ")[0]), meta["root"], int(meta["commits"]))
        known = {standing(stand, meta, counters, observed, cursors, schema) for schema in range(1, SCHEMA + 1)}
        if meta["sum"] not in known:
            return None, 0
        return Change(counters=counters, observed=observed, cursors=cursors), stand.seq
    except UNREADABLE:
        return None, 0


def _records(db: apsw.Connection, low: int, high: int) -> Iterator[tuple[Record, int]]:
    """The readable records of a range of seq with their wall times; halves the range around what is broken."""
    for start in range(low, high + 1, CHUNK):
        yield from _range(db, start, min(start + CHUNK - 1, high))


def _range(db: apsw.Connection, low: int, high: int) -> Iterator[tuple[Record, int]]:
    try:
        rows: list[Any] = list(db.execute("SELECT * FROM record WHERE seq BETWEEN ? AND ?", (low, high)))
    except UNREADABLE:
        if low < high:
            middle = (low + high) // 2
            yield from _range(db, low, middle)
            yield from _range(db, middle + 1, high)
        return
    for row in rows:
        try:
            yield record_of(row), row[7]
        except UNREADABLE:
            continue


def _write(new: Path, max_bytes: int, wall: int, start: Heir, proved: Change) -> None:
    store = Store(new, max_bytes)
    try:
        base = json.dumps({".".join(key): place for key, place in start.base.items()})
        kept = Change(start.records, start.counters, proved.observed, cursors=start.cursors, marks=proved.marks)
        store.begin_with(start.history, kept, base, wall)
        if proved.blocks:
            store.write([Change(blocks=proved.blocks)], wall)
    finally:
        store.close()


def _set_aside(path: Path, wall: int) -> Path:
    stamp = datetime.fromtimestamp(wall / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    folder = path.parent / "quarantine"
    folder.mkdir(exist_ok=True)
    aside = folder / f"ledger-{stamp}.db"
    for tail in reversed(TAILS):
        old = path.with_name(path.name + tail)
        if old.exists():
            old.rename(aside.with_name(aside.name + tail))
    return aside


def _remove(path: Path) -> None:
    for tail in TAILS:
        path.with_name(path.name + tail).unlink(missing_ok=True)
