"""What an agent takes up from the ledger of its last run: totals, states, windows. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.counter import CounterState
from agent.ledger import Ledger, Observed, Reader
from agent.live import Span
from agent.model import UNKNOWN, Cause, Inspection, Kind, Line, MachineState, Record, State, Verdict, Window
from agent.shift import Calendar
from agent.windows import Windows
from gateway.payload import nanoseconds

ALL = 2**62
RECENT_FIGURES = 2000
LAST_INSPECTIONS = 20


@dataclass(frozen=True, slots=True)
class Known:
    """A machine's last recorded state."""

    state: MachineState
    since: int
    simulated: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the last run ended. `faults` are the bodies of those that were set and not cleared."""

    counters: Mapping[tuple[str, str], CounterState]
    observed: Mapping[str, Observed]
    states: Mapping[str, Known]
    windows: Windows
    inspections: Sequence[Inspection]
    faults: Sequence[Mapping[str, Any]]
    simulated: bool


def restored(ledger: Ledger, line: Line, calendar: Calendar, devices: Mapping[str, str]) -> Restored:
    """Read it all; `devices` names the device that tells each machine's state."""
    reader = Reader(ledger.folder)
    try:
        windows = _windows(reader, line, calendar, ledger.observed, devices)
        states = {}
        for machine in devices:
            for record in reader.records(Kind.STATE, machine, limit=1, newest=True):
                states[machine] = Known(state_in(record.body), record.time, record.simulated)
        last = reader.records(Kind.INSPECTION, limit=LAST_INSPECTIONS, newest=True)
        return Restored(
            ledger.counters,
            ledger.observed,
            states,
            windows,
            [inspection_in(record) for record in reversed(last)],
            _open_faults(reader),
            any(known.simulated for known in states.values()),
        )
    finally:
        reader.close()


def state_in(body: Mapping[str, Any]) -> MachineState:
    """The state a record's body tells."""
    cause = body["cause"]
    return MachineState(State(body["state"]), Cause(cause) if cause else None, body["reason"])


def inspection_in(record: Record) -> Inspection:
    """The inspection a record tells."""
    body = dict(record.body)
    verdict = Verdict(body.pop("verdict"))
    return Inspection(machine=record.machine, time=record.time, verdict=verdict, simulated=record.simulated, **body)


def _open_faults(reader: Reader) -> list[Mapping[str, Any]]:
    faults: dict[tuple[str, str], Mapping[str, Any]] = {}
    for record in reader.records(Kind.FAULT, limit=ALL):
        key = record.body["source"], record.body["code"]
        faults.pop(key, None)
        if record.body["set"]:
            faults[key] = record.body
    return list(faults.values())


def _windows(
    reader: Reader, line: Line, calendar: Calendar, observed: Mapping[str, Observed], devices: Mapping[str, str]
) -> Windows:
    """The windows that were open, fed again with all that is recorded of them."""
    told = _last_closed(reader)
    closed = {kind: one.window.end for kind, one in told.items()}
    windows = Windows(line, calendar, closed)
    first = reader.records(Kind.STATE, limit=1)
    watched = [observed[device].time for device in devices.values() if device in observed]
    if not first or not watched:
        return windows
    windows.advance(closed.get("hour", first[0].time))
    windows.advance(max(watched))
    for one in told.values():
        windows.reopen(one.window, one.revision, one.planned_s)
    since = min((entry.book.window.start for entry in windows.entries), default=max(watched))
    for machine, device in devices.items():
        until = observed[device].time if device in observed else 0
        _feed_states(reader, windows, machine, since, until)
    _feed_parts(reader, windows, since)
    windows.seal()
    return windows


@dataclass(frozen=True, slots=True)
class _Closed:
    """A window as it was told last; `planned_s` is a machine's planned time in it."""

    window: Window
    revision: int
    planned_s: float


def _last_closed(reader: Reader) -> dict[str, _Closed]:
    """The last closed window of each kind in its latest revision."""
    told: dict[str, _Closed] = {}
    for record in reader.records(Kind.KPI, limit=RECENT_FIGURES, newest=True):
        if not record.machine or record.body["name"] != "utilization":
            continue
        body = record.body["window"]
        start, end = (nanoseconds(datetime.fromisoformat(body[key])) for key in ("start", "end"))
        window = Window(body["kind"], body["label"], start, end)
        one = _Closed(window, int(record.body["revision"]), float(record.body["expected_s"]))
        last = told.get(window.kind, one)
        if (window.end, one.revision) >= (last.window.end, last.revision):
            told[window.kind] = one
    return told


def _feed_states(reader: Reader, windows: Windows, machine: str, since: int, until: int) -> None:
    """Each state up to the next one, the last one as far as it was observed."""
    before = reader.records(Kind.STATE, machine, until=since, limit=1, newest=True)
    state, start, simulated = UNKNOWN, since, False
    for record in before + reader.records(Kind.STATE, machine, since=since, limit=ALL):
        windows.span(machine, Span(state, start, record.time), simulated=simulated)
        state, start, simulated = state_in(record.body), record.time, record.simulated
    windows.span(machine, Span(state, start, until), simulated=simulated)


def _feed_parts(reader: Reader, windows: Windows, since: int) -> None:
    for record in reader.records(Kind.COUNT, since=since, limit=ALL):
        late = record.body["note"] in ("late", "restart")
        counter, delta = record.body["counter"], record.body["delta"]
        windows.parts(record.machine, counter, delta, record.time, late=late, simulated=record.simulated)
    for record in reader.records(Kind.INSPECTION, since=since, limit=ALL):
        verdict = Verdict(record.body["verdict"])
        windows.verdict(record.machine, verdict, record.time, simulated=record.simulated)
