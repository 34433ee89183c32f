"""What storing costs: bytes written to the block layer a sample, and bytes kept, against a row a sample.

Each row is a process of its own: Linux counts what a process sent to the disk (`write_bytes` of /proc/self/io).
2,000 samples a second of 500 tags, one commit a second, fed as fast as the disk takes them. The peer is sqlite-utils
as one would use it: a row a sample, inserted one by one, and as a second row a second's rows in one transaction.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np

from agent.model import SECOND, Batch, Kind, Record
from tests.bench.result import Result, Target

ROOT = Path(__file__).parents[2]
TAGS, RATE = 500, 4  # tags, samples a second of each
SECONDS = 240  # the first two minutes get cold
ONE_BY_ONE_S = 1  # a row a transaction is slow: as many samples as tell what one costs
COUNTERS, ANALOGS = int(TAGS * 0.4), int(TAGS * 0.3)
BEGIN = 1_795_000_000 * SECOND
RECORDS_S, COMMITS_S = 20, 5


def plant(seconds: int, seed: int = 7) -> Iterator[Batch]:
    """A batch a second: counters that count now and then, analogs that drift in hundredths, states that seldom change.

    A tag is sampled on its grid of 250 ms, 0 to 2 ms late.
    """
    chance = np.random.default_rng(seed)
    counts = chance.integers(0, 50_000, COUNTERS).astype(np.float64)
    levels = chance.uniform(10, 200, ANALOGS)
    words = chance.integers(0, 8, TAGS - COUNTERS - ANALOGS).astype(np.float64)
    for second in range(seconds):
        values, times = [], []
        for part in range(RATE):
            counts += chance.random(COUNTERS) < 0.06 / RATE
            levels += chance.normal(0, 0.02, ANALOGS)
            changed = chance.random(len(words)) < 0.02 / RATE
            words[changed] = chance.integers(0, 8, int(changed.sum()))
            values.append(np.concatenate([counts, levels.round(2), words]))
            late = chance.integers(0, 3, TAGS) * (SECOND // 1000)
            times.append(BEGIN + second * SECOND + part * SECOND // RATE + late)
        time = np.concatenate(times).astype(np.int64)
        index = np.tile(np.arange(TAGS, dtype=np.uint32), RATE)
        yield Batch(index, np.concatenate(values), time, np.zeros(len(time), np.uint32), int(time.max()), second)


def _written() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


async def _ours(folder: Path) -> dict[str, float]:
    """The ledger, compaction included; `kept` is bytes a sample of the minutes that are merged."""
    from agent.ledger import Block, Ledger, Reader
    from agent.storage import samples

    names = tuple(f"tag{number}" for number in range(TAGS))
    before, number = _written(), 0
    ledger = await Ledger.open(folder, group_s=0)
    for batch in plant(SECONDS):
        first, last = int(batch.source_time.min()), int(batch.source_time.max())
        await ledger.commit(blocks=[Block("line", names, first, last, len(batch.index), samples.encode([batch]))])
        number += len(batch.index)
    await ledger.close()
    written = _written() - before
    reader = Reader(folder)
    rows, kept = reader.largest_blocks(TAGS * RATE)
    reader.close()
    return {"bytes/sample": written / number, "kept": kept / rows, "samples": number}


def _count(number: int) -> Record:
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number % 65536, "note": None}
    return Record(Kind.COUNT, "press1", BEGIN + number * SECOND // RECORDS_S, body, simulated=True)


async def _records(folder: Path, commits_s: int) -> dict[str, float]:
    """Records alone, in groups as a commit interval makes them."""
    from agent.ledger import Ledger

    before, seconds = _written(), 60
    ledger = await Ledger.open(folder, group_s=0)
    together = RECORDS_S // commits_s
    for number in range(0, seconds * RECORDS_S, together):
        await ledger.commit([_count(number + place) for place in range(together)])
    await ledger.close()
    return {"bytes/s": (_written() - before) / seconds}


async def _as_it_runs(folder: Path) -> dict[str, float]:
    """Records and samples as fast as a line makes them, for seconds of real time: how often SQLite syncs."""
    from agent.ledger import Block, Ledger
    from agent.storage import samples

    syncs: list[int] = []

    class File(apsw.VFSFile):
        """Counts what goes to the disk at once."""

        def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
            syncs.append(flags)
            super().xSync(flags)

    class Counting(apsw.VFS):
        """The system's own, with files that count."""

        def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> File:  # noqa: N802 - apsw's name
            return File("unix", name, flags)

    vfs = Counting("counting", "unix", makedefault=True)
    names, seconds = tuple(f"tag{number}" for number in range(TAGS)), 10
    ledger = await Ledger.open(folder)
    batches, held, begin = plant(seconds), set(), time.monotonic()
    opened, before, number = len(syncs), _written(), 0
    while (now := time.monotonic() - begin) < seconds:
        held.add(asyncio.create_task(ledger.commit([_count(number)])))
        if number % RECORDS_S == 0 and (batch := next(batches, None)) is not None:
            first, last = int(batch.source_time.min()), int(batch.source_time.max())
            block = Block("line", names, first, last, len(batch.index), samples.encode([batch]))
            held.add(asyncio.create_task(ledger.commit(blocks=[block])))
            await ledger.move_cursor("mqtt", ledger.last_seq)
        number += 1
        await asyncio.sleep(max(0.0, number / RECORDS_S - now))
    counted, written = len(syncs) - opened, _written() - before
    await asyncio.gather(*held)
    await ledger.close()
    vfs.unregister()
    return {"fsync/s": counted / seconds, "bytes/s": written / seconds}


