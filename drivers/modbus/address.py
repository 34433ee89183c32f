"""Pure: Modbus addresses as plants write them -> (table, 0-based offset)."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Literal

Base = Literal[0, 1]


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
    "%M": Space.COIL,
    "%MW": Space.HOLDING_REGISTER,
}
DIGITS = {
    "0": Space.COIL,
    "1": Space.DISCRETE_INPUT,
    "3": Space.INPUT_REGISTER,
    "4": Space.HOLDING_REGISTER,
}
REMEDY = "write 'HR0', 'IR52', 'C0', 'DI0', '%MW0', '%M0' (from 0), or '40001', '400001', '4x0001' (from 1)"
BASE_REMEDY = "does not say whether it counts from 0 or 1; write address_base = 0 or address_base = 1"


def parse(text: str, base: Base | None = None, *, bits: bool = False) -> tuple[Space, int]:
    """Space and offset from 0 of an address; ValueError with the remedy where it is none.

    A bare number or hex counts from `base`, in the coils where the value is `bits`, else in the holding registers.
    0x is always hex: coils are written 00001 or C0.
    """
    if match := re.fullmatch(r"(HR|IR|DI|C|%MW|%M)(\d{1,5}|0x[0-9A-Fa-f]{1,4})", text):
        space, offset = LETTERS[match[1]], _number(match[2])
    elif match := re.fullmatch(r"([134])x(\d{1,6})|([0134])(\d{4,5})", text):
        space, offset = DIGITS[match[1] or match[3]], int(match[2] or match[4]) - 1
    elif re.fullmatch(r"0x[0-9A-Fa-f]{1,5}|[1-9]\d{0,4}|0", text):
        if base is None:
            raise ValueError(f"address {text!r} {BASE_REMEDY} in the device's table, or {REMEDY}")
        space, offset = Space.COIL if bits else Space.HOLDING_REGISTER, _number(text) - base
    else:
        raise ValueError(f"{REMEDY}, not {text!r}")
    if not 0 <= offset <= 0xFFFF:
        raise ValueError(f"address {text!r} is outside the 65536 of its table; {REMEDY}")
    return space, offset


def _number(text: str) -> int:
    return int(text, 16) if text.startswith("0x") else int(text)
