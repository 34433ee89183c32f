"""Devices and machines as they stand: what batches do to them. No clock, no disk: times come in as arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from agent.counter import NOTHING, Count, CounterState, step
from agent.figures.times import Counter
from agent.flashing import Lamp, Reading
from agent.machine import Change, Tracker
from agent.model import BAD, BAD_NO_DATA, SECOND, Batch, DeviceNow, MachineNow, MachineState, Origin, TagNow

STALE = 5 * SECOND
ASKED = 2 * SECOND  # from a device telling how long it has been up to its link being open; its clock may tick slowly


class TagRef(NamedTuple):
    """A tag of a device."""

    device: str
    tag: str


@dataclass(frozen=True, slots=True)
class CounterRule:
    """A counter: its tag, how many values its register has, and how late its source times may be, in ns.

    A meter of energy counts `per` Wh for each unit of its tag, at most `max_rate` Wh a second, told every `pace` ns.
    """

    tag: TagRef
    modulus: int
    late: int = 0
    per: float = 1.0
    max_rate: float | None = None
    pace: int = 0


@dataclass(frozen=True, slots=True)
class MachineRule:
    """Which tags tell of a machine; `max_rate` (parts a second) bounds what its counters may count.

    Patterns of two lamps flash, each lamp for at most `flash` ns.
    """

    name: str
    state: TagRef
    patterns: Mapping[Lamp, MachineState]
    max_rate: float
    good: CounterRule | None = None
    scrap: CounterRule | None = None
    reason: TagRef | None = None
    cycle: TagRef | None = None
    rework: CounterRule | None = None
    energy: CounterRule | None = None
    flash: int = 0

    @property
    def counters(self) -> dict[Counter, CounterRule]:
        """The counters it has."""
        every: dict[Counter, CounterRule | None] = {
            "good": self.good,
            "scrap": self.scrap,
            "rework": self.rework,
            "energy": self.energy,
        }
        return {name: rule for name, rule in every.items() if rule is not None}


@dataclass(frozen=True, slots=True)
class DeviceRule:
    """A device as the line file names it; `tags` are (name, unit) in the order a batch's index counts in.

    `beat_s` is how often it is heard at least, in wall seconds: its fastest `every`. `clock` is the tag that carries
    the device's own time: batches tell it as their `time`, in no row.
    """

    name: str
    driver: str
    address: str
    tags: tuple[tuple[str, str], ...]
    beat_s: float = 0.0
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter's reading: what it added and where the counter stands after and stood before."""

    counter: Counter
    count: Count
    state: CounterState
    before: CounterState | None
    time: int


class Span(NamedTuple):
    """Observed time in one state, ns."""

    state: MachineState
    start: int
    end: int


@dataclass(slots=True)
class Seen:
    """What one batch told of one machine."""

    changes: list[Change] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)


class Row(NamedTuple):
    """One value of interest: `value` None when its status was bad or it is no number."""

    tag: str
    value: float | None
    time: int


