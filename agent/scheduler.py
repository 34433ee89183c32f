"""Keeps the line's plan: takes orders, watches machines, publishes advice when it is worth it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from agent.model import Cause, Fault, LineNow, Order, Plan, State
from inference.card import ModelError
from inference.scheduling.ladder import NoValidScheduleError, Proposal
from inference.scheduling.policy import Model
from inference.scheduling.problem import MS, Assignment, Lot, Operation, Problem, Station, by_start, to_plan
from inference.scheduling.rolling import Floor, Terms, advance, replan

LONG_AGO = -(10**12)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Product:
    """A product's set-up family and its seconds a piece on each machine of its route."""

    family: str
    cycle_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Settings:
    """What plans are made of. `machines` in the order of the flow; seconds are plant time unless the name says wall.

    `transfer` pieces are handed on at a time. A stop is expected to last `repair_s` from now on, as long as it lasts.
    A plan is replaced for a gain of `gain_s` or when it no longer holds.
    """

    machines: tuple[str, ...]
    products: Mapping[str, Product]
    changeover_s: float = 0.0
    frozen_s: float = 0.0
    transfer: int = 1
    repair_s: float = 600.0
    gain_s: float = 60.0
    every_wall_s: float = 60.0
    watch_wall_s: float = 0.5
    deadline_wall_s: float = 1.0


