"""`tanchang export`: records or samples of a ledger as a table, CSV or Parquet. Reads only, also a ledger in use."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from agent.model import Kind, Record
from agent.storage.reader import Reader
from agent.storage.record import LedgerError
from gateway import payload

HEAD = ("ledger", "seq", "kind", "machine", "time", "sim")
SAMPLE = ("device", "tag", "time", "source_time_ns", "value", "status")
PAGE = 1000
MISTAKE = 2
Cell = str | int | float | bool | None


class ExportError(Exception):
    """What was asked for cannot be exported; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Records of a kind, or samples of DEVICE.TAG, with since <= time < until (ns)."""

    kind: str | None
    samples: str | None
    since: int
    until: int


def export(path: Path, wanted: Wanted, form: str, out: Path | None) -> int:
    """Write the table to `out`, or CSV to standard output; the exit code."""
    write = {"csv": _csv, "parquet": _parquet}[form]
    try:
        reader = Reader(path)
        try:
            with reader.snapshot():
                columns, rows = _table(reader, wanted)
                number = write(columns, rows, out)
        finally:
            reader.close()
    except (ExportError, LedgerError, OSError) as error:
        print(error, file=sys.stderr)
        return MISTAKE
    print(f"{number} rows" + (f" in {out}" if out else ""), file=sys.stderr)
    return 0


def _table(reader: Reader, wanted: Wanted) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    """The columns and the rows of what is wanted."""
    if wanted.samples:
        return SAMPLE, _samples(reader, wanted)
    names = {name: None for record in _records(reader, wanted) for name in record.body}
    columns = [*HEAD, *(f"body_{name}" if name in HEAD else name for name in names)]
    return columns, (_cells(reader.id, record, names) for record in _records(reader, wanted))


def _records(reader: Reader, wanted: Wanted) -> Iterator[Record]:
    last = 0
    kind = Kind(wanted.kind) if wanted.kind else None
    while page := reader.records(kind, after=last, since=wanted.since, until=wanted.until, limit=PAGE):
        yield from page
        last = page[-1].seq


def _cells(ledger: str, one: Record, names: Mapping[str, None]) -> list[Cell]:
    """A record as a row; what is nested stands as JSON."""
    head: list[Cell] = [ledger, one.seq, one.kind.value, one.machine, payload.iso(one.time), one.simulated]
    body = (one.body.get(name) for name in names)
    cells = (json.dumps(cell, ensure_ascii=False) if isinstance(cell, (dict, list)) else cell for cell in body)
    return [*head, *cells]


def _samples(reader: Reader, wanted: Wanted) -> Iterator[Sequence[Cell]]:
    device, _, tag = (wanted.samples or "").partition(".")
    series = reader.samples(device, tag, wanted.since, wanted.until)
    if not len(series.value) and (device, tag) not in reader.tags():
        known = ", ".join(sorted(".".join(one) for one in reader.tags())) or "none"
        raise ExportError(f"the ledger holds no samples of {wanted.samples}; there are: {known}")
    for time, value, status in zip(*(column.tolist() for column in series), strict=True):
        # NaN is a text or nothing: an empty cell, as every reader of tables takes it
        yield device, tag, payload.iso(time), time, value if value == value else None, status


def _csv(columns: Sequence[str], rows: Iterator[Sequence[Cell]], out: Path | None) -> int:
    with out.open("w", encoding="utf-8", newline="") if out else nullcontext(sys.stdout) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        number = 0
        for row in rows:
            writer.writerow(row)
            number += 1
        return number


def _parquet(columns: Sequence[str], rows: Iterator[Sequence[Cell]], out: Path | None) -> int:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ExportError("Parquet needs pyarrow: pip install 'tanchang[parquet]', or use --format csv") from None
    if out is None:
        raise ExportError("Parquet is no text: name a file with --out")
    kept = list(rows)
    table = pa.table({name: [row[place] for row in kept] for place, name in enumerate(columns)})
    parquet.write_table(table, out, compression="zstd")
    return len(kept)
