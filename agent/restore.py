"""What an agent takes up from the ledger of its last run: totals, states, windows. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.counter import CounterState
from agent.figures.windows import Windows
from agent.ledger import Ledger, Observed, Reader
from agent.model import Inspection, Kind, Line, MachineState, Record, Verdict
from agent.refeed import ALL, Closed, Watched, closed_in, feed, state_in
from agent.shift import Calendar

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
    feed(reader, windows, Watched(devices, observed), since)
    windows.seal()
    return windows


def _last_closed(reader: Reader) -> dict[str, Closed]:
    """The last closed window of each kind in its latest revision."""
    told: dict[str, Closed] = {}
    for record in reader.records(Kind.KPI, limit=RECENT_FIGURES, newest=True):
        if not record.machine or record.body["name"] != "utilization":
            continue
        one = closed_in(record)
        last = told.get(one.window.kind, one)
        if (one.window.end, one.revision) >= (last.window.end, last.revision):
            told[one.window.kind] = one
    return told