async def _peer(folder: Path, *, one_by_one: bool) -> dict[str, float]:
    """A row a sample, by sqlite-utils."""
    from sqlite_utils import Database

    before, number = _written(), 0
    database = Database(folder / "peer.db")
    table = database.table("sample")
    for batch in plant(ONE_BY_ONE_S if one_by_one else 60):
        columns = batch.index.tolist(), batch.source_time.tolist(), batch.value.tolist(), batch.status.tolist()
        rows = [dict(zip(("tag", "time", "value", "status"), row, strict=True)) for row in zip(*columns, strict=True)]
        number += len(rows)
        if one_by_one:
            for row in rows:
                table.insert(row)
        else:
            table.insert_all(rows, batch_size=len(rows))
    database.close()
    kept = (folder / "peer.db").stat().st_size
    return {"bytes/sample": (_written() - before) / number, "kept": kept / number, "samples": number}


ROWS = {
    "ours": _ours,
    "ours, 20 records/s alone, commit 0.2 s": lambda folder: _records(folder, COMMITS_S),
    "ours, 20 records/s alone, commit 1 s": lambda folder: _records(folder, 1),
    "ours, 20 records/s and 2,000 samples/s, as it runs": _as_it_runs,
    "peer: row a sample": lambda folder: _peer(folder, one_by_one=True),
    "peer: a second at once": lambda folder: _peer(folder, one_by_one=False),
}


async def _in_a_process(name: str) -> dict[str, float]:
    """A row's figures, measured in a fresh process with a folder on the checkout's disk."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as folder:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.store", name, folder, stdout=-1, cwd=ROOT
        )
        told, _ = await child.communicate()
        if child.returncode != 0:
            raise RuntimeError(f"{name} ended with {child.returncode}")
        figures: dict[str, float] = json.loads(told)
        return figures


async def measure() -> Result:
    """Each row in a fresh process, one after the other."""
    figures = {name: await _in_a_process(name) for name in ROWS}
    ours, peer = figures["ours"], figures["peer: row a sample"]
    targets = [
        Target("bytes written a sample", ours["bytes/sample"], 12.0),
        Target("bytes kept a sample after compaction", ours["kept"], 3.0),
        Target("fsync a second", figures["ours, 20 records/s and 2,000 samples/s, as it runs"]["fsync/s"], 5.0),
        Target("ours / row a sample, bytes written", ours["bytes/sample"] / peer["bytes/sample"], 0.01),
    ]
    return Result("store", figures, targets)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ROWS[sys.argv[1]](Path(sys.argv[2])))))