@dataclass(slots=True)
class Scheduler:
    """Proposes jobs for the open orders and hands each new plan to `record`.

    `now` gives the line as it stands, `plant_time` nanoseconds of plant time. `orders` are those still open from
    before; the plan found in `now` is carried on. An order leaves when its due date and its planned end have passed,
    or when cancelled by a quantity of 0: what was really made of it is not followed. Without a model rules plan alone.
    """

    settings: Settings
    now: Callable[[], LineNow]
    plant_time: Callable[[], int]
    record: Callable[[Plan], Awaitable[None]]
    model: Model | None = None
    orders: Iterable[Order] = ()
    _open: dict[str, Order] = field(init=False, default_factory=dict)
    _floor: Floor | None = field(init=False, default=None)
    _seen: dict[str, str] = field(init=False, default_factory=dict)
    _families: dict[str, str] = field(init=False, default_factory=dict)
    _wake: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _fault: Fault | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        for order in self.orders:
            self.take_order(order)

    def take_order(self, order: Order) -> str | None:
        """Opens, changes or (quantity 0) cancels an order; the same one twice is one. Why it is refused, else None.

        Call it in the event loop's thread.
        """
        if order.product not in self.settings.products:
            return f"no product {order.product!r}: order one of {', '.join(sorted(self.settings.products))}"
        if order.quantity < 0 or order.weight <= 0:
            return "quantity must be 0 or more and weight above 0"
        if order.quantity == 0:
            self._open.pop(order.order, None)
        elif self._open.get(order.order) == order:
            return None
        else:
            self._open[order.order] = order
        self._wake.set()
        return None

    @property
    def fault(self) -> Fault | None:
        """What keeps the policy from proposing, None where it works or none is configured."""
        return self._fault

    async def run(self) -> None:
        """Plans for ever: when an order comes, a machine stops or works again, and at least every `every_wall_s`."""
        loop = asyncio.get_running_loop()
        planned = -float("inf")
        while True:
            late = loop.time() - planned >= self.settings.every_wall_s and bool(self._open)
            if self._wake.is_set() or late or _availability(self.now()) != self._seen:
                self._wake.clear()
                await self.plan()
                planned = loop.time()
            try:
                await asyncio.wait_for(self._wake.wait(), self.settings.watch_wall_s)
            except TimeoutError:
                continue

    async def plan(self) -> None:
        """Plans once and records the plan where it differs in a way that matters; not before a machine was seen."""
        line, at = self.now(), self.plant_time()
        self._seen = _availability(line)
        if self._floor is None and set(self._seen.values()) <= {"unknown"}:
            return  # no device has told the plant's time yet
        stopped = {name for name, state in self._seen.items() if state == "stopped"}
        floor = advance(self._floor or self._carried_on(line.plan, at), at, stopped)
        self._forget(floor)
        floor = replace(floor, begun={key: job for key, job in floor.begun.items() if job.order in self._open})
        self._floor = floor
        problem = self._problem(floor)
        until = time.monotonic() + self.settings.deadline_wall_s
        terms = Terms(
            *(round(s * 1000) for s in (self.settings.frozen_s, self.settings.gain_s, self.settings.repair_s))
        )
        try:
            proposal = await asyncio.to_thread(
                replan, problem, floor, terms, self.model, lambda: time.monotonic() > until
            )
        except NoValidScheduleError as error:
            log.error("no valid plan, the last one stays: %s", error)
            return
        if proposal is not None:
            self._note(proposal.trouble)
            self._floor = replace(floor, published=proposal.schedule)
            await self.record(self._published(problem, proposal, floor.time))

    def _published(self, problem: Problem, proposal: Proposal, at: int) -> Plan:
        """The plan without what is over."""
        ahead = tuple(job for job in proposal.schedule if job.end > 0)
        digest = self.model.digest if self.model is not None and proposal.rung == "policy" else None
        return to_plan(problem, ahead, at, proposal.rung, digest)

    def _forget(self, floor: Floor) -> None:
        """Closes orders that are over by plan and due date, and remembers what stations are set up for."""
        for job in by_start(tuple(floor.begun.values())):
            if job.order in self._open:
                self._families[job.station] = self.settings.products[self._open[job.order].product].family
        for name, order in [*self._open.items()]:
            jobs = [floor.begun.get((name, number)) for number in range(len(self._route(order.product)))]
            if order.due <= floor.time and all(job is not None and job.end <= 0 for job in jobs):
                del self._open[name]

    def _route(self, product: str) -> tuple[str, ...]:
        cycles = self.settings.products[product].cycle_s
        return tuple(machine for machine in self.settings.machines if machine in cycles)

    def _problem(self, floor: Floor) -> Problem:
        repair = round(self.settings.repair_s * 1000)
        available = {"unknown": None, "stopped": repair, "working": 0}
        changeover = round(self.settings.changeover_s * 1000)
        stations = tuple(
            Station(name, available[self._seen.get(name, "unknown")], self._families.get(name), changeover)
            for name in self.settings.machines
        )
        return Problem(stations, tuple(self._lot(order, floor.time) for order in self._open.values()))

    def _lot(self, order: Order, at: int) -> Lot:
        product = self.settings.products[order.product]
        steps = tuple(Operation({name: round(product.cycle_s[name] * 1000)}) for name in self._route(order.product))
        due = (order.due - at) // MS
        transfer = self.settings.transfer
        return Lot(order.order, order.product, product.family, order.quantity, transfer, 0, due, order.weight, steps)

    def _carried_on(self, plan: Plan | None, at: int) -> Floor:
        """The floor of a plan published before a restart; what it no longer listed of an order was done."""
        if plan is None:
            return Floor(at)
        jobs = [
            Assignment(
                order=job.order,
                operation=job.operation,
                station=job.machine,
                start=(job.start - plan.time) // MS,
                setup=round(job.setup_s * 1000),
                end=(job.end - plan.time) // MS,
                reason=job.reason,
            )
            for job in plan.jobs
        ]
        first: dict[str, int] = {}
        for job in jobs:
            first[job.order] = min(job.operation, first.get(job.order, job.operation))
        routes = {order: self._route(self._open[order].product) for order in first if order in self._open}
        done = [
            Assignment(order, number, machine, LONG_AGO, 0, LONG_AGO)
            for order, route in routes.items()
            for number, machine in enumerate(route[: first[order]])
        ]
        return Floor(plan.time, (*done, *jobs))

    def _note(self, trouble: ModelError | None) -> None:
        if trouble is None:
            self._fault = None
        elif self._fault is None or self._fault.message != str(trouble):
            self._fault = Fault("scheduler", "policy_unavailable", str(trouble), trouble.remedy, self.plant_time())


def _availability(line: LineNow) -> dict[str, str]:
    """Each machine's word: working, stopped, or unknown, out of service included: nobody knows until when."""
    words = {}
    for machine in line.machines:
        away = machine.state.state in (State.UNKNOWN, State.OUT_OF_SERVICE)
        words[machine.name] = "unknown" if away else "stopped" if machine.state.cause is Cause.STOPPED else "working"
    return words


def still_open(orders: Iterable[Order], plans: Iterable[Collection[str]]) -> list[Order]:
    """Which recorded orders to take up after a restart; `plans` names the orders in each recorded plan, oldest first.

    An order is over when it was once planned and the last plan no longer has it.
    """
    latest: Collection[str] = ()
    ever: set[str] = set()
    for latest in plans:
        ever.update(latest)
    return [order for order in orders if order.order in latest or order.order not in ever]
