"""The nouns as the panel's JSON, in the words of docs/wire.md. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent.model import (
    BAD,
    UNCERTAIN,
    DeviceNow,
    Fault,
    Inspection,
    Job,
    Kpi,
    Line,
    LineNow,
    Machine,
    MachineNow,
    Plan,
    Record,
    State,
    TagNow,
)
from gateway.panel.timeline import Segment

Json = dict[str, Any]
MILLISECOND = 1_000_000


def iso(time: int) -> str:
    """Plant nanoseconds as ISO 8601 UTC with milliseconds."""
    seconds, rest = divmod(time, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // MILLISECOND:03d}Z"


def figure(kpi: Kpi) -> Json:
    """A figure with all that qualifies it."""
    return {
        "name": kpi.name,
        "machine": kpi.machine,
        "window": {
            "kind": kpi.window.kind,
            "label": kpi.window.label,
            "start": iso(kpi.window.start),
            "end": iso(kpi.window.end),
        },
        "value": kpi.value,
        "unit": kpi.unit,
        "low": kpi.low,
        "high": kpi.high,
        "numerator": kpi.numerator,
        "denominator": kpi.denominator,
        "covered_s": kpi.covered,
        "expected_s": kpi.expected,
        "coverage": kpi.coverage,
        "target": kpi.target,
        "revision": kpi.revision,
        "closed": kpi.closed,
        "time": iso(kpi.time),
        "sim": kpi.simulated,
    }


def machine(line: Line, now: MachineNow) -> Json:
    """A station with its names and the stop reason in the line file's word."""
    known = next((m for m in line.machines if m.name == now.name), Machine(now.name, {}, {}))
    reason = now.state.reason
    return {
        "name": now.name,
        "display": dict(known.display),
        "state": now.state.state.value,
        "cause": now.state.cause.value if now.state.cause else None,
        "word": now.state.word,
        "reason": reason,
        "reason_word": known.stop_reasons.get(reason) if reason is not None else None,
        "since": iso(now.since),
        "observed": iso(now.observed),
        "good": now.good,
        "scrap": now.scrap,
        "cycle_s": _number(now.cycle_s),
        "quality": "unknown" if now.state.state is State.UNKNOWN else "good",
        "sim": now.simulated,
    }


def inspection(part: Inspection) -> Json:
    """One judged part."""
    return {
        "unit": part.unit,
        "machine": part.machine,
        "time": iso(part.time),
        "verdict": part.verdict.value,
        "score": _number(part.score),
        "image_score": _number(part.image_score),
        "process_score": _number(part.process_score),
        "defect": part.defect,
        "model": part.model,
        "evidence": part.evidence,
        "took_ms": _number(part.took_ms),
        "sim": part.simulated,
    }


def job(line: Line, planned: Job) -> Json:
    """A planned operation with the names of its product."""
    return {
        "order": planned.order,
        "product": planned.product,
        "display": dict(line.products.get(planned.product, {})),
        "operation": planned.operation,
        "machine": planned.machine,
        "start": iso(planned.start),
        "end": iso(planned.end),
        "setup_s": planned.setup_s,
        "quantity": planned.quantity,
        "reason": dict(planned.reason),
    }


def plan(line: Line, advice: Plan) -> Json:
    """Advice, in order of start."""
    return {
        "jobs": [job(line, planned) for planned in advice.jobs],
        "rung": advice.rung,
        "model": advice.model,
        "late": advice.late,
        "setup_share": _number(advice.setup_share),
        "time": iso(advice.time),
    }


def fault(known: Fault) -> Json:
    """What is wrong and what to do about it."""
    return {
        "source": known.source,
        "code": known.code,
        "message": known.message,
        "remedy": known.remedy,
        "since": iso(known.since),
    }


def record(fact: Record) -> Json:
    """One durable fact with its place in the ledger."""
    return {
        "seq": fact.seq,
        "kind": fact.kind.value,
        "machine": fact.machine,
        "time": iso(fact.time),
        "sim": fact.simulated,
        "value": dict(fact.body),
    }


def tag(now: TagNow) -> Json:
    """A value with its quality and age."""
    return {
        "name": now.name,
        "unit": now.unit,
        "value": _number(now.value) if isinstance(now.value, float | int) else now.value,
        "quality": quality(now.status),
        "status": now.status,
        "time": iso(now.source_time) if now.source_time else None,
        "age_s": _number(now.age_s),
    }


def device(now: DeviceNow, *, tags: bool) -> Json:
    """A link; with `tags` also every value it last brought."""
    whole: Json = {
        "name": now.name,
        "driver": now.driver,
        "address": now.address,
        "connected": now.connected,
        "age_s": _number(now.age_s),
        "latency_ms": _number(now.latency_ms),
        "batches": now.batches,
        "reconnects": now.reconnects,
        "vendor": now.origin.vendor,
        "product": now.origin.product,
        "sim": now.origin.simulated,
        "speed": now.origin.speed,
        "gap_since": iso(now.gap_since) if now.gap_since is not None else None,
        "tag_count": len(now.tags),
    }
    return whole | {"tags": [tag(value) for value in now.tags]} if tags else whole


def segment(span: Segment) -> Json:
    """One state of a time line."""
    return {"word": span.word, "reason": span.reason, "start": iso(span.start), "end": iso(span.end)}


def whole(line: Line, now: LineNow, devices: tuple[DeviceNow, ...], depth: Mapping[str, int], root: str) -> Json:
    """Everything the overview shows, as of one commit."""
    unknown = all(m.state.state is State.UNKNOWN for m in now.machines)
    return {
        "line": {
            "site": line.site,
            "area": line.area,
            "line": line.line,
            "display": dict(line.display),
            "takt_s": line.takt_s,
            "timezone": line.timezone,
            "machines": [m.name for m in line.machines],
        },
        "time": iso(now.time),
        "quality": "unknown" if unknown else "good",
        "sim": now.simulated,
        "speed": now.speed,
        "ledger": {"id": now.ledger, "seq": now.seq, "durable": now.durable, "depth": dict(depth), "root": root},
        "machines": [machine(line, m) for m in now.machines],
        "figures": [figure(kpi) for kpi in now.figures],
        "faults": [fault(known) for known in now.faults],
        "inspections": [inspection(part) for part in now.inspections],
        "plan": plan(line, now.plan) if now.plan else None,
        "devices": [device(link, tags=False) for link in devices],
    }


def quality(status: int) -> str:
    """good, uncertain or bad, from the severity bits of an OPC UA StatusCode."""
    if status & BAD:
        return "bad"
    return "uncertain" if status & UNCERTAIN else "good"


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
