"""The ledger's file: schema, content of a record, and the one transaction. Synchronous; used by the writing thread."""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field, fields, replace
from itertools import chain, count
from pathlib import Path

import apsw

from agent.counter import CounterState
from agent.model import SECOND, Kind, Record
from agent.storage import cold
from agent.storage.cold import Keep
from agent.storage.hot import HotBlock, Slots, standing_in
from agent.storage.record import LedgerError, canonical, chained, content, iso
from agent.storage.room import Ladder, Lost, room
from agent.storage.schema import SCHEMA, tables

FILE = "ledger.db"
HOLDER = "ledger.pid"
PAGE = 4096
MARK = "driver."  # what the keys of a driver's marks begin with among what the ledger keeps of itself
KEEP_ALL = Keep()
NO_ROOM = (OSError, apsw.FullError)
DISK_ERRORS = (
    *NO_ROOM,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
)


@dataclass(frozen=True, slots=True)
class Observed:
    """Up to which plant time (ns) a device vouched for its tags; `cause` says why it does not any more, else None."""

    time: int
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of a device as `samples.encode` made them, with source times from first to last (ns)."""

    device: str
    tags: tuple[str, ...]
    first: int
    last: int
    rows: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """What one caller wants on disk, all of it or nothing; a cursor of None is let go."""

    records: tuple[Record, ...] = ()
    counters: Mapping[tuple[str, str], CounterState] = field(default_factory=dict)
    observed: Mapping[str, Observed] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    cursors: Mapping[str, int | None] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a ledger is: last seq, running hash, number of transactions."""

    seq: int
    root: str
    commits: int


def numbered(changes: Sequence[Change], seq: int) -> list[tuple[Record, ...]]:
    """The records of each change with their seq, the first one seq + 1."""
    numbers = count(seq + 1)
    return [tuple(replace(record, seq=next(numbers)) for record in change.records) for change in changes]


def moved(cursors: Mapping[str, int], to: Mapping[str, int | None]) -> dict[str, int]:
    """The cursors after some of them moved, came or, as None, went."""
    return {sink: seq for sink, seq in {**cursors, **to}.items() if seq is not None}


def marks_in(meta: Mapping[str, str]) -> dict[str, str]:
    """What drivers and faces of the line go on by after a crash, by key."""
    return {name.removeprefix(MARK): text for name, text in meta.items() if name.startswith(MARK)}


def standing(
    stand: Stand,
    meta: Mapping[str, str],
    counters: Mapping[tuple[str, str], CounterState],
    observed: Mapping[str, Observed],
    cursors: Mapping[str, int],
    schema: int = SCHEMA,
) -> str:
    """Last seq, and a checksum over all that is kept besides records and samples: no flipped bit is a wrong total."""
    kept = {name: value for name, value in meta.items() if name not in ("root", "commits", "sum")}
    states = [sorted((*key, *astuple(one)) for key, one in counters.items())]
    states += [sorted((name, one.time, one.cause) for name, one in observed.items()), sorted(cursors.items())]
    text = json.dumps([schema, astuple(stand), sorted(kept.items()), *states])
    return f"{stand.seq} {zlib.crc32(text.encode()):08x}"


def states(
    db: apsw.Connection,
) -> tuple[dict[tuple[str, str], CounterState], dict[str, Observed], dict[str, int]]:
    """Counters, observed and cursors as the file holds them."""
    names = ", ".join(one.name for one in fields(CounterState))
    rows = db.execute(f"SELECT machine, counter, {names} FROM counter")
    counters = {(row[0], row[1]): CounterState(*row[2:]) for row in rows}
    observed = {row[0]: Observed(*row[1:]) for row in db.execute("SELECT device, time, cause FROM observed")}
    return counters, observed, dict(db.execute("SELECT sink, seq FROM cursor"))


