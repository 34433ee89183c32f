"""What each part of the agent takes from the line file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from agent.configuration.tables import ENERGY_UNITS, LineFile, MachineTable, ShiftTable
from agent.flashing import Lamp
from agent.live import CounterRule, DeviceRule, MachineRule, TagRef
from agent.model import SECOND, Cause, MachineState, Order, State
from agent.shift import Calendar, Shift
from drivers.contract import Device
from gateway.payload import nanoseconds

if TYPE_CHECKING:
    from agent.scheduler import Settings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CAUSES = (Cause.STARVED, Cause.BLOCKED, Cause.STOPPED, Cause.CHANGEOVER, Cause.IDLE)
MOST_ENERGY = 2**53  # Wh
MOST_POWER_W = 2e6  # more than a line draws: what a meter may count in a second
METER_PACE = 60 * SECOND
BELIEVABLE = 2.0  # times the takt's rate: what a counter may do when the line file sets no max_rate


def machine_rules(line: LineFile, devices: Sequence[Device]) -> list[MachineRule]:
    """Which tags tell of each machine, and what its lamps mean."""
    by_name = {device.name: device for device in devices}
    return [_machine_rule(table, line.takt, by_name) for table in line.machine]


def _machine_rule(table: MachineTable, takt_s: float, devices: Mapping[str, Device]) -> MachineRule:
    return MachineRule(
        name=table.name,
        state=_tag(table.state.tag),
        patterns=_patterns(table),
        flash=int(table.state.flash * SECOND),
        max_rate=table.max_rate or BELIEVABLE / takt_s,
        good=_counter(table.good, devices),
        scrap=_counter(table.scrap, devices),
        reason=_tag(table.reason) if table.reason else None,
        cycle=_tag(table.cycle) if table.cycle else None,
        rework=_counter(table.rework, devices),
        energy=_meter(table.energy, devices),
    )


def meter(line: LineFile, devices: Sequence[Device]) -> CounterRule | None:
    """The meter of the whole line."""
    return _meter(line.energy, {device.name: device for device in devices})


def _tag(reference: str) -> TagRef:
    return TagRef(*reference.split(".", 1))


def _counter(reference: str | None, devices: Mapping[str, Device]) -> CounterRule | None:
    if reference is None:
        return None
    tag = _tag(reference)
    device = devices[tag.device]
    modulus = device.modulus(tag.tag)
    if modulus is None:
        raise ValueError(f"{reference} cannot count parts; the line file's check lets no such tag through")
    return CounterRule(tag, modulus, int(device.late_s * SECOND))


def _meter(reference: str | None, devices: Mapping[str, Device]) -> CounterRule | None:
    """A meter's total; one that turns over begins a new epoch."""
    if reference is None:
        return None
    tag = _tag(reference)
    device = devices[tag.device]
    unit = next(one.unit for one in device.tags if one.name == tag.tag)
    late = int(device.late_s * SECOND)
    return CounterRule(tag, MOST_ENERGY, late, per=ENERGY_UNITS[unit], max_rate=MOST_POWER_W / 3600, pace=METER_PACE)


def _patterns(table: MachineTable) -> dict[Lamp, MachineState]:
    states = {
        "executing": MachineState(State.EXECUTING),
        "out_of_service": MachineState(State.OUT_OF_SERVICE),
        **{cause.value: MachineState(State.NOT_EXECUTING, cause) for cause in CAUSES},
    }
    patterns = {lamp: state for word, state in states.items() for lamp in table.state.lamps(word)}
    stopped = states[Cause.STOPPED.value]
    return patterns | {lamp: replace(stopped, reason=code) for lamp, code in table.state.stop_codes.items()}


def device_rules(devices: Sequence[Device]) -> list[DeviceRule]:
    """Each device as the line file names it."""
    return [
        DeviceRule(
            name=device.name,
            driver=device.driver,
            address=device.address,
            tags=tuple((tag.name, tag.unit) for tag in device.tags),
            beat_s=min(tag.every for tag in device.tags),
            clock=device.clock,
        )
        for device in devices
    ]


def calendar(line: LineFile) -> Calendar:
    """The shifts, with holidays and changed plans by date."""
    named = {table.name: table for table in line.shift}
    exceptions = {
        day: tuple(_shifts([*(named[name] for name in one.shifts), *one.shift]))
        for one in line.exception
        for day in one.days
    }
    return Calendar(tuple(_shifts(line.shift)), exceptions)


def _shifts(tables: Sequence[ShiftTable]) -> list[Shift]:
    return [
        Shift(
            table.name,
            time.fromisoformat(table.start),
            time.fromisoformat(table.end),
            frozenset(WEEKDAYS.index(day) for day in table.days),
            tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in table.breaks),
        )
        for table in tables
    ]


def tag_index(devices: Sequence[Device], reference: str) -> tuple[str, int]:
    """A tag's device and its place in that device's batches."""
    name, tag = _tag(reference)
    device = next(device for device in devices if device.name == name)
    return name, [one.name for one in device.tags].index(tag)


def scheduling(line: LineFile) -> Settings:
    """What plans are made of; the scheduler is imported only for a line that has one."""
    from agent.scheduler import Product, Settings

    assert line.schedule is not None
    return Settings(
        machines=tuple(machine.name for machine in line.machine),
        products={product.name: Product(product.family, product.cycle) for product in line.product},
        changeover_s=line.schedule.changeover,
        frozen_s=line.schedule.frozen,
    )


def order(body: Mapping[str, Any]) -> Order:
    """The order in an order record's body."""
    due = nanoseconds(datetime.fromisoformat(body["due"]))
    return Order(body["order"], body["product"], body["quantity"], due, body["weight"])
