"""The scheduler on a line: orders in, plans out, machines stopping, vanishing and coming back, restarts."""

import asyncio
import itertools
import random
from dataclasses import replace

import pytest

from agent.model import SECOND, Cause, LineNow, MachineNow, MachineState, Order, Plan, State
from agent.scheduler import Product, Scheduler, Settings, still_open
from inference.card import ModelError
from inference.session import open_model

MINUTE = 60 * SECOND
START = 1_780_000_000 * SECOND
WORKS = MachineState(State.EXECUTING)
STOPPED = MachineState(State.NOT_EXECUTING, Cause.STOPPED, 31)
UNKNOWN = MachineState(State.UNKNOWN)
SETTINGS = Settings(
    machines=("diecast1", "press1", "testpack1"),
    products={
        "A": Product("small", {"diecast1": 16.0, "press1": 16.0, "testpack1": 16.0}),
        "B": Product("large", {"diecast1": 17.0, "press1": 16.0, "testpack1": 16.0}),
    },
    changeover_s=360.0,
    frozen_s=300.0,
    watch_wall_s=0.01,
)


class Line:
    """A line and its clock in the test's hands, and what the scheduler recorded."""

    def __init__(self):
        self.states = dict.fromkeys(SETTINGS.machines, WORKS)
        self.time = START
        self.plans: asyncio.Queue[Plan] = asyncio.Queue()
        self.plan = None

    def now(self):
        machines = tuple(
            MachineNow(name, state, since=0, good=0, scrap=0, cycle_s=16.0, observed=self.time, simulated=True)
            for name, state in self.states.items()
        )
        return LineNow(
            ledger="7f3a",
            seq=1,
            time=self.time,
            simulated=True,
            speed=60.0,
            durable=True,
            machines=machines,
            figures=(),
            faults=(),
            inspections=(),
            plan=self.plan,
        )

    async def record(self, plan):
        self.plan = plan
        await self.plans.put(plan)

    def scheduler(self, settings=SETTINGS, **more):
        return Scheduler(settings, self.now, lambda: self.time, self.record, **more)


def order(name, product="A", quantity=30, due=8 * 60, weight=1.0):
    return Order(name, product, quantity, START + due * MINUTE, weight)


def sequence(plan, machine):
    return [job.order for job in plan.jobs if job.machine == machine]


async def running(line, scheduler):
    task = asyncio.create_task(scheduler.run())
    first = await line.plans.get()
    return task, first


