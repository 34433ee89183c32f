"""The line in memory: what each event does to it and which records tell of it. No clock, no disk.

`mono` is the wall's monotonic clock and all other times are plant time, both in ns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent import fact, faults
from agent.counter import CounterState
from agent.figures.windows import Entry, Windows, current
from agent.ledger import Observed
from agent.live import Counted, CounterRule, DeviceRule, Link, MachineRule, Meter, Station
from agent.machine import Change
from agent.model import (
    SECOND,
    UNKNOWN,
    Batch,
    Decision,
    Fault,
    Inspection,
    Kind,
    Kpi,
    Line,
    MachineNow,
    Origin,
    Plan,
    Record,
    TimeModel,
    Window,
)
from agent.restore import LAST_INSPECTIONS, Restored
from agent.shift import Calendar

SETTLE = 2 * SECOND  # wall time after which what was not observed counts as missing

CLOCK_STEP = 60 * SECOND  # a device's clock that is this far back was set, not read late


@dataclass(frozen=True, slots=True)
class Shown:
    """The line as it was at one moment; `time` is up to when any machine was observed."""

    number: int
    time: int
    machines: tuple[MachineNow, ...]
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    inspections: tuple[Inspection, ...]
    plan: Plan | None

    def figures(self, time: int, speed: float) -> tuple[Kpi, ...]:
        """The figures of the current windows at plant time `time`: they go on losing what nobody observes."""
        due = self._due(time, speed)
        return tuple(kpi for entry in current(self.entries, due) for kpi in entry.figures(due))

    def times(self, time: int, speed: float) -> dict[str, tuple[TimeModel, ...]]:
        """The time models of the current windows by kind, as of the same moment as the figures."""
        due = self._due(time, speed)
        return {entry.book.window.kind: entry.times(due) for entry in current(self.entries, due)}

    def _due(self, time: int, speed: float) -> int:
        return max(self.time, time - int(SETTLE * speed))


@dataclass(slots=True)
class Told:
    """What an event has to leave on disk."""

    records: list[Record] = field(default_factory=list)
    counters: dict[tuple[str, str], CounterState] = field(default_factory=dict)


class Plant:
    """Machines, links, windows and faults of one line. Every method that returns records has changed it already."""

    def __init__(
        self,
        line: Line,
        rules: Sequence[MachineRule],
        devices: Sequence[DeviceRule],
        calendar: Calendar,
        started: int,
        meter: CounterRule | None = None,
    ) -> None:
        self.line = line
        self._meter = Meter(meter) if meter else None
        self.stations = {rule.name: Station(rule) for rule in rules}
        wanted = {tag for station in self.stations.values() for tag in station.tags} | ({meter.tag} if meter else set())
        self.links = {one.name: Link(one, {tag.tag for tag in wanted if tag.device == one.name}) for one in devices}
        self.inspections: deque[Inspection] = deque(maxlen=LAST_INSPECTIONS)
        self.advice: Plan | None = None
        self._machines = {machine.name: machine for machine in line.machines}
        self._watching = sorted({station.rule.state.device for station in self.stations.values()})
        self._windows = Windows(line, calendar)
        self._faults: dict[tuple[str, str], Fault] = {}
        self._time = self._started = started
        self._known_time = False
        self._number = 0

    @property
    def simulated(self) -> bool:
        """Whether any machine is."""
        return any(station.simulated for station in self.stations.values())

    @property
    def speed(self) -> float:
        """Seconds of plant time in a second of wall time."""
        return max((self.links[name].origin.speed for name in self._watching), default=1.0)

    def time(self, mono: int) -> int:
        """The plant's clock now, carried on from the machines' devices; never goes back. The start before any spoke."""
        times = [self.links[name].plant_time(mono) for name in self._watching]
        known = [time for time in times if time is not None]
        if known:
            self._time = max(self._time, *known) if self._known_time else max(known)
            self._known_time = True
        return self._time

    def observed(self) -> dict[str, Observed]:
        """Up to when each device was observed."""
        times = {name: (link.time, link.gap_cause) for name, link in self.links.items()}
        return {name: Observed(time, cause) for name, (time, cause) in times.items() if time is not None}

    def restore(self, past: Restored) -> list[Record]:
        """Go on where the last run ended: machines are UNKNOWN since it last looked, its faults are over."""
        self._windows = past.windows
        self.inspections.extend(past.inspections)
        if self._meter is not None:
            self._meter.state = past.counters.get(("", self._meter.counter))
        for name, station in self.stations.items():
            station.restore(past.counters)
            if name in past.states:
                station.simulated = past.states[name].simulated
        for name, observed in past.observed.items():
            if name in self.links:
                self.links[name].time, self.links[name].gap_cause = observed.time, observed.cause or "agent_down"
        records = []
        for name, known in past.states.items():
            station = self.stations[name]
            station.tracker.restore(known.state, known.since, self.links[station.rule.state.device].time or 0)
            records += self._changed(station, station.tracker.lose())
        now = self.time(0)
        return records + [self._over(body, now, simulated=past.simulated) for body in past.faults]

    def opened(self, device: str, origin: Origin, mono: int) -> None:
        """A link is up; nothing is observed before its first batch."""
        self.links[device].open(origin, mono)
        for station in self._told_by(device):
            station.simulated |= self.links[device].origin.simulated

    def lost(self, device: str, fault: Fault | None, mono: int) -> list[Record]:
        """A link is gone: its machines are UNKNOWN from its last batch on."""
        link = self.links[device]
        link.lose(fault.code if fault else "closed")
        changes = [(station, station.tracker.lose()) for station in self._told_by(device)]
        records = [record for one in changes for record in self._changed(*one)]
        return records + (self.set(fault, mono) if fault else [])

    def take(self, device: str, batch: Batch, mono: int) -> Told:
        """A batch came. A gap ends with it."""
        link = self.links[device]
        unseen = None if link.fresh else "late" if link.batches else "restart"
        # a device that tells no machine's state need not carry the plant's clock
        until = batch.time if device in self._watching else self.time(mono)
        told = Told(self._resume(device, until))
        boot = None if link.fresh else link.boot(until, mono)
        rows = link.take(batch, until, mono)
        self._windows.advance(until)
        if self._meter is not None:
            for one in self._meter.take(device, rows, until, unseen, boot):
                told.counters["", one.counter] = one.state
                told.records += self._counted("", one, mono, late=unseen is not None, simulated=link.origin.simulated)
        for station in self.stations.values():
            if not station.hears(device):
                continue
            seen = station.take(device, rows, until, unseen, boot)
            for span in seen.spans:
                self._windows.span(station.rule.name, span, simulated=station.simulated)
            told.records += self._changed(station, seen.changes)
            for one in seen.counted:
                name, simulated = station.rule.name, station.simulated
                told.counters[name, one.counter] = one.state
                told.records += self._counted(name, one, mono, late=unseen is not None, simulated=simulated)
        return told

    def inspect(self, inspection: Inspection) -> Record:
        """A part was judged."""
        self.inspections.append(inspection)
        simulated = inspection.simulated
        self._windows.verdict(inspection.machine, inspection.verdict, inspection.time, simulated=simulated)
        return fact.inspection(inspection)

    def windows_at(self, time: int) -> list[Window]:
        """The windows in work that hold a part made at `time`."""
        return self._windows.in_work(time)

    def decide(self, one: Decision, past: Sequence[Entry], mono: int) -> list[Record]:
        """Somebody judged a part an inspection asked about; `past` are the closed windows that hold it, read again."""
        figures = self._windows.decide(one, past)
        told = fact.decision(one, max(one.made, self.time(mono)))
        return [told, *(fact.figure(kpi) for page in figures for kpi in page)]

    def plan(self, plan: Plan) -> Record:
        """An advice was given."""
        self.advice = plan
        return fact.plan(self.line, plan, simulated=self.simulated)

    def set(self, fault: Fault, mono: int) -> list[Record]:
        """A fault began; nothing where it is set already."""
        if (fault.source, fault.code) in self._faults:
            return []
        self._faults[fault.source, fault.code] = fault
        return [self._fault(fault, mono, is_set=True)]

    def has_fault(self, source: str, code: str) -> bool:
        """Whether it is set."""
        return (source, code) in self._faults

    def clear(self, source: str, code: str | None, mono: int) -> dict[Fault, Record]:
        """The source's faults (or one of them) are over: those that were set."""
        over = [one for (name, word), one in self._faults.items() if name == source and code in (None, word)]
        for one in over:
            del self._faults[one.source, one.code]
        return {one: self._fault(one, mono, is_set=False) for one in over}

    def close_windows(self, mono: int) -> list[Record]:
        """Figures of the windows that are over by now, each once, and corrections."""
        time = self.time(mono)
        if not self._known_time:
            return []
        self._windows.advance(time)
        links = [self.links[name] for name in self._watching]
        passed_by_all = min((link.time for link in links if link.fresh and link.time is not None), default=0)
        closed = self._windows.close(time, passed_by_all, mono)
        return [fact.figure(kpi) for figures in closed for kpi in figures]

    def look(self) -> Shown:
        """The line as it is; what happens later does not change it."""
        self._number += 1
        times = [time for name in self._watching if (time := self.links[name].time) is not None]
        return Shown(
            self._number,
            max(times, default=self._time),
            tuple(station.now(self._started) for station in self.stations.values()),
            tuple(self._windows.look()),
            tuple(self._faults.values()),
            tuple(self.inspections),
            self.advice,
        )

    def machines(self, shown: Shown, mono: int) -> tuple[MachineNow, ...]:
        """The machines as shown, those UNKNOWN of which nothing was heard for too long, whatever the reason."""
        silent = {name for name, one in self.stations.items() if self.links[one.rule.state.device].is_silent(mono)}
        return tuple(
            replace(one, state=UNKNOWN, since=one.observed) if one.name in silent and one.state != UNKNOWN else one
            for one in shown.machines
        )

    def _resume(self, device: str, now: int) -> list[Record]:
        """The gap that a batch of plant time `now` ends, if there is one.

        Where the device's clock was set back, all goes on from what it says now; figures count no instant twice.
        """
        link = self.links[device]
        if link.time is None:
            return []
        machine, simulated = self._machine_of(device), link.origin.simulated
        if now < link.time - CLOCK_STEP:
            gap = fact.gap(device, machine, "clock_set_back", now, link.time, simulated=simulated)
            self._time = link.time = now
            for station in self.stations.values():
                if station.hears(device):
                    station.set_back(now)
            if self._meter is not None:
                self._meter.set_back(now)
            return [gap]
        if link.gap_cause is None:
            return []
        return [fact.gap(device, machine, link.gap_cause, link.time, max(now, link.time), simulated=simulated)]

    def _told_by(self, device: str) -> list[Station]:
        """The machines whose state the device tells."""
        return [station for station in self.stations.values() if station.rule.state.device == device]

    def _machine_of(self, source: str) -> str:
        """The machine a fault or gap of `source` belongs to; "" where that is not one machine alone."""
        name = source.partition(".")[0]
        machines = [one.rule.name for one in self._told_by(name)] if name in self.links else [name]
        return machines[0] if len(machines) == 1 and machines[0] in self.stations else ""

    def _changed(self, station: Station, changes: Sequence[Change]) -> list[Record]:
        machine = self._machines[station.rule.name]
        return [fact.state(machine, change, simulated=station.simulated) for change in changes]

    def _counted(self, name: str, one: Counted, mono: int, *, late: bool, simulated: bool) -> list[Record]:
        """The count's records; a suspect counter is a fault while it is one."""
        if one.count.delta:
            self._windows.parts(name, one.counter, one.count.delta, one.time, late=late, simulated=simulated)
        records = fact.count(name, one, simulated=simulated)
        source, code = f"{name}.{one.counter}", "suspect_counter"
        if one.state.suspect is not None:
            message = f"the counter jumped from {one.state.raw} to {one.state.suspect}"
            return records + self.set(faults.fault(source, code, message, one.time), mono)
        return records + list(self.clear(source, code, mono).values())

    def _fault(self, fault: Fault, mono: int, *, is_set: bool) -> Record:
        time = fault.since if is_set else max(fault.since, self.time(mono))
        return fact.fault(self._machine_of(fault.source), fault, time, is_set=is_set, simulated=self.simulated)

    def _over(self, body: Mapping[str, Any], time: int, *, simulated: bool) -> Record:
        """The end of a fault that the last run left behind: what is still wrong will be set again."""
        return Record(Kind.FAULT, self._machine_of(str(body["source"])), time, {**body, "set": False}, simulated)
