"""What is on disk after faults, held against what the servers counted: nothing lost, doubled or wrong."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.commands.proof import report_of
from agent.ledger import Reader
from agent.model import SECOND, Kind
from gateway import payload
from tests.peers.words import LIFE, check

BAD = 0x8000_0000
UNEXPLAINED_S = 5.0  # a hole between two samples that no gap need cover: only what is silent for longer is stale
ENOUGH = 10**6


@dataclass(frozen=True, slots=True)
class Row:
    """A sample: source time in ns, value, StatusCode."""

    time: int
    value: float
    status: int


@dataclass(frozen=True, slots=True)
class OnDisk:
    """What a ledger holds of the device `plc`: samples by tag, deltas of its counter, gaps as (from, to) in ns."""

    samples: dict[str, list[Row]]
    counted: int
    deltas: int
    gaps: list[tuple[int, int]]
    violations: list[str]


def on_disk(folder: Path, tags: tuple[str, ...]) -> OnDisk:
    """Read a closed ledger; its own proof included."""
    report, blocks = report_of(folder)
    reader = Reader(folder)
    try:
        columns = {name: reader.samples("plc", name) for name in tags}
        counts = reader.records(Kind.COUNT, limit=ENOUGH)
        gaps = [one.body for one in reader.records(Kind.GAP, limit=ENOUGH) if one.body["what"] == "plc"]
        counter = reader.counters().get(("press1", "good"))
    finally:
        reader.close()
    samples = {
        name: [Row(*row) for row in zip(one.source_time.tolist(), one.value.tolist(), one.status.tolist(), strict=True)]
        for name, one in columns.items()
    }
    spans = [(_time(body["from"]), _time(body["to"])) for body in gaps]
    deltas = sum(one.body["delta"] for one in counts)
    counted = counter.counted if counter else 0
    return OnDisk(samples, counted, deltas, spans, [*map(str, report.violations), *blocks])


def _time(stamp: str) -> int:
    return payload.nanoseconds(datetime.fromisoformat(stamp))


def totals(disk: OnDisk, last: int) -> None:
    """The ledger's own rules hold, and what was counted is what the raw values it saw add up to, to the last one."""
    assert not disk.violations, disk.violations[:3]
    good = [int(row.value) for row in disk.samples["good"] if row.status < BAD]
    assert good, "nothing was read"
    assert good[-1] == last % LIFE, f"the server counted to {last % LIFE}, the last sample is {good[-1]}"
    made = sum(b - a if b >= a else b for a, b in itertools.pairwise(good))
    assert disk.deltas == disk.counted == made, f"deltas {disk.deltas}, total {disk.counted}, samples add up to {made}"


def held(disk: OnDisk, restated: int) -> None:
    """OPC UA: all that a server's queue held is there, in one piece a life, each value once.

    A server may tell the value that a tag has once more to a new subscription, and when its status was bad and is
    good again: `restated` times at most.
    """
    serial = [row for row in disk.samples["serial"] if row.value == row.value]
    twice = [one for one, times in Counter((row.value, row.status) for row in serial).items() if times > 1]
    again = len(serial) - len({(row.value, row.status) for row in serial})
    assert again <= restated, f"{again} values came again, at most {restated} may: {twice[:5]}"
    first = {int(row.value): row.time for row in reversed(serial)}
    empty = [row.time for row in disk.samples["serial"] if row.value != row.value]  # bad: asyncua tells it once
    seen = sorted(first)
    lost = [
        (a, b)
        for a, b in itertools.pairwise(seen)
        if b > a + 1 and a // LIFE == b // LIFE and not any(first[a] <= time <= first[b] for time in empty)
    ]
    assert not lost, f"values lost between {lost[:5]}"
    hashes = {row.value for row in disk.samples["check"] if row.value == row.value}
    assert hashes == {float(check(one)) for one in seen}, "a check that belongs to no serial number, or one is missing"


def polled(disk: OnDisk) -> None:
    """Modbus: what was read together belongs together, numbers only rise, and gaps cover what was not read.

    A bad status holds until the next row: what the unit refused to tell was not left out.
    """
    at: dict[int, dict[str, float]] = {}
    for name in ("good", "serial", "check"):
        for row in disk.samples[name]:
            if row.status < BAD:
                at.setdefault(row.time, {})[name] = row.value
    now: dict[str, float] = {}
    before = 0
    for time in sorted(at):
        now |= at[time]
        serial = int(now["serial"])
        assert now["good"] == serial % LIFE, f"{now} at {time}: good and serial do not belong together"
        assert now["check"] == check(serial), f"{now} at {time}: the check is another value's"
        assert serial >= before, f"{serial} after {before}"
        before = serial
    told = sorted(disk.samples["serial"], key=lambda row: row.time)
    for a, b in itertools.pairwise(told):
        covered = sum(max(0, min(b.time, end) - max(a.time, start)) for start, end in disk.gaps)
        hole = (b.time - a.time - covered) / SECOND
        assert hole <= UNEXPLAINED_S or a.status >= BAD, f"{hole:.1f} s without a gap from {a} to {b}"
