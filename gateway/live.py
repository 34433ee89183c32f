"""The live lane: the line as it stands, as one retained absolute payload a topic. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from agent.model import Inspection, Kpi, Line, LineNow, Machine, MachineNow, State
from gateway.payload import (
    Json,
    fault,
    figure,
    figure_quality,
    finite,
    inspection_body,
    iso,
    plan_body,
    state,
)
from gateway.topic import LINE, ONLINE, Topic, topic

IMAGE_BYTES = 60_000
IMAGE_TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"}

LAST_WILL: Json = {"value": False, "time": None, "quality": "unknown", "sim": None}


def live(line: Line, now: LineNow, root: str, wall: int, images: Mapping[str, str]) -> dict[Topic, Json]:
    """Every live payload of the line by its topic.

    `root` is the ledger's short root, `wall` the wall time in ns, `images` data addresses by evidence name.
    """
    payloads = {
        topic(line, LINE): _whole(line, now, root, wall),
        topic(line, "_kpi"): _figures(now, ""),
        topic(line, "_fault"): _envelope([fault(one) for one in now.faults], now.time, "good", now.simulated),
    }
    if now.plan is not None:
        payloads[topic(line, "_plan")] = _envelope(plan_body(line, now.plan), now.plan.time, "good", now.simulated)
    names = {machine.name: machine for machine in line.machines}
    for machine in now.machines:
        payloads[topic(line, "_state", machine.name)] = _state(names[machine.name], machine, now)
        payloads[topic(line, "_kpi", machine.name)] = _figures(now, machine.name)
    for last in last_inspections(now.inspections).values():
        payloads[topic(line, "_inspection", last.machine)] = _inspection(last, images)
    return payloads


def birth(line: Line, now: LineNow) -> tuple[Topic, Json]:
    """`_online` true: the agent is connected."""
    return topic(line, ONLINE), _envelope(True, now.time, "good", now.simulated)  # noqa: FBT003 - the value told


def last_inspections(inspections: Iterable[Inspection]) -> dict[str, Inspection]:
    """The latest inspection of each machine."""
    last: dict[str, Inspection] = {}
    for one in inspections:
        if one.machine not in last or one.time >= last[one.machine].time:
            last[one.machine] = one
    return last


def data_address(name: str, content: bytes) -> str | None:
    """An evidence image as a data: address; None for another type, or above 60 kB."""
    kind = IMAGE_TYPES.get(name.rpartition(".")[2].lower())
    address = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return address if kind and len(address) <= IMAGE_BYTES else None


def _envelope(value: object, time: int, quality: str, simulated: bool) -> Json:
    return {"value": value, "time": iso(time), "quality": quality, "sim": simulated}


def _whole(line: Line, now: LineNow, root: str, wall: int) -> Json:
    value = {
        "site": line.site,
        "area": line.area,
        "line": line.line,
        "display": dict(line.display),
        "takt_s": line.takt_s,
        "least_coverage": line.least_coverage,
        "timezone": line.timezone,
        "machines": [machine.name for machine in line.machines],
        "ledger": now.ledger,
        "seq": now.seq,
        "root": root,
        "speed": now.speed,
        "durable": now.durable,
        "wall": iso(wall),
    }
    return _envelope(value, now.time, "good" if now.durable else "uncertain", now.simulated)


def _state(machine: Machine, as_it_stands: MachineNow, now: LineNow) -> Json:
    value = {
        "name": machine.name,
        "display": dict(machine.display),
        **state(machine, as_it_stands.state),
        "since": iso(as_it_stands.since),
        "observed": iso(as_it_stands.observed),
        "good": as_it_stands.good,
        "scrap": as_it_stands.scrap,
        "cycle_s": finite(as_it_stands.cycle_s),
    }
    quality = "unknown" if as_it_stands.state.state is State.UNKNOWN else "good"
    return _envelope(value, now.time, quality, as_it_stands.simulated)


def _figures(now: LineNow, machine: str) -> Json:
    """The figures of a machine, or of the line."""
    figures = [kpi for kpi in now.figures if kpi.machine == machine]
    simulated = now.simulated or any(kpi.simulated for kpi in figures)
    return _envelope([figure(kpi) for kpi in figures], now.time, _quality(figures), simulated)


def _quality(figures: Iterable[Kpi]) -> str:
    """As good as the least covered figure that has a value; unknown where none has."""
    valued = [kpi for kpi in figures if kpi.value is not None]
    worst = min(valued, key=lambda kpi: kpi.coverage, default=None)
    return figure_quality(worst.value, worst.coverage) if worst else "unknown"


def _inspection(last: Inspection, images: Mapping[str, str]) -> Json:
    value = {
        "last": {**inspection_body(last), "time": iso(last.time)},
        "image": images.get(last.evidence) if last.evidence else None,
    }
    return _envelope(value, last.time, "good", last.simulated)
