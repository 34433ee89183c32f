"""A read-only look into a ledger, for the panel, tools and tests. Synchronous; share it between threads freely."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from agent.counter import CounterState
from agent.model import Batch, Kind, Record
from agent.storage import samples
from agent.storage.cold import GROUP
from agent.storage.hot import HotBlock, Standing, standing_in, turns
from agent.storage.record import BEGIN, DamagedError, LedgerError, chained, content, record_of
from agent.storage.store import FILE, Observed, marks_in

FAR = 2**62
STANDING = "SELECT value FROM meta WHERE key = 'hot'"


class Series(NamedTuple):
    """Samples of one tag in order of source time."""

    source_time: NDArray[np.int64]
    value: NDArray[np.float64]
    status: NDArray[np.uint32]


class Reader:
    """Opens a ledger folder (or its file) without the right to write; sees what is committed."""

    def __init__(self, path: Path) -> None:
        file = path / FILE if path.is_dir() else path
        try:
            self._db = apsw.Connection(
                f"{file.absolute().as_uri()}?mode=ro", apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READONLY
            )
        except apsw.CantOpenError:
            raise LedgerError(f"there is no ledger at {path}: give the folder a `tanchang run` wrote to") from None
        self._db.set_busy_timeout(2000)
        self._lock = threading.Lock()

    def _rows(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        try:
            with self._lock:
                return list(self._db.execute(sql, tuple(values)))
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError) as error:
            raise DamagedError(
                f"the ledger file is damaged ({error}): an agent started on it sets it aside and salvages what it can"
            ) from None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within it every look sees the same moment of a ledger that grows; belongs to one thread."""
        self._rows("BEGIN")
        try:
            yield
        finally:
            with self._lock, suppress(apsw.Error):
                self._db.execute("COMMIT")

    def rows(self) -> Iterator[Any]:
        """Every record by seq as it lies in the file: seq, kind, machine, time, body, simulated, crc, wall."""
        last = 0
        while rows := self._rows("SELECT * FROM record WHERE seq > ? ORDER BY seq LIMIT 1000", (last,)):
            yield from rows
            last = rows[-1][0]

    def meta(self) -> dict[str, str]:
        """What the ledger keeps of itself as a whole: id, root, and of a salvaged one floor and base."""
        return dict(self._rows("SELECT key, value FROM meta"))

    def marks(self) -> dict[str, str]:
        """What drivers go on by after a crash, by key."""
        return marks_in(self.meta())

    @property
    def id(self) -> str:
        """The ledger's name for itself."""
        return str(self._rows("SELECT value FROM meta WHERE key = 'id'")[0][0])

    @property
    def last_seq(self) -> int:
        """The highest committed seq, 0 in an empty ledger."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM record")[0][0])

    @property
    def last_wall(self) -> int:
        """When the last record was written, by the gateway's clock (ns); 0 in an empty ledger."""
        found = self._rows("SELECT wall FROM record ORDER BY seq DESC LIMIT 1")
        return int(found[0][0]) if found else 0

    def records(
        self,
        kind: Kind | None = None,
        machine: str | None = None,
        after: int = 0,
        since: int | None = None,
        until: int | None = None,
        limit: int = 1000,
        *,
        newest: bool = False,
    ) -> list[Record]:
        """Records with seq > after and since <= time < until (ns), by seq; `newest` begins at the end."""
        wanted = {"kind = ?": kind and kind.value, "machine = ?": machine, "time >= ?": since, "time < ?": until}
        terms = {term: value for term, value in wanted.items() if value is not None}
        where = " AND ".join(["seq > ?", *terms])
        order = "DESC" if newest else "ASC"
        rows = self._rows(
            f"SELECT * FROM record WHERE {where} ORDER BY seq {order} LIMIT ?", (after, *terms.values(), limit)
        )
        return [record_of(row) for row in rows]

    def counts(self) -> dict[Kind, int]:
        """How many records there are of each kind."""
        return {Kind(kind): number for kind, number in self._rows("SELECT kind, count(*) FROM record GROUP BY kind")}

    def counters(self) -> dict[tuple[str, str], CounterState]:
        """Where each counter stands, by (machine, counter)."""
        names = "raw, total, epoch, time, before, suspect, suspect_time"
        rows = self._rows(f"SELECT machine, counter, {names} FROM counter")
        return {(row[0], row[1]): CounterState(*row[2:]) for row in rows}

    def observed(self) -> dict[str, Observed]:
        """Up to when each device was observed."""
        return {row[0]: Observed(*row[1:]) for row in self._rows("SELECT * FROM observed")}

    def cursors(self) -> dict[str, int]:
        """Up to which seq each sink has everything."""
        return dict(self._rows("SELECT sink, seq FROM cursor"))

    def samples(self, device: str, tag: str, since: int = 0, until: int = FAR) -> Series:
        """Samples of a tag with since <= source time < until (ns)."""
        lists = self._rows("SELECT id, names FROM tag_list WHERE device = ?", (device,))
        names = {number: json.loads(words) for number, words in lists}
        wanted = {number: tags.index(tag) for number, tags in names.items() if tag in tags}
        blocks = [one for one in self._blocks(wanted, since, until) if one.last >= since and one.first < until]
        found = [_series(one, wanted[one.tag_list]) for one in blocks]
        columns = [np.concatenate([one[place] for one in found]) if found else np.zeros(0) for place in range(3)]
        time = columns[0].astype(np.int64)
        inside = np.flatnonzero((time >= since) & (time < until))
        order = inside[np.argsort(time[inside], kind="stable")]
        return Series(time[order], columns[1][order], columns[2].astype(np.uint32)[order])

    def batches(self, device: str, tags: Sequence[str], since: int) -> list[Batch]:
        """What was sampled of exactly these tags in blocks that end at `since` (ns) or later, in order of arrival."""
        lists = self._rows("SELECT id FROM tag_list WHERE device = ? AND names = ?", (device, json.dumps(tags)))
        return [_batch(one) for one in self._blocks({number for (number,) in lists}, since, FAR) if one.last >= since]

    def _blocks(self, tag_lists: Collection[int], since: int, until: int) -> list[HotBlock]:
        """Cold blocks of these tag lists, then all that is hot of them, in order of arrival at one moment."""
        marks = ", ".join("?" * len(tag_lists))
        sql = (
            "SELECT id, 0, tag_list, first, last, rows, body, crc, NULL FROM block"
            f" WHERE tag_list IN ({marks}) AND last >= ? AND first < ?"
        )
        if self._has_hot():
            sql += f" UNION ALL SELECT turn, part, NULL, 0, 0, 0, body, 0, ({STANDING}) FROM hot"
        rows = self._rows(sql, (*tag_lists, since, until))
        cold = [HotBlock(*row[2:8]) for row in sorted(rows, key=lambda row: row[0]) if row[2] is not None]
        hot = [(row[0], row[1], row[6]) for row in rows if row[2] is None]
        standing = standing_in(next((row[8] for row in rows if row[2] is None), None))
        return cold + [one for one in _unmerged(standing, hot) if one.tag_list in tag_lists]

    def _has_hot(self) -> bool:
        return bool(self._rows("SELECT 1 FROM sqlite_schema WHERE name = 'hot'"))

    def verify(self) -> int:
        """Read everything: seq dense from 1, checksums and the chain right. The number of records, else LedgerError."""
        with self.snapshot():
            return self._verify()

    def _verify(self) -> int:
        meta = self.meta()
        root, last = meta.get("gone_root", BEGIN), int(meta.get("gone", "0"))
        for row in self.rows():
            record = record_of(row)
            if record.seq != last + 1:
                raise LedgerError(f"records {last + 1} to {record.seq - 1} are missing from the ledger")
            root, last = chained(root, content(record, row[4], row[7])), record.seq
        if root != self._rows("SELECT value FROM meta WHERE key = 'root'")[0][0]:
            raise LedgerError(f"the chain of the {last} records does not end where the ledger says: it was altered")
        return last

    def tags(self) -> set[tuple[str, str]]:
        """(device, tag) of all that was ever sampled."""
        return {(device, name) for device, names in self.tag_lists() for name in names}

    def tag_lists(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each device with each list of tags that it was ever sampled with."""
        return [
            (device, tuple(json.loads(names))) for device, names in self._rows("SELECT device, names FROM tag_list")
        ]

    def largest_blocks(self, rows: int) -> tuple[int, int]:
        """Samples and bytes of the blocks that hold more than `rows` samples each: those that were merged."""
        found = self._rows(
            "SELECT coalesce(sum(rows), 0), coalesce(sum(length(body)), 0) FROM block WHERE rows > ?", (rows,)
        )
        return int(found[0][0]), int(found[0][1])

    def damaged_blocks(self) -> Iterator[str]:
        """The sample blocks that are not what was written."""
        last = 0
        while rows := self._rows("SELECT id, body, crc FROM block WHERE id > ? ORDER BY id LIMIT 100", (last,)):
            yield from (f"sample block {number}" for number, body, crc in rows if zlib.crc32(body) != crc)
            last = rows[-1][0]
        if self._has_hot():
            found = self._rows(f"SELECT turn, part, body, ({STANDING}) FROM hot ORDER BY turn, part")
            standing = standing_in(found[0][3] if found else None)
            damaged = (turn for turn, blocks in turns(standing, (row[:3] for row in found)) if blocks is None)
            yield from (f"turn {turn} of the samples" for turn in damaged)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._db.close()


def _unmerged(standing: Standing, rows: list[tuple[int, int, bytes]]) -> Iterator[HotBlock]:
    """What of hot turns is not among the cold blocks yet."""
    for turn, blocks in turns(standing, sorted(rows)):
        if blocks is None:
            raise DamagedError(f"samples of the ledger (turn {turn}) are damaged: in a minute they become a gap")
        merged = standing.merged if turn <= standing.cold + GROUP else ()
        yield from (one for one in blocks if one.tag_list not in merged)


def _series(block: HotBlock, place: int) -> Series:
    """The samples of the tag at this place of a block's tag list."""
    batch = _batch(block)
    rows = np.flatnonzero(batch.index == place)
    return Series(batch.source_time[rows], batch.value[rows], batch.status[rows])


def _batch(block: HotBlock) -> Batch:
    if zlib.crc32(block.body) != block.crc:
        raise DamagedError("a sample block of the ledger is damaged: keep the file, start with a new ledger folder")
    return samples.decode(block.body)
