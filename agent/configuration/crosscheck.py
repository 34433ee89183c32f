"""Mistakes that only the whole line file shows: names used twice, tags and machines that do not exist."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from agent.configuration.mistake import Mistake
from agent.configuration.tables import ENERGY_UNITS, LineFile, MachineTable, StateTable
from agent.flashing import Lamp, lamp_word
from drivers.contract import Device

TAGS_OF_A_MACHINE = ("good", "scrap", "rework", "energy", "cycle", "reason")
STATES = tuple(name for name in StateTable.model_fields if name not in ("tag", "flash", "codes"))


def cross_references(line_file: LineFile, devices: Sequence[Device]) -> list[Mistake]:
    """Every such mistake, in the order of the file's tables."""
    tags = {f"{device.name}.{tag.name}": device for device in devices for tag in device.tags}
    return [
        *_twice("device", [device.name for device in devices]),
        *_twice("machine", [machine.name for machine in line_file.machine]),
        *_twice("camera", [camera.name for camera in line_file.camera]),
        *_twice("product", [product.name for product in line_file.product]),
        *(m for device in devices for m in _twice(f"device {device.name}, tag", [tag.name for tag in device.tags])),
        *_exceptions(line_file),
        *_brokers(line_file),
        *_references(line_file, tags),
        *_machines(line_file),
        *(m for machine in line_file.machine for m in _lamps(machine)),
    ]


def _twice(what: str, names: Sequence[str]) -> Iterator[Mistake]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Mistake(f"{what} {name}", "this name is used twice; give each its own")


def _brokers(line_file: LineFile) -> Iterator[Mistake]:
    if line_file.sparkplug is not None and not line_file.sparkplug.broker and line_file.mqtt is None:
        yield Mistake("sparkplug", "there is no broker to go to; add [mqtt], or a [[sparkplug.broker]] with its host")


def _exceptions(line_file: LineFile) -> Iterator[Mistake]:
    names = [table.name for table in line_file.shift]
    told: dict[date, str] = {}
    for one in line_file.exception:
        place = f"exception {one.first}"
        for name in one.shifts:
            if name not in names:
                yield Mistake(place, f"no shift {name!r}; known: {', '.join(names) or 'none'}")
        again = next((day for day in one.days if told.setdefault(day, place) != place), None)
        if again is not None:
            yield Mistake(place, f"{again} is in {told[again]} already; keep one")


def _references(line_file: LineFile, tags: Mapping[str, Device]) -> Iterator[Mistake]:
    used: list[tuple[str, str | None]] = [("energy", line_file.energy)]
    for machine in line_file.machine:
        used.append((f"machine {machine.name}, state, tag", machine.state.tag))
        used += [(f"machine {machine.name}, {key}", getattr(machine, key)) for key in TAGS_OF_A_MACHINE]
    for camera in line_file.camera:
        used.append((f"camera {camera.name}, shot", camera.shot))
        used += [(f"camera {camera.name}, process", reference) for reference in camera.process]
    for place, reference in used:
        if reference is not None and reference not in tags:
            near = difflib.get_close_matches(reference, tags, n=1, cutoff=0.5)
            remedy = f"did you mean {near[0]!r}?" if near else "add it to its device"
            yield Mistake(place, f"no tag {reference!r}; {remedy}")
        elif reference and place.endswith((", good", ", scrap", ", rework")):
            name = reference.partition(".")[2]
            if tags[reference].modulus(name) is None:
                yield Mistake(place, f"{reference} must be an unsigned integer; give that tag datatype 'u16' or 'u32'")
        elif reference and place.endswith("energy"):
            unit = next(tag.unit for tag in tags[reference].tags if tag.name == reference.partition(".")[2])
            if unit not in ENERGY_UNITS:
                yield Mistake(place, f"{reference} is in {unit or 'no unit'}; give that tag unit 'Wh', 'kWh' or 'MWh'")


def _machines(line_file: LineFile) -> Iterator[Mistake]:
    names = [machine.name for machine in line_file.machine]
    for camera in line_file.camera:
        if camera.machine not in names:
            yield Mistake(f"camera {camera.name}, machine", f"no machine {camera.machine!r}; known: {', '.join(names)}")
    for product in line_file.product:
        for machine in product.cycle:
            if machine not in names:
                yield Mistake(f"product {product.name}, cycle", f"no machine {machine!r}; known: {', '.join(names)}")


def _lamps(machine: MachineTable) -> Iterator[Mistake]:
    seen: dict[Lamp, str] = {}
    for state in STATES:
        for value in machine.state.lamps(state):
            if seen.setdefault(value, state) != state:
                remedy = f"lamp {lamp_word(value)} is listed as {seen[value]} and as {state}; keep one"
                yield Mistake(f"machine {machine.name}, state", remedy)
