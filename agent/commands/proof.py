"""`tanchang verify ledger`: reads a ledger, or a copy of one, and says in words what does not hold. Writes nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.commands.against import Envelope, differences
from agent.commands.verify import FAR, Report, Row, Stated, examine
from agent.storage.reader import Reader
from agent.storage.record import BEGIN, DamagedError, LedgerError, based, record_of
from gateway import payload

SHOWN = 50
SQLITE = b"SQLite format 3\0"


def verify(path: Path, since: str | None, until: str | None, against: Path | None) -> int:
    """Print the proof; 0 where all holds, 1 where not, 2 where there is nothing to prove."""
    try:
        span = instant(since, 0), instant(until, FAR)
        with_other = [] if against is None else list(_differences(path, against))
        report, blocks = report_of(path)
    except DamagedError as error:
        print(f"WRONG {error}")
        return 1
    except (LedgerError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    wrong = [str(one) for one in report.violations if one.time is None or span[0] <= one.time < span[1]]
    wrong += blocks + with_other
    _table(report)
    for words in wrong[:SHOWN]:
        print(f"WRONG {words}")
    if len(wrong) > SHOWN:
        print(f"WRONG and {len(wrong) - SHOWN} more")
    print(f"{path}: {report.last} records, {len(wrong)} violations" + (f", against {against}" if against else ""))
    return 1 if wrong else 0


def instant(stamp: str | None, otherwise: int) -> int:
    """A time of the command line in ns, UTC where it names no zone; ValueError says how to write one."""
    if stamp is None:
        return otherwise
    try:
        time = datetime.fromisoformat(stamp)
    except ValueError:
        raise ValueError(f"{stamp} is no time: write one such as 2026-11-22T06:00:00Z") from None
    return payload.nanoseconds(time if time.tzinfo else time.replace(tzinfo=UTC))


def report_of(path: Path) -> tuple[Report, list[str]]:
    """What the records prove and which sample blocks are damaged, at one moment of the ledger."""
    reader = Reader(path)
    try:
        with reader.snapshot():
            meta = reader.meta()
            floor = int(meta.get("floor", "0"))
            stated = Stated(
                meta["root"],
                reader.counters(),
                reader.cursors(),
                floor,
                based(meta),
                int(meta.get("copied", "0")),
                int(meta.get("gone", "0")),
                meta.get("gone_root", BEGIN),
            )
            report = examine((Row(*row) for row in reader.rows()), stated)
            blocks = [f"{block} is not what was written" for block in reader.damaged_blocks()]
            return report, blocks
    finally:
        reader.close()


def _table(report: Report) -> None:
    print(f"{'counter':<28}{'epochs':>8}{'sum of deltas':>16}{'total':>10}")
    for (machine, counter), tally in sorted(report.tallies.items()):
        print(f"{machine + '.' + counter:<28}{tally.epoch + 1:>8}{tally.counted:>16}{tally.total:>10}")
    print("records: " + (", ".join(f"{number} {kind}" for kind, number in report.kinds.most_common()) or "none"))


def _differences(path: Path, against: Path) -> Iterator[str]:
    """What differs between a ledger and another account of it."""
    yield from differences(_envelopes(path), _envelopes(against))


def _envelopes(path: Path) -> Iterator[Envelope]:
    """The records of a ledger or of a file of JSON lines; lines that are no record are passed over."""
    if path.is_dir() or _is_sqlite(path):
        yield from _recorded(path)
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                value: Any = json.loads(line)
                if isinstance(value, dict) and {"ledger", "seq"} <= value.keys():
                    yield value
            except ValueError:
                raise ValueError(f"{path}, line {number}: not JSON; give one record envelope a line") from None


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _recorded(path: Path) -> Iterator[Envelope]:
    reader = Reader(path)
    try:
        with reader.snapshot():
            name = reader.id
            for row in reader.rows():
                yield payload.record(name, record_of(row))
    finally:
        reader.close()
