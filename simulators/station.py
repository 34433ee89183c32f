"""One station of a line: takes a part, works, jams, hands it on or waits. Pure; times are ns since 1970.

Lamp and phase differ on purpose: a PLC lights amber only after PATIENCE without a part or without room,
and needs RESTART to run again, so no lamp flickers between two parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from simulators.orders import SECOND, Product
from simulators.scenario import Jam, StationPlan

PATIENCE, RESTART = 4 * SECOND, 5 * SECOND


class Phase(Enum):
    """What a station is doing, lamp apart."""

    IDLE = "idle"
    WORKING = "executing"
    JAMMED = "stopped"
    WAITING = "waiting for a part"
    HOLDING = "waiting for room"
    STARVED = "starved"
    BLOCKED = "blocked"
    CHANGING = "changeover"


@dataclass(slots=True)
class Part:
    """A part on its way: `shot` numbers it from 1, `defect` is what the casting has, None if sound."""

    shot: int
    product: str
    defect: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A value of a PLC became another at a time; node as in `diecast1.good`."""

    time: int
    node: str
    value: int | float


CHANGEOVER = None  # what travels behind the last part of a family

# Lamp word: 1 red, 2 amber, 4 green, 8 blue, 16 white; 32 infeed empty, 64 outfeed full.
LAMPS = {"stopped": 1, "executing": 4, "changeover": 8, "idle": 16, "starved": 34, "blocked": 66}

Judge = Callable[[int, Part], bool]


