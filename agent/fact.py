"""The records of what happens on the line: kind, machine, time and body of each. Pure."""

from __future__ import annotations

from agent.live import Counted
from agent.machine import Change
from agent.model import Decision, Fault, Inspection, Kind, Kpi, Line, Machine, Plan, Record
from gateway import payload


def state(machine: Machine, change: Change, *, simulated: bool) -> Record:
    """A machine changed its state."""
    body = payload.state_body(machine, change.state, change.previous, change.not_before)
    return Record(Kind.STATE, machine.name, change.time, body, simulated)


def count(machine: str, one: Counted, *, simulated: bool) -> list[Record]:
    """A counter went on, and the gap that a reset or a long stop may hide; nothing where it stood still."""
    now, told = one.state, one.count
    records = []
    if told.delta or told.note:
        body = payload.count_body(one.counter, told.delta, now.total, now.epoch, now.raw, told.note)
        records.append(Record(Kind.COUNT, machine, one.time, body, simulated))
    if told.high > 0 and one.before is not None:
        what, cause = f"{machine}.{one.counter}", told.note or "wrap"
        body = payload.gap_body(what, cause, one.before.time, one.time, told.low, told.high)
        records.append(Record(Kind.GAP, machine, one.time, body, simulated))
    return records


def gap(device: str, machine: str, cause: str, start: int, end: int, *, simulated: bool) -> Record:
    """A device was not observed from start to end."""
    return Record(Kind.GAP, machine, end, payload.gap_body(device, cause, start, end), simulated)


def fault(machine: str, one: Fault, time: int, *, is_set: bool, simulated: bool) -> Record:
    """A fault began or ended."""
    return Record(Kind.FAULT, machine, time, payload.fault_body(one, is_set=is_set), simulated)


def figure(kpi: Kpi) -> Record:
    """A window is closed, or corrected."""
    return Record(Kind.KPI, kpi.machine, kpi.window.end, payload.figure(kpi), kpi.simulated)


def inspection(one: Inspection) -> Record:
    """A part was judged."""
    return Record(Kind.INSPECTION, one.machine, one.time, payload.inspection_body(one), one.simulated)


def decision(one: Decision, time: int) -> Record:
    """Somebody judged a part that an inspection asked about."""
    return Record(Kind.VERDICT, one.machine, time, payload.verdict_body(one), one.simulated)


def plan(line: Line, one: Plan, *, simulated: bool) -> Record:
    """An advice was given."""
    return Record(Kind.PLAN, "", one.time, payload.plan_body(line, one), simulated)
