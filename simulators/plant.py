"""The plant in virtual time: five stations, their parts, their power, and the truth about them. Pure and seeded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simulators.orders import SECOND, Order, run
from simulators.scenario import COOKER3, Scenario
from simulators.shot import Die, Process, defect_of
from simulators.station import CHANGEOVER, LAMPS, Change, Judge, Part, Station, scans

TICK = 10 * SECOND  # of the die's thermocouple
CAUGHT_BY_PLC = 0.6  # of misruns: the die-cast PLC sees a bad fill
CAUGHT_BY_TEST = 0.97  # of the defective parts that reach the test


@dataclass(frozen=True, slots=True)
class Unit:
    """One shot for ever: when it was latched, what the PLC latched, and what really came out."""

    shot: int
    time: int
    product: str
    defect: str | None
    process: Process


class Plant:
    """A line from start_ns on. `advance` moves time; nothing else does.

    Equal seeds live equal lives, however advance is sliced. `values` holds every PLC value by node
    as of `now`; `units` every shot so far.
    """

    def __init__(self, seed: int, start_ns: int, scenario: Scenario = COOKER3) -> None:
        self.scenario, self.start, self.now = scenario, start_ns, start_ns
        self.values: dict[str, int | float] = {"diecast1.shot": 0, "diecast1.die_temperature": 0.0}
        self.units: list[Unit] = []
        self._rng = np.random.default_rng([seed, 0])
        self._dice = np.random.default_rng([seed, 1])
        self._die = Die(np.random.default_rng([seed, 2]))
        self._orders = run(scenario.products, scenario.takt_s, start_ns, np.random.default_rng([seed, 3]))
        self._pieces = self._cut(run(scenario.products, scenario.takt_s, start_ns, np.random.default_rng([seed, 3])))
        self._changes: list[Change] = []
        self._joules, self._metered = 0.0, start_ns
        self._tick = start_ns + TICK
        self._cast: Process | None = None
        self.stations = [self._station(plan.name) for plan in scenario.stations]
        for station, ahead in zip(self.stations, self.stations[1:], strict=False):
            station.ahead, ahead.behind = ahead, station
        self._open(start_ns)

    def _station(self, name: str) -> Station:
        plan = next(plan for plan in self.scenario.stations if plan.name == name)
        judge = {"diecast1": self._judge_shot, self.scenario.stations[-1].name: self._judge_test}.get(name)
        return Station(plan, self.scenario.products, self._rng, self._emit, judge or self._judge_step(plan.scrap))

    def _open(self, start_ns: int) -> None:
        """Set every value, and start the shift half a minute later; one station will jam early on."""
        begin = start_ns + scans(float(self._rng.uniform(20.0, 40.0)))
        first = self.stations[int(self._rng.integers(len(self.stations)))]
        first.jam_at = int(self._rng.integers(15, 70))
        for name in Process.__dataclass_fields__:
            self.values[f"diecast1.shot_{name}"] = 0.0
        for station in self.stations:
            station.states.append(("idle", start_ns))
            good, scrap = station.plan.raw
            start = {"light": LAMPS["idle"], "good": good, "scrap": scrap, "reason": 0, "cycle": 0.0}
            self.values.update({f"{station.plan.name}.{name}": value for name, value in start.items()})
            station.due = begin
        self.values["diecast1.die_temperature"] = self._die.temperature

    def orders(self, count: int) -> list[Order]:
        """The next orders of the line's own sequence; the first call gives the first ones."""
        return [next(self._orders) for _ in range(count)]

    def advance(self, to_ns: int) -> list[Change]:
        """Let time pass up to and including to_ns; every value that changed, in order."""
        self._changes = []
        while True:
            self._feed()
            due = [(station.due, index) for index, station in enumerate(self.stations) if station.due is not None]
            when, index = min(due)
            if min(when, self._tick) > to_ns:
                break
            if self._tick <= when:
                self._touch_die(self._tick)
                self._tick += TICK
            else:
                self._meter(when)
                station = self.stations[index]
                station.due = None
                station.act(when)
        self._meter(to_ns)
        self.now = max(self.now, to_ns)
        return self._changes

    def reset(self, machines: Sequence[str]) -> list[Change]:
        """The PLC totals of these machines start from 0 again; what became of their values."""
        self._changes = []
        for station in self.stations:
            if station.plan.name in machines:
                station.reset(self.now)
        return self._changes

    def _cut(self, orders: Iterator[Order]) -> Iterator[Part | None]:
        """Orders to parts, with a changeover between two families."""
        family, shot = None, 0
        for order in orders:
            wanted = self.scenario.products[order.product].family
            if family not in (None, wanted):
                yield CHANGEOVER
            family = wanted
            for _ in range(order.quantity):
                shot += 1
                yield Part(shot, order.product)

    def _feed(self) -> None:
        """The first station never wants for metal."""
        first = self.stations[0]
        if not first.infeed:
            first.infeed.append(next(self._pieces))

    def _judge_shot(self, now: int, part: Part) -> bool:
        process = self._die.shoot()
        part.defect = defect_of(process, self._dice)
        self.units.append(Unit(part.shot, now, part.product, part.defect, process))
        for name, value in process.values().items():
            self._emit(now, f"diecast1.shot_{name}", value)
        self._emit(now, "diecast1.shot", part.shot)
        return part.defect != "misrun" or float(self._dice.random()) >= CAUGHT_BY_PLC

    def _judge_test(self, _now: int, part: Part) -> bool:
        spoilt = self.scenario.stations[-1].scrap
        return float(self._dice.random()) >= (spoilt if part.defect is None else CAUGHT_BY_TEST)

    def _judge_step(self, scrap: float) -> Judge:
        return lambda _now, _part: float(self._dice.random()) >= scrap

    def _touch_die(self, now: int) -> None:
        if self.stations[0].word != "executing":
            self._die.rest(TICK / SECOND)
        self._emit(now, "diecast1.die_temperature", self._die.temperature + float(self._dice.normal(0.0, 0.4)))

    def _emit(self, now: int, node: str, value: int | float) -> None:
        self.values[node] = value
        self._changes.append(Change(now, node, value))

    @property
    def power(self) -> float:
        """Watts of the line now."""
        total = 0.0
        for station in self.stations:
            executing, changeover, otherwise = station.plan.load
            total += {"executing": executing, "changeover": changeover}.get(station.word, otherwise)
        return total

    @property
    def energy(self) -> float:
        """The meter's kWh; it has run since it was installed."""
        return 41_873.0 + self._joules / 3.6e6

    def _meter(self, now: int) -> None:
        self._joules += self.power * (now - self._metered) / SECOND
        self._metered = now
