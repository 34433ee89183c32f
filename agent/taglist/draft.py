"""Pure: what the readers of all dialects share. A row becomes a Draft, or a Reject with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from drivers.modbus.address import BASE_REMEDY, Space, parse

LETTER = {
    Space.COIL: "C",
    Space.DISCRETE_INPUT: "DI",
    Space.INPUT_REGISTER: "IR",
    Space.HOLDING_REGISTER: "HR",
}
TABLES = {"0": "C", "1": "DI", "3": "IR", "4": "HR"}
MULTIPLE = frozenset({"u32", "i32", "u64", "i64", "f32", "f64", "bcd32"})
SHORTEST_MS, LONGEST_MS = 10, 3_600_000


class Reject(Exception):  # noqa: N818 - the verdict on a row, not an error of ours
    """A row cannot be taken over; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list does not say and the engineer has to. None: not said, so a row that needs it is rejected."""

    device: str
    host: str = ""
    port: int | None = None
    unit: int = 1
    address_base: Literal[0, 1] | None = None
    word_order: str | None = None
    endian: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A tag as it shall stand in the line file, its name still as the list has it. `notes`: what was changed.

    `where` names it if its own name has no letters that ours can have.
    """

    source: str
    tag: Mapping[str, Any]
    where: str
    unit: int | None = None
    group: str = ""
    comment: str = ""
    notes: tuple[str, ...] = ()


def place(text: str, choices: Choices, *, bits: bool) -> str:
    """An address as HR0, IR0, C0 or DI0, from 0. 40001 and 400001 count from 1 unless the engineer says otherwise."""
    if match := re.fullmatch(r"([0134])(\d{4,5})", text):
        offset = int(match[2]) - (1 if choices.address_base is None else choices.address_base)
        if not 0 <= offset <= 0xFFFF:
            raise Reject(f"address {text} is outside its table")
        return f"{TABLES[match[1]]}{offset}"
    try:
        space, offset = parse(text, choices.address_base, bits=bits)
    except ValueError as error:
        if BASE_REMEDY in str(error):
            raise Reject(f"address {text} does not say whether it counts from 0 or 1; give --address-base") from error
        raise Reject(f"{text!r} is no Modbus address") from error
    return f"{LETTER[space]}{offset}"


def laid_out(datatype: str, choices: Choices) -> None:
    """Reject a value of several registers where nobody said how its words are laid out."""
    if datatype in MULTIPLE and choices.word_order is None:
        raise Reject("the list does not say the order of its words; give --word-order ABCD, CDAB, BADC or DCBA")


def number(text: str, what: str) -> float:
    """A decimal number of the list."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise Reject(f"{what} {text!r} is no number")
    return value


def every(milliseconds: str) -> tuple[str | None, tuple[str, ...]]:
    """How often to read, and a note where the list's scan rate cannot be kept."""
    if not milliseconds:
        return None, ()
    asked = number(milliseconds, "scan rate")
    kept = round(min(max(asked, SHORTEST_MS), LONGEST_MS))
    return f"{kept}ms", () if kept == asked else (f"read every {kept} ms, not {milliseconds}",)