class Link:
    """A device's link: last value of every tag, up to when it was observed, since when it is not."""

    def __init__(self, rule: DeviceRule, wanted: set[str]) -> None:
        self.rule = rule
        self.origin = Origin()
        self._up: int | None = None  # the device, when the link was opened
        self._opened = 0
        self.connected = False
        self.connects = 0
        self.batches = 0
        self.latency_ms: float | None = None  # from hand-over to disk
        self.time: int | None = None  # plant time vouched for
        self.mono: int | None = None  # when it was, by the wall's monotonic clock
        self.gap_cause: str | None = None
        self.fresh = False  # whether a batch came since the link was opened
        self.names = names = tuple(name for name, _ in rule.tags)
        self._wanted = np.array([name in wanted for name in names], np.bool_)
        self._value = np.full(len(names), np.nan)
        self._source_time = np.zeros(len(names), np.int64)
        self._status = np.full(len(names), BAD_NO_DATA, np.uint32)
        self._text: dict[int, str] = {}

    def open(self, origin: Origin, mono: int) -> None:
        """The link is up; nothing is observed before the first batch.

        What once said that it is simulated stays so: a simulator whose word got lost must not look real.
        """
        if origin.simulated or not self.origin.simulated:
            self.origin = origin
        self._up, self._opened = None if origin.up_s is None else int(origin.up_s * SECOND), mono
        self.connected, self.fresh = True, False
        self.connects += 1

    def lose(self, cause: str) -> None:
        """Nothing vouches for the tags any more; the first cause stays."""
        self.connected = self.fresh = False
        if self.time is not None and self.gap_cause is None:
            self.gap_cause = cause

    def take(self, batch: Batch, until: int, mono: int) -> list[Row]:
        """Remember a batch that vouches up to plant time `until`; its rows that a machine asks for, as they came."""
        self.time = until if self.time is None else max(self.time, until)
        self.mono, self.fresh, self.gap_cause = mono, True, None
        self.batches += 1
        self._value[batch.index] = batch.value
        self._source_time[batch.index] = batch.source_time
        self._status[batch.index] = batch.status
        for row, index in enumerate(batch.index.tolist()) if self._text or batch.text else ():
            self._text.pop(index, None)
            if row in batch.text:
                self._text[index] = batch.text[row]
        rows = np.flatnonzero(self._wanted[batch.index])
        usable = (batch.status[rows] & BAD == 0) & np.isfinite(batch.value[rows])
        columns = batch.index[rows], batch.value[rows], batch.source_time[rows], usable
        lists = (column.tolist() for column in columns)
        return [Row(self.rule.tags[i][0], v if ok else None, t) for i, v, t, ok in zip(*lists, strict=True)]

    def boot(self, now: int, mono: int) -> int | None:
        """When the device started by its own word, or a little before; `now` is the plant's time. None where mute."""
        return None if self._up is None else now - int((self._up + ASKED + mono - self._opened) * self.origin.speed)

    def plant_time(self, mono: int) -> int | None:
        """The device's clock now, carried on from its last batch at the speed it told; None before the first."""
        if self.time is None or self.mono is None:
            return self.time
        return self.time + int(self.origin.speed * (mono - self.mono))

    def is_silent(self, mono: int) -> bool:
        """Whether what it last told is too old: 5 s of wall time, or three beats of a slow device."""
        longest = max(STALE, int(3 * self.rule.beat_s * SECOND))
        return not self.fresh or self.mono is None or mono - self.mono > longest

    def now(self, mono: int) -> DeviceNow:
        """For the panel. Tags of a silent device keep their value with a status that says it is stale."""
        age = None if self.mono is None else (mono - self.mono) / SECOND
        silent = self.is_silent(mono)
        gap = self.time if self.gap_cause is not None else None
        tags = tuple(self._tag(index, age, silent=silent) for index in range(len(self.rule.tags)))
        return DeviceNow(
            self.rule.name,
            self.rule.driver,
            self.rule.address,
            self.connected,
            age,
            self.latency_ms,
            self.batches,
            max(0, self.connects - 1),
            self.origin,
            gap,
            tags,
        )

    def _tag(self, index: int, age: float | None, *, silent: bool) -> TagNow:
        name, unit = self.rule.tags[index]
        number = float(self._value[index])
        value = self._text.get(index, None if np.isnan(number) else number)
        time = int(self._source_time[index])
        if name == self.rule.clock and self.time is not None:
            value, time = float(self.time // 1_000_000), self.time
        status = BAD_NO_DATA if silent else int(self._status[index])
        return TagNow(name, unit, value, status, time, age)


def counted(
    counter: Counter,
    rule: CounterRule,
    before: CounterState | None,
    value: float | None,
    time: int,
    max_rate: float,
    unseen: str | None,
    boot: int | None = None,
) -> Counted | None:
    """What a counter's reading adds; None where it adds nothing, is no reading or comes before its pace."""
    if value is None or not 0 <= value < rule.modulus / rule.per:
        return None
    if before is not None and 0 <= time - before.time < rule.pace:
        return None
    fastest = max_rate if rule.max_rate is None else rule.max_rate
    after, count = step(before, int(value * rule.per), rule.modulus, time, fastest, unseen, rule.late, boot)
    return None if after == before and count == NOTHING else Counted(counter, count, after, before, time)


def set_back(state: CounterState, now: int) -> CounterState:
    """A counter whose device's clock was set back to `now`."""
    return replace(state, time=min(state.time, now), suspect_time=min(state.suspect_time, now))


class Meter:
    """The line's own meter of energy: no machine's."""

    counter: Counter = "energy"

    def __init__(self, rule: CounterRule) -> None:
        self.rule = rule
        self.state: CounterState | None = None

    def take(self, device: str, rows: Sequence[Row], until: int, unseen: str | None, boot: int | None) -> list[Counted]:
        """Take a device's rows, vouched for up to plant time `until`; `boot` as of counter.step."""
        found = []
        for row in rows:
            if TagRef(device, row.tag) == self.rule.tag:
                one = counted(self.counter, self.rule, self.state, row.value, until, 0.0, unseen, boot)
                if one is not None:
                    self.state = one.state
                    found.append(one)
        return found

    def set_back(self, now: int) -> None:
        """The plant's clock was set back to `now`."""
        self.state = self.state and set_back(self.state, now)


class Station:
    """A machine: its state through time, its counters, its last cycle."""

    def __init__(self, rule: MachineRule) -> None:
        self.rule = rule
        self.tracker = Tracker(rule.patterns, flash=rule.flash)
        self.counters: dict[Counter, CounterState] = {}
        self._rules = rule.counters
        counting = [one.tag for one in self._rules.values()]
        self.tags = [rule.state, *counting, *(tag for tag in (rule.reason, rule.cycle) if tag)]
        """Every tag that tells of this machine."""
        self.cycle_s: float | None = None
        self.simulated = False

    def hears(self, device: str) -> bool:
        """Whether the device tells anything of this machine."""
        return any(tag.device == device for tag in self.tags)

    def restore(self, counters: Mapping[tuple[str, str], CounterState]) -> None:
        """Take up the totals of the last run."""
        mine = ((name, counters.get((self.rule.name, name))) for name in self._rules)
        self.counters.update({name: state for name, state in mine if state is not None})

    def set_back(self, now: int) -> None:
        """Its clock was set back to `now`: what stood goes on from there."""
        self.tracker.observed = min(self.tracker.observed, now)
        for counter, state in self.counters.items():
            self.counters[counter] = set_back(state, now)

    def take(self, device: str, rows: Sequence[Row], until: int, unseen: str | None, boot: int | None = None) -> Seen:
        """Take a device's rows, vouched for up to `until`; `unseen` says why the time before was not watched, if so.

        `boot` is when the device started last, where that is of interest.
        """
        seen = Seen()
        for row in rows:
            self._count(TagRef(device, row.tag), row, unseen, seen, until, boot)
            if TagRef(device, row.tag) == self.rule.cycle:
                self.cycle_s = row.value
        readings = [one for row in rows if (one := self._reading(TagRef(device, row.tag), row)) is not None]
        if device != self.rule.state.device:
            until = self.tracker.observed
        elif unseen is not None:
            self.tracker.resume(until)
        start, state = self.tracker.observed, self.tracker.state
        seen.changes = self.tracker.advance(readings, until)
        for change in seen.changes:
            seen.spans.append(Span(state, start, change.time))
            start, state = change.time, change.state
        seen.spans.append(Span(state, start, self.tracker.observed))
        return seen

    def _reading(self, tag: TagRef, row: Row) -> Reading | None:
        if tag not in (self.rule.state, self.rule.reason):
            return None
        value = int(row.value) if row.value is not None and row.value.is_integer() else None
        return Reading(tag == self.rule.state, value, row.time)

    def _count(self, tag: TagRef, row: Row, unseen: str | None, seen: Seen, until: int, boot: int | None) -> None:
        for counter, rule in self._rules.items():
            if rule.tag != tag:
                continue
            time = until if counter == "energy" else row.time
            before, fastest = self.counters.get(counter), self.rule.max_rate
            one = counted(counter, rule, before, row.value, time, fastest, unseen, boot)
            if one is not None:
                self.counters[counter] = one.state
                seen.counted.append(one)

    def now(self, started: int) -> MachineNow:
        """As it stands; a machine never seen is unknown since the agent started."""
        good, scrap = self.counters.get("good"), self.counters.get("scrap")
        return MachineNow(
            self.rule.name,
            self.tracker.state,
            self.tracker.since or started,
            good.counted if good else None,
            scrap.counted if scrap else None,
            self.cycle_s,
            self.tracker.observed or started,
            self.simulated,
        )
