"""Windows fed again with what the ledger holds of them: after a restart, and where somebody judges a part later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.figures.windows import Entry, Windows
from agent.ledger import Observed, Reader
from agent.live import Span
from agent.model import SECOND, UNKNOWN, Cause, Decision, Kind, Line, MachineState, Record, State, Verdict, Window
from agent.shift import Calendar
from gateway.payload import nanoseconds

ALL = 2**62
LATE = 3600 * SECOND  # how much later than others one machine may have been recorded
LONGEST = 26 * 3600 * SECOND  # of a window, the day that summer time ends included


@dataclass(frozen=True, slots=True)
class Closed:
    """A window as it was told last; `planned_s` is a machine's planned time in it."""

    window: Window
    revision: int
    planned_s: float


@dataclass(frozen=True, slots=True)
class Watched:
    """The device that tells each machine's state, and up to when each device was observed."""

    devices: Mapping[str, str]
    observed: Mapping[str, Observed]

    def until(self, machine: str) -> int:
        """Up to when the machine's state was observed; 0 where it never was."""
        device = self.devices[machine]
        return self.observed[device].time if device in self.observed else 0


def closed_in(record: Record) -> Closed:
    """The window that a machine's utilization was told of."""
    body = record.body["window"]
    window = Window(body["kind"], body["label"], _time(body["start"]), _time(body["end"]))
    return Closed(window, int(record.body["revision"]), float(record.body["expected_s"]))


def state_in(body: Mapping[str, Any]) -> MachineState:
    """The state a record's body tells."""
    cause = body["cause"]
    return MachineState(State(body["state"]), Cause(cause) if cause else None, body["reason"])


def feed(reader: Reader, windows: Windows, watched: Watched, since: int, after: int = 0) -> None:
    """All that is recorded from `since` on, of records beyond `after`."""
    for machine in watched.devices:
        _states(reader, windows, machine, since, watched.until(machine))
    for record in reader.records(Kind.COUNT, after=after, since=since, limit=ALL):
        late = record.body["note"] in ("late", "restart")
        counter, delta = record.body["counter"], record.body["delta"]
        windows.parts(record.machine, counter, delta, record.time, late=late, simulated=record.simulated)
    for record in reader.records(Kind.INSPECTION, after=after, since=since, limit=ALL):
        verdict = Verdict(record.body["verdict"])
        windows.verdict(record.machine, verdict, record.time, simulated=record.simulated)
    for record in reader.records(Kind.VERDICT, after=after, since=since, limit=ALL):
        verdict, instead = Verdict(record.body["verdict"]), Verdict(record.body["instead"])
        made = _time(record.body["made"])
        windows.verdict(record.machine, verdict, made, simulated=record.simulated, instead=instead)


def past(reader: Reader, line: Line, calendar: Calendar, watched: Watched, one: Decision) -> list[Entry]:
    """The windows that hold the part and were told closed, as they were told last.

    None where the records they are made of have begun to give way to newer ones.
    """
    told: dict[Window, Closed] = {}
    name = line.machines[0].name
    until = one.made + LONGEST
    for record in reader.records(Kind.KPI, name, after=one.inspection, since=one.made, until=until, limit=ALL):
        if record.body["name"] == "utilization" and (found := closed_in(record)).window.start <= one.made:
            told[found.window] = found
    told = {window: found for window, found in told.items() if one.made < window.end}
    oldest = reader.records(limit=1)
    if not told or not oldest or (oldest[0].seq > 1 and oldest[0].time > min(window.start for window in told)):
        return []
    windows = Windows(line, calendar, {window.kind: until for window in told})  # all of them are closed
    for found in told.values():
        windows.reopen(found.window, found.revision, found.planned_s)
    since = min(window.start for window in told)
    feed(reader, windows, watched, since, _floor(reader, watched, since))
    windows.seal()
    return windows.entries


def _floor(reader: Reader, watched: Watched, since: int) -> int:
    """A seq before everything that was recorded of `since` and after."""
    found = [reader.records(Kind.STATE, name, until=since - LATE, limit=1, newest=True) for name in watched.devices]
    return min((records[0].seq for records in found if records), default=0) if all(found) else 0


def _states(reader: Reader, windows: Windows, machine: str, since: int, until: int) -> None:
    """Each state up to the next one, the last one as far as it was observed."""
    before = reader.records(Kind.STATE, machine, until=since, limit=1, newest=True)
    after = before[0].seq if before else 0
    state, start, simulated = UNKNOWN, since, False
    for record in before + _later(reader, machine, since, after):
        windows.span(machine, Span(state, start, record.time), simulated=simulated)
        state, start, simulated = state_in(record.body), record.time, record.simulated
    windows.span(machine, Span(state, start, until), simulated=simulated)


def _later(reader: Reader, machine: str, since: int, after: int) -> list[Record]:
    return reader.records(Kind.STATE, machine, after=after, since=since, limit=ALL)


def _time(stamp: str) -> int:
    return nanoseconds(datetime.fromisoformat(stamp))
