"""The panel's JSON: the payloads of docs/wire.md put together for pages, plus links and tags. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.figures.times import BLOCKED, STARVED, bottleneck
from agent.model import (
    BAD,
    UNCERTAIN,
    DeviceNow,
    Inspection,
    Line,
    LineNow,
    Machine,
    MachineNow,
    State,
    TagNow,
    TimeModel,
)
from gateway.panel.timeline import Segment
from gateway.payload import Json, fault, figure, finite, inspection_body, iso, plan_body, state


def whole(line: Line, now: LineNow, devices: Iterable[DeviceNow], depth: Mapping[str, int], root: str) -> Json:
    """Everything the overview shows, as of one commit."""
    known = {machine.name: machine for machine in line.machines}
    return {
        "line": {
            "site": line.site,
            "area": line.area,
            "line": line.line,
            "display": dict(line.display),
            "takt_s": line.takt_s,
            "least_coverage": line.least_coverage,
            "timezone": line.timezone,
        },
        "time": iso(now.time),
        "quality": "good" if any(m.state.state is not State.UNKNOWN for m in now.machines) else "unknown",
        "sim": now.simulated,
        "speed": now.speed,
        "ledger": {"id": now.ledger, "seq": now.seq, "durable": now.durable, "depth": dict(depth), "root": root},
        "machines": [machine(known[m.name], m) for m in now.machines],
        "figures": [figure(kpi) for kpi in now.figures],
        "times": {kind: time_models(found) for kind, found in now.times.items()},
        "faults": [fault(known_fault) for known_fault in now.faults],
        "inspections": [inspection(part) for part in now.inspections],
        "plan": plan_body(line, now.plan) | {"time": iso(now.plan.time)} if now.plan else None,
        "devices": [device(link) for link in devices],
    }


def time_models(found: Sequence[TimeModel]) -> Json:
    """Seconds of every machine's window so far, and which station limits the line."""
    limit = bottleneck(found)
    return {
        "machines": [_time_model(one) for one in found],
        "bottleneck": limit and {"machine": limit.machine, "waiting": limit.waiting, "margin": limit.margin},
    }


def _time_model(one: TimeModel) -> Json:
    return {
        "machine": one.machine,
        "calendar_s": one.calendar,
        "planned_s": one.planned,
        "observed_s": one.observed,
        "busy_s": one.busy,
        "productive_s": one.productive,
        "unknown_s": one.unknown,
        "starved_s": one.states.get(STARVED, 0.0),
        "blocked_s": one.states.get(BLOCKED, 0.0),
    }


def machine(known: Machine, now: MachineNow) -> Json:
    """A station with its names and the stop reason in the line file's word."""
    return {
        "name": now.name,
        "display": dict(known.display),
        **state(known, now.state),
        "since": iso(now.since),
        "observed": iso(now.observed),
        "good": now.good,
        "scrap": now.scrap,
        "cycle_s": finite(now.cycle_s),
        "quality": "unknown" if now.state.state is State.UNKNOWN else "good",
        "sim": now.simulated,
    }


def inspection(part: Inspection) -> Json:
    """One judged part with its machine and time."""
    return {**inspection_body(part), "machine": part.machine, "time": iso(part.time), "sim": part.simulated}


def device(now: DeviceNow) -> Json:
    """A link without its tags."""
    return {
        "name": now.name,
        "driver": now.driver,
        "address": now.address,
        "connected": now.connected,
        "age_s": finite(now.age_s),
        "latency_ms": finite(now.latency_ms),
        "batches": now.batches,
        "reconnects": now.reconnects,
        "vendor": now.origin.vendor,
        "product": now.origin.product,
        "sim": now.origin.simulated,
        "speed": now.origin.speed,
        "gap_since": iso(now.gap_since) if now.gap_since is not None else None,
        "tag_count": len(now.tags),
    }


def device_with_tags(now: DeviceNow) -> Json:
    """A link with every value it last brought."""
    return {**device(now), "tags": [tag(value) for value in now.tags]}


def tag(now: TagNow) -> Json:
    """A value with its quality and age."""
    return {
        "name": now.name,
        "unit": now.unit,
        "value": now.value if isinstance(now.value, str) else finite(now.value),
        "quality": quality(now.status),
        "status": now.status,
        "time": iso(now.source_time) if now.source_time else None,
        "age_s": finite(now.age_s),
    }


def segment(span: Segment) -> Json:
    """One state of a time line."""
    return {"word": span.word, "reason": span.reason, "start": iso(span.start), "end": iso(span.end), "seq": span.seq}


def quality(status: int) -> str:
    """good, uncertain or bad, from the severity bits of an OPC UA StatusCode."""
    if status & BAD:
        return "bad"
    return "uncertain" if status & UNCERTAIN else "good"