class Store:
    """The only writing connection to a ledger file; loads where it stands at opening."""

    def __init__(self, path: Path, max_bytes: int, keep: Keep = KEEP_ALL) -> None:
        self._keep = keep
        self._folder = path.parent
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(2000)
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "full")
        self._db.pragma("foreign_keys", "on")
        self._db.pragma("fullfsync", "on")
        self._db.pragma("max_page_count", max_bytes // PAGE)
        self._settle_schema(path)
        self._meta = dict(self._db.execute("SELECT key, value FROM meta"))
        self.id = self._meta["id"]
        self.floor = int(self._meta.get("floor", "0"))
        seq = self._db.execute("SELECT coalesce(max(seq), 0) FROM record").get
        self.stand = Stand(seq, self._meta["root"], int(self._meta["commits"]))
        self.counters, self.observed, self.cursors = states(self._db)
        self._used = cold.size(self._db) if keep.bytes is not None else 0
        self._slots = Slots(self._db, standing_in(self._meta.get("hot")))
        self._ladder = Ladder(self._db, path.parent, self._slots, self._meta)
        self.room = room(self._db, path.parent)
        self._tag_lists: dict[tuple[str, tuple[str, ...]], int] = {}

    def _settle_schema(self, path: Path) -> None:
        version = self._db.pragma("user_version")
        if version > SCHEMA:
            raise LedgerError(
                f"{path} was written by a newer tanchang (schema {version}, this one knows {SCHEMA}):"
                " install that version again, or start with another ledger folder"
            )
        if version == 0:
            with self._db:
                self._db.execute(tables(SCHEMA))
                start = {"id": secrets.token_hex(8), "root": "00" * 32, "commits": "0"}
                self._db.executemany("INSERT INTO meta VALUES(?, ?)", start.items())
                self._db.pragma("user_version", SCHEMA)

    def write(self, changes: Sequence[Change], wall: int) -> list[tuple[Record, ...]]:
        """Everything in one transaction, on disk when this returns; the records of each change with their seq.

        After an error nothing is known: throw this store away and open another, whose `stand` tells.
        """
        placed = numbered(changes, self.stand.seq)
        root = self.stand.root
        self._db.execute("BEGIN IMMEDIATE")
        for record in chain.from_iterable(placed):
            root = self._insert(record, root, wall)
        for change in changes:
            self._put_state(change)
        seq = self.stand.seq + sum(map(len, placed))
        for record in self._put_samples(changes, seq, wall):
            root, seq = self._insert(record, root, wall), record.seq
        self._close_transaction(Stand(seq, root, self.stand.commits + 1), changes)
        self._used -= self._ladder.settle()
        return placed

    def begin_with(self, history: Iterable[tuple[Record, int]], change: Change, base: str, wall: int) -> None:
        """Fill an empty ledger in one transaction: history with its wall times, never told again, then a change."""
        root, seq = self.stand.root, self.stand.seq
        self._db.execute("BEGIN IMMEDIATE")
        for record, recorded in history:
            seq += 1
            root = self._insert(replace(record, seq=seq), root, recorded)
        self.floor = seq
        self._meta |= {"floor": str(seq), "base": base, "copied": str(seq + len(change.records))}
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", self._meta.items())
        placed = numbered([change], seq)[0]
        for record in placed:
            root = self._insert(record, root, wall)
        self._put_state(change)
        self._close_transaction(Stand(seq + len(placed), root, self.stand.commits + 1), [change])

    def _close_transaction(self, stand: Stand, changes: Sequence[Change]) -> None:
        """Commit, with the checksum over what is kept besides."""
        for change in changes:
            self.counters |= change.counters
            self.observed |= change.observed
            self.cursors = moved(self.cursors, change.cursors)
        self._meta["hot"] = self._slots.standing.text
        total = standing(stand, self._meta, self.counters, self.observed, self.cursors)
        meta = {"hot": self._meta["hot"], "root": stand.root, "commits": str(stand.commits), "sum": total}
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", meta.items())
        self._db.execute("COMMIT")
        self.stand = stand

    def _insert(self, record: Record, root: str, wall: int) -> str:
        body = canonical(record.body)
        signed = content(record, body, wall)
        head = (record.seq, record.kind.value, record.machine, record.time, body, int(record.simulated))
        self._db.execute("INSERT INTO record VALUES(?, ?, ?, ?, ?, ?, ?, ?)", (*head, zlib.crc32(signed), wall))
        return chained(root, signed)

    def _put_state(self, change: Change) -> None:
        names = [one.name for one in fields(CounterState)]
        marks = ", ".join("?" for _ in names)
        self._db.executemany(
            f"INSERT OR REPLACE INTO counter(machine, counter, {', '.join(names)}) VALUES(?, ?, {marks})",
            [(*key, *(getattr(state, name) for name in names)) for key, state in change.counters.items()],
        )
        observed = [(device, one.time, one.cause) for device, one in change.observed.items()]
        self._db.executemany("INSERT OR REPLACE INTO observed VALUES(?, ?, ?)", observed)
        gone = [(sink,) for sink, seq in change.cursors.items() if seq is None]
        self._db.executemany("DELETE FROM cursor WHERE sink = ?", gone)
        kept_up = [(sink, seq) for sink, seq in change.cursors.items() if seq is not None]
        self._db.executemany("INSERT OR REPLACE INTO cursor VALUES(?, ?)", kept_up)
        kept = {MARK + key: text for key, text in change.marks.items()}
        self._meta |= kept
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", kept.items())

    def _put_samples(self, changes: Sequence[Change], seq: int, wall: int) -> list[Record]:
        """A turn of samples, one small step for those that got cold, and room; gaps of what is lost, beyond `seq`."""
        blocks = [block for change in changes for block in change.blocks]
        lost: list[Lost | None] = [one for change in changes for one in change.lost]
        if blocks:
            hot = [self._hot(block) for block in blocks]
            self._slots.put(hot)
            added, damaged = cold.compact(self._db, self._slots)
            self._used += added
            self._used -= cold.expire(self._db, self._keep, self._used, cold.span(hot)[1])
            lost += [Lost("samples", "damaged", *one) for one in damaged]
        told = min(self.cursors.values(), default=self.stand.seq)
        if self._keep.records_hours is not None:
            self._ladder.forget(told, wall - int(self._keep.records_hours * 3600 * SECOND))
        self.room = room(self._db, self._folder)
        lost.append(self._ladder.step(self.room, told))
        gaps = [self._gap(one) for one in lost if one is not None]
        return [replace(gap, seq=seq + place) for place, gap in enumerate(gaps, 1)]

    def _hot(self, block: Block) -> HotBlock:
        key = block.device, block.tags
        if key not in self._tag_lists:
            words = block.device, json.dumps(block.tags)
            self._db.execute("INSERT OR IGNORE INTO tag_list(device, names) VALUES(?, ?)", words)
            found = self._db.execute("SELECT id FROM tag_list WHERE device = ? AND names = ?", words).get
            self._tag_lists[key] = int(found)
        crc = zlib.crc32(block.body)
        return HotBlock(self._tag_lists[key], block.first, block.last, block.rows, block.body, crc)

    def _gap(self, lost: Lost) -> Record:
        """What of a span is lost, as a record without its seq."""
        simulated = self._db.execute("SELECT simulated FROM record ORDER BY seq DESC LIMIT 1").get
        bounds = {"from": iso(lost.start), "to": iso(lost.end), "low": None, "high": None}
        return Record(Kind.GAP, "", lost.end, {"what": lost.what, "cause": lost.cause, **bounds}, bool(simulated))

    def close(self) -> None:
        """Give the file back; safe to call twice."""
        self._db.close()


def lock(folder: Path, pid: int) -> apsw.Connection:
    """Hold a ledger folder until closed or dead. LedgerError names the process that holds it already.

    An exclusive transaction on a file of its own: the operating system lets go when the process ends, however it ends.
    """
    holder = folder / HOLDER
    held = apsw.Connection(str(folder / "ledger.lock"))
    try:
        held.pragma("journal_mode", "memory")  # a full disk can be locked, too
        held.execute("BEGIN EXCLUSIVE")
    except apsw.BusyError:
        held.close()
        other = holder.read_text().strip() if holder.exists() else "unknown"
        raise LedgerError(
            f"{folder} is in use by another agent (process {other}): stop that one, or give this one another folder"
        ) from None
    with suppress(OSError):  # on a full disk nobody is named, and that is all
        holder.write_text(f"{pid}\n")
    return held
