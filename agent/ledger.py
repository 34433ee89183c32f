"""The ledger: commit, then acknowledge. One thread owns the only writing connection.

What is handed in within 200 ms goes to disk in one transaction; `commit` returns when it is there.
While the disk fails nothing is claimed: changes wait in memory, in order, and `durable` is False. Memory is bounded:
the oldest samples that wait give way, as a gap; records never do, so `holding` says when to bring no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.counter import CounterState
from agent.model import Record
from agent.storage.cold import Keep
from agent.storage.damage import BROKEN
from agent.storage.migrate import migrated
from agent.storage.reader import Reader, Series
from agent.storage.record import LedgerError, canonical
from agent.storage.room import FILLING, THIN, Lost, hold_reserve, release_reserve, words
from agent.storage.salvage import mended, suspect
from agent.storage.store import (
    DISK_ERRORS,
    FILE,
    HOLDER,
    KEEP_ALL,
    NO_ROOM,
    Block,
    Change,
    Observed,
    Stand,
    Store,
    lock,
    moved,
    numbered,
)

__all__ = ["Block", "Keep", "Ledger", "LedgerError", "Observed", "Reader", "Series"]

GROUP_S = 0.205  # between commits: with the syncs of checkpoints that is five a second at most
CURSOR_S = 1.0
RETRY_S = 1.0
STUCK_S = 4.0
MOST_BYTES, MOST_RECORDS = 64 * 2**20, 100_000  # of samples and of records that wait for the disk
LARGEST = 500  # changes written at once
MAX_BYTES = 2 * 1024**3
ROOMY = FILLING - 0.05  # what was filling has room again
NOTHING: Mapping[tuple[str, str], CounterState] = {}
NOBODY: Mapping[str, Observed] = {}
NO_MARKS: Mapping[str, str] = {}
NO_CURSORS: Mapping[str, int | None] = {}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A change and who waits for it."""

    change: Change
    done: asyncio.Future[tuple[Record, ...]]


def _size(change: Change) -> int:
    return sum(len(block.body) for block in change.blocks)


