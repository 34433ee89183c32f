"""Pure: Modbus addresses as plants write them -> (table, 0-based offset)."""

from __future__ import annotations

import re
from enum import IntEnum


class Space(IntEnum):
    """The four address spaces; the value is the function code that reads it."""

    COIL = 1
    DISCRETE_INPUT = 2
    HOLDING_REGISTER = 3
    INPUT_REGISTER = 4

    @property
    def is_bits(self) -> bool:
        """Coils and discrete inputs hold one bit an address, registers 16."""
        return self <= Space.DISCRETE_INPUT


LETTERS = {
    "C": Space.COIL,
    "DI": Space.DISCRETE_INPUT,
    "HR": Space.HOLDING_REGISTER,
    "IR": Space.INPUT_REGISTER,
}
DIGITS = {
    "0": Space.COIL,
    "1": Space.DISCRETE_INPUT,
    "3": Space.INPUT_REGISTER,
    "4": Space.HOLDING_REGISTER,
}
REMEDY = "write 'HR0', 'IR52', 'C0', 'DI0' (from 0), or '40001', '400001', '4x0001' (from 1)"


def parse(text: str) -> tuple[Space, int]:
    """Space and offset from 0 of an address; ValueError with the remedy where it is none."""
    if match := re.fullmatch(r"(HR|IR|DI|C)(\d{1,5})", text):
        space, offset = LETTERS[match[1]], int(match[2])
    elif match := re.fullmatch(r"([0134])(?:x(\d{1,5})|(\d{4,5}))", text):
        space, offset = DIGITS[match[1]], int(match[2] or match[3]) - 1
    else:
        raise ValueError(f"{REMEDY}, not {text!r}")
    if not 0 <= offset <= 0xFFFF:
        raise ValueError(f"address {text!r} is outside the 65536 of its table; {REMEDY}")
    return space, offset
