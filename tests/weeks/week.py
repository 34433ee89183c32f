"""A random line-week from a seed: what every machine did at every tick, what was seen of it, and when it was told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.model import Cause, MachineState, State
from agent.shift import Shift
from tests.weeks.calendar import DAY, TICK, WEEK, Calendar, counted

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
# Mondays (UTC) of weeks in which clocks change, and of plain ones.
MONDAYS = (
    "2026-03-02",
    "2026-03-23",
    "2026-03-30",
    "2026-04-06",
    "2026-06-15",
    "2026-09-28",
    "2026-10-19",
    "2026-10-26",
)
STATES = (
    MachineState(State.EXECUTING),
    *(MachineState(State.NOT_EXECUTING, cause) for cause in Cause),
    MachineState(State.OUT_OF_SERVICE),
)
UNSEEN = -1
STOPPED = STATES.index(MachineState(State.NOT_EXECUTING, Cause.STOPPED))
MINUTE = 60 // TICK


@dataclass(slots=True)
class Machine:
    """By tick: the state's place in STATES or UNSEEN; good and scrap parts; of them those made unseen; verdicts.

    `rework` are parts of good, `energy` Wh; `counters` says which of the two the machine tells.
    """

    code: NDArray[np.int8]
    good: NDArray[np.int64]
    scrap: NDArray[np.int64]
    late: NDArray[np.bool_]
    verdict: NDArray[np.int8]
    rework: NDArray[np.int64]
    energy: NDArray[np.int64]
    counters: frozenset[str]


@dataclass(slots=True)
class Week:
    """`first` and `end` tick of the week; polls in ticks; a machine is told nothing in its `held` ranges."""

    seed: int
    zone: str
    takt: float
    shifts: list[Shift]
    exceptions: dict[dt.date, tuple[Shift, ...]]
    calendar: Calendar
    first: int
    end: int
    machines: list[Machine]
    polls: list[int]
    held: list[list[tuple[int, int]]]
    restarts: list[tuple[int, int]]
    meter: NDArray[np.int64] | None


def generated(seed: int) -> Week:
    """The week of a seed, the same every time."""
    rng = np.random.default_rng(seed)
    zone = str(rng.choice(ZONES))
    monday = dt.date.fromisoformat(str(rng.choice(MONDAYS)))
    start = (monday - dt.date(1970, 1, 1)).days * DAY + int(rng.integers(0, 24)) * 3600
    shifts = _shifts(rng)
    exceptions: dict[dt.date, tuple[Shift, ...]] = {}
    if rng.random() < 0.3:
        extra = Shift("extra", shifts[0].start, shifts[0].end)
        day = monday + dt.timedelta(days=int(rng.integers(1, 6)))
        exceptions[day] = () if rng.random() < 0.5 else (extra,)
    calendar = counted(zone, start, shifts, exceptions)
    first, end = calendar.tick(start), calendar.tick(start + WEEK)
    downs = [_range(rng, first + DAY // TICK, end - DAY // TICK, 5 * MINUTE, 150 * MINUTE) for _ in range(2)]
    restarts = downs[: int(rng.integers(0, 3))]
    machines = [_machine(rng, first, end, len(calendar.planned), restarts) for _ in range(int(rng.integers(3, 10)))]
    held = [_held(rng, calendar, first, end, restarts) for _ in machines]
    return Week(
        seed,
        zone,
        float(rng.integers(5, 120)),
        shifts,
        exceptions,
        calendar,
        first,
        end,
        machines,
        _polls(rng, first, end, [one for ranges in held for one in ranges]),
        held,
        restarts,
        _energy(rng, first, end, len(calendar.planned)) if rng.random() < 0.5 else None,
    )


def _shifts(rng: np.random.Generator) -> list[Shift]:
    """Shifts that do not overlap, some days without, each with at most two breaks; some week has gaps between them."""
    cuts = sorted(rng.choice(48, int(rng.integers(1, 4)), replace=False).tolist())
    days = frozenset(range(7)) if rng.random() < 0.5 else frozenset(range(int(rng.integers(4, 7))))
    shifts = []
    for n, cut in enumerate(cuts):
        length = (cuts[(n + 1) % len(cuts)] - cut) % 48 or 48
        short = int(rng.integers(0, min(length, 6)))
        pauses = rng.choice(length - short, min(length - short, int(rng.integers(0, 3))), replace=False).tolist()
        breaks = tuple((_half(cut + p), _half(cut + p, int(rng.integers(5, 30)))) for p in pauses)
        shifts.append(Shift(f"s{n}", _half(cut), _half(cut + length - short), days, breaks))
    return shifts


def _half(number: int, minutes: int = 0) -> dt.time:
    """The half hour of that number of the day, `minutes` into it."""
    return dt.time(number % 48 // 2, number % 2 * 30 + minutes)


def _range(rng: np.random.Generator, first: int, end: int, least: int, most: int) -> tuple[int, int]:
    at = int(rng.integers(first, end))
    return at, min(end, at + int(rng.integers(least, most)))


def _machine(rng: np.random.Generator, first: int, end: int, length: int, downs: list[tuple[int, int]]) -> Machine:
    mean = int(rng.integers(12, 60)) * MINUTE
    many = (end - first) // mean * 2 + 50
    states = rng.choice(len(STATES), many, p=(0.5, 0.1, 0.08, 0.08, 0.14, 0.06, 0.04))
    lengths = 1 + (rng.exponential(mean, many) * np.where(states == STOPPED, 0.2, 1.0)).astype(np.int64)
    code = np.full(length, UNSEEN, np.int8)
    told = np.repeat(states, lengths)[: end - first]
    code[first : first + len(told)] = told
    made = np.zeros(length, np.bool_)
    made[first:end] = (rng.random(end - first) < TICK / float(rng.integers(600, 3600))) & (code[first:end] == 0)
    good = made & (rng.random(length) < rng.uniform(0.7, 1.0))
    parts = rng.integers(1, 12, length)
    machine = Machine(
        code,
        np.where(good, parts, 0),
        np.where(made & ~good, parts, 0),
        np.zeros(length, np.bool_),
        np.where(made & (rng.random(length) < 0.05), rng.integers(0, 3, length), -1).astype(np.int8),
        np.zeros(length, np.int64),
        np.zeros(length, np.int64),
        frozenset(rng.choice(("rework", "energy"), int(rng.integers(0, 3)), replace=False).tolist()),
    )
    gaps = [_range(rng, first, end, 1, 90 * MINUTE) for _ in range(int(rng.integers(0, 8)))]
    for start, stop in gaps + downs:
        _hide(machine, start, stop)
    if "rework" in machine.counters:
        machine.rework = rng.binomial(machine.good, rng.uniform(0.0, 0.3))
    if "energy" in machine.counters:
        machine.energy = _energy(rng, first, end, length)
    return machine


def _energy(rng: np.random.Generator, first: int, end: int, length: int) -> NDArray[np.int64]:
    """Wh told every half hour or so."""
    energy = np.zeros(length, np.int64)
    told = rng.integers(first, end, (end - first) // (30 * MINUTE))
    energy[told] = rng.integers(1, 5000, len(told))
    return energy


def _hide(machine: Machine, start: int, stop: int) -> None:
    """Nobody looks from start to stop; the parts made meanwhile are counted at the next look."""
    machine.code[start:stop] = UNSEEN
    after = np.flatnonzero(machine.code[stop:] != UNSEEN)
    for parts in (machine.good, machine.scrap):
        missed = int(parts[start:stop].sum())
        parts[start:stop] = 0
        if len(after) and missed:
            look = stop + int(after[0])
            parts[look] = missed if not machine.late[look] else parts[look] + missed
            machine.late[look] = True
    machine.late[start:stop] = False
    machine.verdict[start:stop] = -1


def _polls(rng: np.random.Generator, first: int, end: int, held: list[tuple[int, int]]) -> list[int]:
    """When all is told that was seen; often where a device is held back, so that windows close without it."""
    seldom = (first + np.cumsum(rng.integers(MINUTE, 80 * MINUTE, 1000))).tolist()
    often = [at for start, stop in held for at in (start - 1, *range(start, stop + 5 * MINUTE, 4 * MINUTE))]
    return [*sorted({one for one in seldom + often if first < one < end}), end]


def _held(
    rng: np.random.Generator, calendar: Calendar, first: int, end: int, downs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Ranges around the ends of some hours in which a device is heard late, longer than a window waits for it."""
    ends = [stop for _, stop in calendar.hours if first + DAY // TICK < stop < end - DAY // TICK]
    ends = [one for one in ends if not any(start - 90 * MINUTE < one < stop + 90 * MINUTE for start, stop in downs)]
    chosen = rng.choice(len(ends), int(rng.integers(0, 6)), replace=False).tolist()
    return [(ends[n] - int(rng.integers(1, 10 * MINUTE)), ends[n] + 12 * MINUTE) for n in chosen]
