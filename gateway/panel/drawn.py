"""The JSON of a machine's page and of a figure taken apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.figures.stops import Row as Pareto
from agent.figures.stops import within
from agent.model import Kpi, LineNow, Record, Window
from agent.storage.reader import Series
from gateway.panel.encode import quality
from gateway.panel.entries import Entry, Facts, Row
from gateway.panel.explain import Account
from gateway.panel.figures import Spread
from gateway.panel.view import Source
from gateway.payload import Json, figure, finite, iso, nanoseconds

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A link that told nothing from `start` to `end`, plant ns."""

    device: str
    cause: str
    start: int
    end: int
    seq: int = 0


def gap(record: Record) -> Gap:
    """The gap a record tells of."""
    start, end = (nanoseconds(datetime.fromisoformat(record.body[key])) for key in ("from", "to"))
    return Gap(str(record.body["what"]), str(record.body["cause"]), start, end, record.seq)


def window(one: Window) -> Json:
    """A window as docs/wire.md has it."""
    return {"kind": one.kind, "label": one.label, "start": iso(one.start), "end": iso(one.end)}


def spans(found: Sequence[tuple[int, int]]) -> list[Json]:
    """Stretches of time."""
    return [{"start": iso(start), "end": iso(end)} for start, end in found]


def source(one: Source) -> Json:
    """A tag that tells of a machine, with its place in the device."""
    return {
        "role": one.role,
        "device": one.device,
        "tag": one.tag,
        "unit": one.unit,
        "address": one.address,
        "datatype": one.datatype,
        "every_s": one.every_s,
        "words": dict(one.words),
    }


def stop(one: Pareto) -> Json:
    """A cause of standstill."""
    return {
        "word": one.word, "reason": one.reason, "seconds": one.seconds, "times": one.stops, "longest": one.longest,
    }  # fmt: skip


def spread(one: Spread, target: float) -> Json:
    """The histogram of cycles."""
    return {
        "count": one.count, "start": one.start, "step": one.step, "bins": list(one.bins), "over": one.over,
        "median": one.median, "p95": one.p95, "slower": one.slower, "target": target,
    }  # fmt: skip


def points(found: Sequence[tuple[int, float | None]]) -> list[list[float | None]]:
    """Time in ms since 1970 and value; null breaks the line."""
    return [[time // MS, finite(value)] for time, value in found]


def samples(before: Series, found: Series, limit: int) -> Json:
    """Raw samples, the one that stood before them first; `more` is how many were left out."""
    rows = [_sample(before, len(before.source_time) - 1)] if len(before.source_time) else []
    count = len(found.source_time)
    shown = [_sample(found, row) for row in range(min(count, limit))]
    return {"before": rows, "samples": shown, "more": max(0, count - limit)}


def _sample(series: Series, row: int) -> Json:
    status = int(series.status[row])
    time, value = int(series.source_time[row]), finite(float(series.value[row]))
    return {"time": iso(time), "value": value, "status": status, "quality": quality(status)}


def explained(
    now: LineNow,
    one: Kpi,
    facts: Facts,
    found: Account,
    sources: Mapping[str, Sequence[Source]],
    gaps: Sequence[Gap],
) -> Json:
    """A figure with the rows it is the sum of, its gaps and the tags behind each row."""
    start, end = one.window.start, min(one.time, one.window.end)
    rows = found.rows
    machines = {row.machine for row in rows if row.machine} or ({one.machine} & sources.keys()) or sources.keys()
    devices = {tag.device for name in machines for tag in sources[name] if tag.role == "state"}
    mine = [gap for gap in gaps if gap.device in devices and gap.start < end]
    return {
        "figure": figure(one),
        "seq": now.seq,
        "numerator": found.numerator,
        "denominator": found.denominator,
        "agrees": found.agrees(one),
        "planned_s": within(facts.planned, start, end) / 1e9,
        "planned": spans([(max(a, start), min(b, end)) for a, b in facts.planned if a < end and b > start]),
        "rows": [_row(row, sources) for row in rows],
        "gaps": [_gap(gap) for gap in mine],
        "sim": one.simulated,
    }


def _gap(one: Gap) -> Json:
    return {"device": one.device, "cause": one.cause, "start": iso(one.start), "end": iso(one.end), "seq": one.seq}


def _row(row: Row, sources: Mapping[str, Sequence[Source]]) -> Json:
    role = {"state": "state", "stop": "state", "count": row.word.partition("-")[0]}.get(row.kind)
    tag = next((one for one in sources.get(row.machine, ()) if one.role == role), None)
    return {
        "machine": row.machine,
        "kind": row.kind,
        "word": row.word,
        "amount": row.amount,
        "numerator": row.numerator,
        "denominator": row.denominator,
        "each": row.each,
        "source": source(tag) if tag else None,
        "entries": [_entry(one) for one in row.entries],
    }


def _entry(one: Entry) -> Json:
    return {"seq": one.seq, "start": iso(one.start), "end": iso(one.end), "amount": one.amount, "note": one.note}