def scans(seconds: float) -> int:
    """Seconds as whole milliseconds in ns: a PLC's scan, and exact in every protocol's timestamps."""
    return round(seconds * 1000) * (SECOND // 1000)


@dataclass(slots=True)
class Station:
    """A station and its infeed. `due` is when it acts next by itself, None while it waits for a neighbour.

    `base` is what the PLC's totals had before the first part, `wraps` how often they wrapped before the last reset.
    """

    plan: StationPlan
    products: dict[str, Product]
    rng: np.random.Generator
    emit: Callable[[int, str, int | float], None]
    judge: Judge
    ahead: Station | None = None
    behind: Station | None = None
    infeed: deque[Part | None] = field(default_factory=deque)
    phase: Phase = Phase.IDLE
    due: int | None = None
    part: Part | None = None
    good: int = 0
    scrap: int = 0
    taken: int = 0
    jam_at: int = 0
    word: str = "idle"
    states: list[tuple[str, int]] = field(default_factory=list)
    base: tuple[int, int] = (0, 0)
    wraps: int = 0
    _left: int = 0
    _cycle: int = 0
    _jam: Jam | None = None

    def __post_init__(self) -> None:
        self.base = self.plan.raw

    @property
    def totals(self) -> tuple[int, int]:
        """Good and scrap as the PLC has them, before they wrap at 65536."""
        return self.base[0] + self.good, self.base[1] + self.scrap

    def reset(self, now: int) -> None:
        """The PLC's totals start from 0 again."""
        self.wraps += sum(total // 65536 for total in self.totals)
        self.base = (-self.good, -self.scrap)
        self.emit(now, f"{self.plan.name}.good", 0)
        self.emit(now, f"{self.plan.name}.scrap", 0)

    def act(self, now: int) -> None:
        """Do what was due now."""
        match self.phase:
            case Phase.IDLE | Phase.STARVED | Phase.CHANGING:
                self._take(now, fresh=True)
            case Phase.BLOCKED:
                self._take(now, fresh=False)
            case Phase.WORKING if self._jam is not None:
                self._stop(now, self._jam)
            case Phase.WORKING:
                self._finish(now)
            case Phase.JAMMED:
                self._show(now, "executing")
                self.emit(now, f"{self.plan.name}.reason", 0)
                self._enter(Phase.WORKING, now + self._left)
            case Phase.WAITING:
                self._show(now, "starved")
                self._enter(Phase.STARVED, None)
            case Phase.HOLDING:
                self._show(now, "blocked")
                self._enter(Phase.BLOCKED, None)

    def _take(self, now: int, *, fresh: bool) -> None:
        """Start on what stands first in the infeed; without anything, wait: starved at once where fresh."""
        if not self.infeed:
            if fresh:
                self._show(now, "starved")
            self._enter(Phase.STARVED if fresh else Phase.WAITING, None if fresh else now + PATIENCE)
            return
        part = self.infeed.popleft()
        if part is CHANGEOVER:
            self._show(now, "changeover")
            self._enter(Phase.CHANGING, now + scans(self.plan.changeover_s * float(self.rng.uniform(0.9, 1.15))))
            if self.ahead is not None:
                self.ahead.arrive(now, CHANGEOVER)
            return
        self._work(now, part)
        if self.behind is not None:
            self.behind.room(now)

    def _work(self, now: int, part: Part) -> None:
        self.part = part
        self.taken += 1
        planned = self.products[part.product].cycle[self.plan.name]
        pace = min(max(float(self.rng.normal(0.96, 0.02)), 0.91), 1.04)
        if self.rng.random() < 0.02:  # a slow robot, a second try
            pace += float(self.rng.uniform(0.08, 0.25))
        self._cycle = self._left = scans(planned * pace)
        self._show(now, "executing")
        if self.rng.random() < self.plan.jam_chance or self.taken == self.jam_at:
            self._jam = self.plan.jams[int(self.rng.integers(len(self.plan.jams)))]
            worked = scans(self._cycle / SECOND * float(self.rng.uniform(0.4, 0.6)))
            self._left -= worked
            self._enter(Phase.WORKING, now + worked)
        else:
            self._enter(Phase.WORKING, now + self._left)

    def _stop(self, now: int, jam: Jam) -> None:
        self._jam = None
        self.emit(now, f"{self.plan.name}.reason", jam.code)
        self._show(now, "stopped")
        self._enter(Phase.JAMMED, now + scans(float(self.rng.uniform(jam.least_s, jam.most_s))))

    def _finish(self, now: int) -> None:
        assert self.part is not None  # a working station has a part
        passed = self.judge(now, self.part)
        self.good, self.scrap = self.good + passed, self.scrap + (not passed)
        name, (good, scrap) = self.plan.name, self.totals
        self.emit(now, f"{name}.cycle", self._cycle / SECOND)
        if passed:
            self.emit(now, f"{name}.good", good % 65536)
        else:
            self.emit(now, f"{name}.scrap", scrap % 65536)
            self.part = None
        if self._hand_on(now):
            self._take(now, fresh=False)
        else:
            self._enter(Phase.HOLDING, now + PATIENCE)

    def _hand_on(self, now: int) -> bool:
        """Give the finished part away; False while there is no room for it."""
        if self.part is not None and self.ahead is not None:
            if self.ahead.parts >= self.plan.buffer:
                return False
            self.ahead.arrive(now, self.part)
        self.part = None
        return True

    @property
    def parts(self) -> int:
        """How many parts stand in the infeed."""
        return sum(part is not CHANGEOVER for part in self.infeed)

    def arrive(self, now: int, part: Part | None) -> None:
        """Something was put in the infeed."""
        self.infeed.append(part)
        if self.phase is Phase.WAITING:
            self._take(now, fresh=False)
        elif self.phase is Phase.STARVED and self.due is None:
            self._enter(Phase.STARVED, now + RESTART)

    def room(self, now: int) -> None:
        """A part was taken from the buffer ahead."""
        if self.phase is Phase.HOLDING and self._hand_on(now):
            self._take(now, fresh=False)
        elif self.phase is Phase.BLOCKED and self.due is None and self._hand_on(now):
            self._enter(Phase.BLOCKED, now + RESTART)

    def _enter(self, phase: Phase, due: int | None) -> None:
        self.phase, self.due = phase, due

    def _show(self, now: int, word: str) -> None:
        if word != self.word:
            self.word = word
            self.states.append((word, now))
            self.emit(now, f"{self.plan.name}.light", LAMPS[word])
