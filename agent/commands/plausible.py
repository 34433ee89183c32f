"""Pure: is what one reading of a device brought believable, tag by tag."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from agent.configuration.crosscheck import STATES
from agent.configuration.tables import LineFile
from agent.flashing import values_of
from agent.model import BAD, BAD_NO_DATA, SECOND, UNCERTAIN, Origin
from drivers.contract import Device, Tag

REMEDIES = {
    0x8034_0000: ("BadNodeIdUnknown", "the device has nothing at this address; check it against the device's own list"),
    0x803D_0000: (
        "BadNotSupported",
        "the device does not serve this table; holding and input registers are often mixed up",
    ),
    0x803C_0000: ("BadOutOfRange", "the device or its value is out of range; check address and datatype"),
    0x803A_0000: ("BadNotReadable", "the node may not be read; ask for read access in the server"),
    0x801F_0000: ("BadUserAccessDenied", "this user may not read it; ask for read access in the server"),
    0x808B_0000: ("BadDeviceFailure", "the device reports a failure of its own; look at its display"),
    0x8032_0000: ("BadWaitingForInitialData", "the server has told no value yet; check that its source runs"),
    BAD_NO_DATA: ("BadNoData", "the device says that it has no value"),
}
EARLIEST, LATEST = 946_684_800 * SECOND, 4_102_444_800 * SECOND  # the years 2000 to 2100
CLOCK_OFF_S = 60
TINY, HUGE = 1e-9, 1e9


class Grade(IntEnum):
    """How far a tag can be trusted."""

    GOOD = 0
    DOUBTFUL = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at a tag told."""

    device: str
    tag: str
    value: str
    grade: Grade
    remark: str = ""


def judge(line: LineFile, device: Device, tag: Tag, cell: tuple[float, int, str | None], now: int) -> Looked:
    """A value, its StatusCode and its text, read at `now` (ns of the gateway's clock)."""
    value, status, text = cell
    shown = text if text is not None else f"{value:.0f}" if value.is_integer() else f"{value:.9g}"
    if status & BAD:
        name, remedy = REMEDIES.get(status, ("bad", "look the code up in the device's manual"))
        return Looked(device.name, tag.name, "-", Grade.BAD, f"{name} {status:#010x}: {remedy}")
    grade, remark = _doubt(line, device, tag, value, text, now)
    if status & UNCERTAIN and grade is Grade.GOOD:
        grade, remark = Grade.DOUBTFUL, f"the device calls it uncertain ({status:#010x})"
    return Looked(device.name, tag.name, f"{shown} {tag.unit}".strip(), grade, remark)


def _doubt(line: LineFile, device: Device, tag: Tag, value: float, text: str | None, now: int) -> tuple[Grade, str]:
    place = f"{device.name}.{tag.name}"
    if device.clock == tag.name:
        return _clock(value, now)
    if text is not None:
        return Grade.GOOD, ""
    for machine in line.machine:
        lamps = {one for state in STATES for lamp in machine.state.lamps(state) for one in values_of(lamp)}
        if machine.state.tag == place and value not in lamps:
            return (
                Grade.DOUBTFUL,
                f"machine {machine.name} knows no lamp {value:g}: it would be UNKNOWN; list it in state",
            )
        if place in (machine.good, machine.scrap, machine.rework) and not (value >= 0 and value.is_integer()):
            return Grade.BAD, f"machine {machine.name} counts parts with it, and this is no whole number from 0 on"
    if math.isnan(value):
        return Grade.DOUBTFUL, "no number; check datatype and word order"
    if value and not TINY <= abs(value) <= HUGE and getattr(tag, "datatype", None) in ("f32", "f64"):
        return Grade.DOUBTFUL, "hardly a measured value; try another word_order"
    return Grade.GOOD, ""


def _clock(value: float, now: int) -> tuple[Grade, str]:
    """A clock is bad where it is no date of this century, doubtful where it is not ours."""
    time = value * 1e6
    if not EARLIEST <= time <= LATEST:
        return Grade.BAD, "no date of this century in ms since 1970; check datatype, word order and the PLC's clock"
    said = datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds")
    off = (time - now) / SECOND
    if abs(off) > CLOCK_OFF_S:
        return Grade.DOUBTFUL, f"{said}, {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} this gateway's clock"
    return Grade.GOOD, said


def unread(device: Device, tag: Tag, why: str) -> Looked:
    """A tag no answer came for."""
    return Looked(device.name, tag.name, "-", Grade.BAD, why)


def heading(device: Device, origin: Origin | None) -> str:
    """Which device, and who answered."""
    if origin is None:
        return f"{device.name}  {device.address}: no answer"
    who = " ".join(word for word in (origin.vendor, origin.product) if word) or "does not say who it is"
    simulated = f", SIMULATED at {origin.speed:g}x" if origin.simulated else ""
    return f"{device.name}  {device.address}: {who}{simulated}"


def tally(looked: Mapping[str, list[Looked]]) -> str:
    """How many tags of each grade there are."""
    grades = [one.grade for several in looked.values() for one in several]
    return ", ".join(f"{grades.count(grade)} {grade.name.lower()}" for grade in Grade)