async def stop(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(scope="module")
def model():
    return open_model("dispatch")


async def test_an_order_becomes_a_job_on_every_machine_of_its_route(model):
    line = Line()
    scheduler = line.scheduler(model=model)
    assert scheduler.take_order(order("J1")) is None
    await scheduler.plan()
    plan = line.plans.get_nowait()
    assert [(job.machine, job.operation, job.quantity) for job in plan.jobs] == [
        ("diecast1", 0, 30),
        ("press1", 1, 30),
        ("testpack1", 2, 30),
    ]
    assert plan.jobs[0].start == START
    assert plan.jobs[0].reason == {"code": "only_choice"}
    assert plan.rung in ("policy", "rules")
    assert (plan.model == model.digest) == (plan.rung == "policy")


async def test_the_same_order_twice_is_one_order():
    line = Line()
    scheduler = line.scheduler()
    scheduler.take_order(order("J1"))
    await scheduler.plan()
    scheduler.take_order(order("J1"))
    await scheduler.plan()
    assert line.plans.qsize() == 1
    assert sequence(line.plan, "diecast1") == ["J1"]


async def test_an_order_for_an_unknown_product_is_refused_with_a_remedy():
    line = Line()
    assert line.scheduler().take_order(order("J1", product="Z")) == "no product 'Z': order one of A, B"


async def test_a_running_scheduler_plans_again_when_a_machine_stops():
    line = Line()
    task, first = await running(line, line.scheduler(orders=[order("J1"), order("J2")]))
    line.states["diecast1"] = STOPPED
    line.time += MINUTE
    second = await line.plans.get()
    await stop(task)
    assert second.jobs[0].end - first.jobs[0].end == 600 * SECOND
    assert all(
        later.start >= second.jobs[0].end
        for later in second.jobs
        if later.machine == "diecast1" and later.order == "J2"
    )


async def test_a_running_scheduler_plans_again_when_an_order_comes():
    line = Line()
    scheduler = line.scheduler(orders=[order("J1", quantity=60), order("J2", quantity=60)])
    task, first = await running(line, scheduler)
    line.time += MINUTE
    scheduler.take_order(order("rush", due=1, weight=5.0))
    second = await line.plans.get()
    await stop(task)
    assert sequence(first, "diecast1") == ["J1", "J2"]
    assert sequence(second, "diecast1") == ["J1", "rush", "J2"]
    assert next(job for job in second.jobs if job.order == "rush").reason["code"] == "rush"
    assert second.late == 1


async def test_an_unknown_machine_is_not_idle():
    line = Line()
    line.states["press1"] = UNKNOWN
    scheduler = line.scheduler(orders=[order("J1")])
    await scheduler.plan()
    assert {job.machine for job in line.plan.jobs} == {"diecast1"}
    line.states["press1"] = WORKS
    await scheduler.plan()
    assert {job.machine for job in line.plan.jobs} == set(SETTINGS.machines)


async def test_nothing_is_planned_before_a_machine_was_seen_and_told_the_time():
    line = Line()
    line.states = dict.fromkeys(SETTINGS.machines, UNKNOWN)
    line.time += 1000 * MINUTE
    scheduler = line.scheduler(orders=[order("J1")])
    await scheduler.plan()
    assert line.plans.empty()
    line.states, line.time = dict.fromkeys(SETTINGS.machines, WORKS), START
    await scheduler.plan()
    assert line.plan.jobs[0].start == START


async def test_a_machine_that_vanishes_for_a_while_leaves_the_plan_as_it_is():
    line = Line()
    scheduler = line.scheduler(orders=[order("J1"), order("J2", "B")])
    await scheduler.plan()
    for state in (UNKNOWN, WORKS):
        line.states["press1"] = state
        line.time += 2 * MINUTE
        await scheduler.plan()
    assert line.plans.qsize() == 1


async def test_time_passing_changes_nothing_while_the_line_runs_to_plan():
    line = Line()
    scheduler = line.scheduler(orders=[order("J1"), order("J2", "B"), order("J3")])
    for _ in range(20):
        await scheduler.plan()
        line.time += 90 * SECOND
    assert line.plans.qsize() == 1


async def test_a_cancelled_order_leaves_the_plan():
    line = Line()
    scheduler = line.scheduler(orders=[order("J1"), order("J2")])
    await scheduler.plan()
    scheduler.take_order(order("J2", quantity=0))
    await scheduler.plan()
    assert sequence(line.plan, "diecast1") == ["J1"]


async def test_an_order_that_is_over_by_plan_and_date_is_not_planned_again():
    line = Line()
    scheduler = line.scheduler(orders=[order("J1", due=10)])
    await scheduler.plan()
    line.time += 60 * MINUTE
    await scheduler.plan()
    scheduler.take_order(order("J2"))
    await scheduler.plan()
    assert {job.order for job in line.plan.jobs} == {"J2"}


async def test_a_restart_carries_the_plan_on():
    line = Line()
    orders = [order("J1", quantity=60), order("J2", "B", quantity=60)]
    await line.scheduler(orders=orders).plan()
    before = line.plan
    line.time += 25 * MINUTE
    again = line.scheduler(orders=orders)
    await again.plan()
    assert line.plans.qsize() == 1
    again.take_order(order("J3"))
    await again.plan()
    shared = {(job.order, job.operation): (job.start, job.end) for job in before.jobs}
    running_on = [job for job in line.plan.jobs if job.start < line.time]
    assert running_on
    assert all(shared[job.order, job.operation] == (job.start, job.end) for job in running_on)


async def test_a_restart_in_the_middle_of_an_order_does_not_begin_it_again():
    line = Line()
    orders = [order("J1", quantity=10)]
    await line.scheduler(orders=orders).plan()
    done = line.plan.jobs[0].end
    assert line.plan
    line.plan = replace(line.plan, jobs=line.plan.jobs[1:])
    line.time = done + 1
    again = line.scheduler(orders=[*orders, order("J2")])
    await again.plan()
    assert sequence(line.plan, "diecast1") == ["J2"]


def test_after_a_restart_only_what_was_planned_and_is_gone_counts_as_over():
    orders = [order("J1"), order("J2"), order("J3")]
    assert still_open(orders, [{"J1", "J2"}, {"J2"}]) == orders[1:]
    assert still_open(orders, []) == orders


class Broken:
    digest = "broken"

    def run(self, _):
        raise ModelError("score is not finite", "restore the model folder")


async def test_a_broken_model_plans_by_rules_and_says_what_is_wrong():
    line = Line()
    scheduler = line.scheduler(model=Broken(), orders=[order("J1"), order("J2")])
    await scheduler.plan()
    assert (line.plan.rung, line.plan.model) == ("rules", None)
    assert (scheduler.fault.code, scheduler.fault.remedy) == ("policy_unavailable", "restore the model folder")


async def test_the_rules_plan_through_the_same_interface_without_a_model():
    line = Line()
    scheduler = line.scheduler(orders=[order("J1"), order("J2", "B")])
    await scheduler.plan()
    assert (line.plan.rung, line.plan.model, scheduler.fault) == ("rules", None, None)
    assert all("code" in job.reason for job in line.plan.jobs)


def overlaps(jobs):
    """Pairs of neighbours on a machine that overlap."""
    ordered = sorted(jobs, key=lambda job: (job.machine, job.start))
    return [
        (one, two) for one, two in itertools.pairwise(ordered) if one.machine == two.machine and two.start < one.end
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_a_storm_of_orders_stops_and_restarts_leaves_plans_without_overlaps(model, seed):
    chance = random.Random(seed)
    line = Line()
    scheduler, taken = line.scheduler(model=model), []
    for _ in range(40):
        line.time += chance.randrange(20 * MINUTE)
        line.states[chance.choice(SETTINGS.machines)] = chance.choice([WORKS, WORKS, STOPPED, UNKNOWN])
        due = (line.time - START) // MINUTE + chance.randrange(300)
        product, quantity = chance.choice("AB"), chance.choice([0, 20, 60])
        new = order(f"J{chance.randrange(12)}", product, quantity, due, chance.choice([1.0, 5.0]))
        taken.append(new)
        scheduler.take_order(new)
        if chance.random() < 0.1:
            scheduler = line.scheduler(model=model, orders=taken)
        await scheduler.plan()
        if line.plan is not None:
            ahead = [job for job in line.plan.jobs if job.end > line.plan.time]
            assert overlaps(ahead) == []
            assert all(job.start < job.end for job in line.plan.jobs)
            assert {job.order for job in line.plan.jobs} <= {one.order for one in taken}
    assert line.plans.qsize() > 1
