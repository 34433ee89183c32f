"""The nouns as the JSON of docs/wire.md: record bodies, their envelope, figures and plans. Pure.

One encoder for MQTT, panel and tour. The live lane is put together in gateway.live.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.clock import Fact
from agent.model import (
    SECOND,
    Decision,
    Fault,
    Inspection,
    Job,
    Kind,
    Kpi,
    Line,
    Machine,
    MachineState,
    Order,
    Plan,
    Record,
    State,
)

Json = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = 1_000_000
WELL_COVERED = 0.98
DOUBTFUL_NOTES = ("reset", "suspect")


def iso(time: int) -> str:
    """Nanoseconds as ISO 8601 UTC with milliseconds."""
    stamp = EPOCH + timedelta(milliseconds=time // MILLISECOND)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def nanoseconds(stamp: datetime) -> int:
    """An aware datetime as nanoseconds since 1970 UTC."""
    return (stamp - EPOCH) // timedelta(microseconds=1) * 1000


def encode(payload: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8. ValueError for a number JSON does not know."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def figure(kpi: Kpi) -> Json:
    """A figure with all that belongs to it."""
    window = kpi.window
    return {
        "name": kpi.name,
        "machine": kpi.machine,
        "window": {"kind": window.kind, "label": window.label, "start": iso(window.start), "end": iso(window.end)},
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


def state(machine: Machine, now: MachineState) -> Json:
    """A state in code and words; the reason's word from the machine's stop codes, None for one not listed."""
    return {
        "state": now.state.value,
        "cause": now.cause.value if now.cause else None,
        "word": now.word,
        "reason": now.reason,
        "reason_word": machine.stop_reasons.get(now.reason) if now.reason is not None else None,
    }


def state_body(machine: Machine, now: MachineState, previous: MachineState, not_before: int) -> Json:
    """A change of state; `previous` keeps its word only."""
    return {**state(machine, now), "previous": previous.word, "not_before": iso(not_before)}


def count_body(counter: str, delta: int, total: int, epoch: int, raw: int | None, note: str | None) -> Json:
    """Parts counted; `raw` is the PLC's own total, `note` what was odd about it."""
    return {"counter": counter, "delta": delta, "total": total, "epoch": epoch, "raw": raw, "note": note}


def inspection_body(inspection: Inspection) -> Json:
    """One judged part; machine and time stand in the envelope."""
    return {
        "unit": inspection.unit,
        "verdict": inspection.verdict.value,
        "score": inspection.score,
        "image_score": inspection.image_score,
        "process_score": inspection.process_score,
        "defect": inspection.defect,
        "model": inspection.model,
        "evidence": inspection.evidence,
        "took_ms": inspection.took_ms,
    }


def plan_body(line: Line, plan: Plan) -> Json:
    """Advice, in order of start, with the products' display names."""
    return {
        "jobs": [_job(line, job) for job in plan.jobs],
        "rung": plan.rung,
        "model": plan.model,
        "late": plan.late,
        "setup_share": plan.setup_share,
    }


def _job(line: Line, job: Job) -> Json:
    return {
        "order": job.order,
        "product": job.product,
        "display": dict(line.products.get(job.product, {})),
        "operation": job.operation,
        "machine": job.machine,
        "start": iso(job.start),
        "end": iso(job.end),
        "setup_s": job.setup_s,
        "quantity": job.quantity,
        "reason": dict(job.reason),
    }


def fault(one: Fault) -> Json:
    """A fault as it stands."""
    return {
        "source": one.source,
        "code": one.code,
        "message": one.message,
        "remedy": one.remedy,
        "since": iso(one.since),
    }


def fault_body(one: Fault, *, is_set: bool) -> Json:
    """`is_set` False tells that it is over."""
    return {**fault(one), "set": is_set}


def gap_body(what: str, cause: str, start: int, end: int, low: int | None = None, high: int | None = None) -> Json:
    """What was not seen from start to end; the bounds in parts where a counter tells."""
    return {"what": what, "cause": cause, "from": iso(start), "to": iso(end), "low": low, "high": high}


def order_body(order: Order) -> Json:
    """An order as taken."""
    return {
        "order": order.order,
        "product": order.product,
        "quantity": order.quantity,
        "due": iso(order.due),
        "weight": order.weight,
    }


def audit_body(event: str, version: str, detail: str = "", by: str = "", role: str = "") -> Json:
    """Something the agent did, or somebody on its panel: then `by` is the id of a user, never a name."""
    return {"event": event, "version": version, "detail": detail} | ({"by": by, "role": role} if by or role else {})


def clock_body(version: str, fact: Fact) -> Json:
    """What happened to the gateway's own clock, with both clocks: `mono_s` of the monotonic one, and wall times."""
    offsets = None if fact.offsets is None else list(fact.offsets)
    numbers = {"mono_s": round(fact.mono / SECOND, 3), "step_s": round(fact.step_s, 3), "offsets_s": offsets}
    clock = {"moved": fact.moved.value, "before": iso(fact.before), "after": iso(fact.after), **numbers}
    detail = f"{fact.moved.value}: {clock['before']} became {clock['after']}"
    return {**audit_body("clock", version, detail), "clock": clock}


def reason_body(stop: int, start: int, word: str, was: int | None, by: str, role: str) -> Json:
    """Why a machine stopped, as the user of id `by` says; `stop`, `was`: seq of the state and of the reason before."""
    return {"stop": stop, "start": iso(start), "reason_word": word, "was": was, "by": by, "role": role}


def verdict_body(one: Decision) -> Json:
    """What somebody says of a part that an inspection asked about; machine stands in the envelope."""
    return {
        "inspection": one.inspection,
        "unit": one.unit,
        "made": iso(one.made),
        "verdict": one.verdict.value,
        "instead": one.instead.value,
        "was": one.was,
        "by": one.by,
        "role": one.role,
    }


def record(ledger: str, one: Record) -> Json:
    """A committed record in its envelope: what the record lane carries and a consumer counts once."""
    return {
        "ledger": ledger,
        "seq": one.seq,
        "kind": one.kind.value,
        "machine": one.machine,
        "time": iso(one.time),
        "quality": _quality(one),
        "sim": one.simulated,
        "value": dict(one.body),
    }


def _quality(one: Record) -> str:
    """How far the record's value may be trusted, from what the value itself says."""
    body = one.body
    if one.kind is Kind.GAP or (one.kind is Kind.STATE and body.get("state") == State.UNKNOWN.value):
        return "unknown"
    if one.kind is Kind.KPI:
        return figure_quality(body.get("value"), float(body.get("coverage", 0.0)))
    return "uncertain" if one.kind is Kind.COUNT and body.get("note") in DOUBTFUL_NOTES else "good"


def figure_quality(value: float | None, coverage: float) -> str:
    """`unknown` without a value, `uncertain` where more than 2 % of the time was not seen."""
    if value is None:
        return "unknown"
    return "good" if coverage >= WELL_COVERED else "uncertain"


def finite(value: float | None) -> float | None:
    """The number, None for what JSON cannot say."""
    return value if value is not None and math.isfinite(value) else None