class Ledger:
    """The durable truth of one agent. Use `await Ledger.open(folder)`; all methods belong to the opening loop."""

    def __init__(self, folder: Path, max_bytes: int, group_s: float, keep: Keep = KEEP_ALL) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.max_bytes = max_bytes
        self._keep = keep
        self._group_s = group_s
        known = (folder / HOLDER).exists()
        self._lock = lock(folder, os.getpid())
        try:
            self.salvaged, store = self._opened(known=known)
        except BaseException:
            self._lock.close()
            raise
        self._store: Store | None = store
        self._reader = Reader(folder)
        self.id = store.id
        self._stand = store.stand
        self.last_seq = self._stand.seq
        self.counters = dict(store.counters)
        self.observed = dict(store.observed)
        self.trouble: str | None = None
        self.filling = words(store.room.full)
        self._root = self._stand.root
        self._cursors = dict(store.cursors)
        self._floor = store.floor
        self._moved: dict[str, int] = {}
        self._waiting: list[_Waiting] = []
        self._bytes, self._records = 0, 0  # of what waits
        self._dropped: Lost | None = None
        self._writing: float | None = None
        self._closing = False
        self._wake = threading.Condition()
        self._grown = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def _opened(self, *, known: bool) -> tuple[str | None, Store]:
        """What was salvaged and the store; a disk that is full gets the reserve back that a killed agent left."""
        path = self.folder / FILE
        while True:
            try:
                salvaged = mended(self.folder, self.max_bytes, time.time_ns(), known=known)
                migrated(path)
                return salvaged, Store(path, self.max_bytes, self._keep)
            except DISK_ERRORS as error:
                if not release_reserve(self.folder):
                    raise LedgerError(
                        f"the disk of {self.folder} takes no writes ({type(error).__name__}: {error}):"
                        " free space on it or repair it, then start again; the ledger is as it was"
                    ) from error

    @classmethod
    async def open(
        cls, folder: Path, max_bytes: int = MAX_BYTES, group_s: float = GROUP_S, keep: Keep = KEEP_ALL
    ) -> Ledger:
        """The ledger in `folder`, made if there is none. LedgerError if in use or from a newer version.

        `group_s` is the time between commits, `keep` how long samples stay.
        A damaged file is set aside and what can be read of it begins a new ledger: `salvaged` says so in words.
        """
        ledger = cls(folder, max_bytes, group_s, keep)
        ledger._thread.start()
        return ledger

    @property
    def root(self) -> str:
        """Four hex digits of the running hash over all records: alike on two displays, alike in content."""
        return self._root[:4].upper()

    @property
    def durable(self) -> bool:
        """Whether what is handed in reaches the disk; False also when a write has hung for seconds."""
        begun = self._writing
        return self.trouble is None and (begun is None or time.monotonic() - begun < STUCK_S)

    @property
    def holding(self) -> bool:
        """Not durable, and with room in memory for what is handed in meanwhile."""
        return not self.durable and self._records < MOST_RECORDS

    async def commit(
        self,
        records: Sequence[Record] = (),
        *,
        counters: Mapping[tuple[str, str], CounterState] = NOTHING,
        observed: Mapping[str, Observed] = NOBODY,
        blocks: Sequence[Block] = (),
        marks: Mapping[str, str] = NO_MARKS,
        cursors: Mapping[str, int | None] = NO_CURSORS,
    ) -> tuple[Record, ...]:
        """All of it in one transaction; the records with their seq, once on disk. Order of calls is order of seq."""
        return await self.hand_in(
            records, counters=counters, observed=observed, blocks=blocks, marks=marks, cursors=cursors
        )

    def hand_in(
        self,
        records: Sequence[Record] = (),
        *,
        counters: Mapping[tuple[str, str], CounterState] = NOTHING,
        observed: Mapping[str, Observed] = NOBODY,
        blocks: Sequence[Block] = (),
        marks: Mapping[str, str] = NO_MARKS,
        cursors: Mapping[str, int | None] = NO_CURSORS,
    ) -> asyncio.Future[tuple[Record, ...]]:
        """The same without waiting: what tells that it is on disk, or why it never will be.

        `marks` are short texts by key that replace those of before: what a driver goes on by after a crash.
        `cursors` are those of sinks that come and, as None, go; what a sink took is move_cursor's.
        """
        for record in records:
            canonical(record.body)
        change = Change(tuple(records), dict(counters), dict(observed), tuple(blocks), dict(cursors), dict(marks))
        waiting = _Waiting(change, self._loop.create_future())
        with self._wake:
            if self._closing:
                raise LedgerError(f"the ledger in {self.folder} is closed: nothing more can be recorded")
            self._cursors = moved(self._cursors, cursors)
            self._waiting.append(waiting)
            self._bytes += _size(change)
            self._records += len(change.records)
            self._bound()
            self._wake.notify()
        return waiting.done

    def _bound(self) -> None:
        """Let go of the oldest samples that wait, where they are too many."""
        for waiting in self._waiting:
            if self._bytes <= MOST_BYTES:
                return
            blocks = waiting.change.blocks
            if blocks:
                spans = [(one.first, one.last) for one in blocks]
                spans += [(self._dropped.start, self._dropped.end)] if self._dropped else []
                start, end = min(first for first, _ in spans), max(last for _, last in spans)
                self._dropped = Lost("samples", "not_durable", start, end)
                self._bytes -= _size(waiting.change)
                waiting.change = replace(waiting.change, blocks=())

    async def records(self, after: int, limit: int) -> list[Record]:
        """Up to `limit` committed records with seq > after, by seq; none that another ledger told before."""
        return await asyncio.to_thread(self._reader.records, after=max(after, self._floor), limit=limit)

    @property
    def cursors(self) -> Mapping[str, int]:
        """Every sink whose records are kept until it has them, and up to which seq it has everything."""
        return dict(self._cursors)

    async def begin(self) -> int:
        """The seq before the first record that can be told: where a sink begins that has nothing."""
        oldest = await self.records(0, 1)
        return oldest[0].seq - 1 if oldest else self.last_seq

    def cursor(self, sink: str) -> int:
        """Up to which seq a sink has everything; 0 for a new one."""
        return self._cursors.get(sink, 0)

    async def move_cursor(self, sink: str, seq: int) -> None:
        """Remember that a sink has everything up to seq; on disk with the next commit or within a second."""
        self._cursors[sink] = seq
        with self._wake:
            self._moved[sink] = seq
            self._wake.notify()

    async def wait_past(self, seq: int) -> int:
        """Wait until there is a committed record beyond seq; the last seq then."""
        while self.last_seq <= seq:
            await self._grown.wait()
        return self.last_seq

    async def close(self) -> None:
        """Write what was handed in, then let go of the file. Safe to call twice."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)
        release_reserve(self.folder)
        self._reader.close()
        self._lock.close()

    def _run(self) -> None:
        """The writing thread."""
        last = float("-inf")
        while (group := self._next(last)) is not None:
            self._writing = last = time.monotonic()
            self._write(*group)
            self._writing = None
        if self._store is not None:
            self._store.close()

    def _next(self, last: float) -> tuple[list[_Waiting], dict[str, int], Lost | None] | None:
        """What is due, in order of arrival; None when closed and all is written."""
        with self._wake:
            while True:
                pause = self._group_s if self._waiting else max(CURSOR_S, self._group_s) if self._moved else None
                left = None if pause is None else last + pause - time.monotonic()
                if self._closing or (left is not None and left <= 0):
                    break
                self._wake.wait(left)
            if self._closing and not self._waiting and not self._moved:
                return None
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            self._bytes -= sum(_size(one.change) for one in group)
            self._records -= sum(len(one.change.records) for one in group)
            taken, self._moved = self._moved, {}
            lost, self._dropped = self._dropped, None
            return group, taken, lost

    def _write(self, group: list[_Waiting], taken: dict[str, int], lost: Lost | None) -> None:
        """Write a group, again and again on a new connection while the disk fails."""
        changes = [waiting.change for waiting in group]
        if taken or lost:
            changes.append(Change(cursors=taken, lost=(lost,) if lost else ()))
        while True:
            try:
                written = self._attempt(changes)
            except DISK_ERRORS as error:
                self._drop(f"{type(error).__name__}: {error}")
                if isinstance(error, NO_ROOM) and release_reserve(self.folder):
                    log.warning("ledger: the reserve on the disk of %s makes room for what waits", self.folder)
                    continue
                if self._closing:
                    return self._tell(group, LedgerError(f"not recorded, the disk failed to the end: {self.trouble}"))
                with self._wake:
                    self._wake.wait_for(lambda: self._closing, RETRY_S)
            except Exception as error:  # noqa: BLE001 - what memory holds may now be ahead of the disk: stop, start again
                self._drop(f"{type(error).__name__}: {error}")
                if isinstance(error, BROKEN):
                    suspect(self.folder)
                self._closing = True
                return self._tell(group, error)
            else:
                if self.trouble is not None:
                    log.info("ledger: writing to %s again", self.folder)
                self.trouble = None
                return self._tell(group, written)

    def _attempt(self, changes: list[Change]) -> list[tuple[Record, ...]]:
        """One try. A commit that failed may be on disk all the same: the new connection's count of commits tells."""
        if self._store is None:
            self._store = Store(self.folder / FILE, self.max_bytes, self._keep)
        if self._store.stand.commits > self._stand.commits:
            written = numbered(changes, self._stand.seq)
        else:
            written = self._store.write(changes, time.time_ns())
        self._stand = self._store.stand
        self._look_at_room(self._store.room.full)
        return written

    def _look_at_room(self, full: float) -> None:
        filling = words(full) or (self.filling if full > ROOMY else None)
        if filling is not None and self.filling is None:
            log.warning("ledger: the store in %s is %s", self.folder, filling)
        elif filling is None and self.filling is not None:
            log.info("ledger: the store in %s has room again", self.folder)
        self.filling = filling
        if full < THIN:
            hold_reserve(self.folder)

    def _drop(self, trouble: str) -> None:
        """After an error no connection is trusted: what it thinks is on disk may not be."""
        if self.trouble is None:
            log.warning("ledger: cannot write to %s, keeping records in memory: %s", self.folder, trouble)
        self.trouble = trouble
        store, self._store = self._store, None
        if store is not None:
            with contextlib.suppress(*DISK_ERRORS):
                store.close()

    def _tell(self, group: list[_Waiting], outcome: list[tuple[Record, ...]] | Exception) -> None:
        """From the writing thread: tell the loop how it went."""
        self._loop.call_soon_threadsafe(self._settle, group, outcome, self._stand)

    def _settle(self, group: list[_Waiting], outcome: list[tuple[Record, ...]] | Exception, stand: Stand) -> None:
        self.last_seq, self._root = stand.seq, stand.root
        for place, waiting in enumerate(group):
            if waiting.done.done():
                continue
            if isinstance(outcome, Exception):
                waiting.done.set_exception(outcome)
            else:
                waiting.done.set_result(outcome[place])
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
