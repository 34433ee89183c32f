"""Pure: the kinds of value that stand in registers, and how their octets are laid out."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Literal

DataType = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "bcd16", "bcd32", "bool", "text"]
WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Guard = Literal["none", "double_read"]

RAW = {
    "u16": ">u2",
    "i16": ">i2",
    "u32": ">u4",
    "i32": ">i4",
    "u64": ">u8",
    "i64": ">i8",
    "f32": ">f4",
    "f64": ">f8",
    "bcd16": ">u2",
    "bcd32": ">u4",
}
"""What numpy calls a number once its octets stand most significant first."""

REGISTERS = {name: int(raw[2:]) // 2 for name, raw in RAW.items()} | {"bool": 1}
"""How many addresses a value of each type takes; a text says its length itself."""

MODULUS = {"u16": 2**16, "u32": 2**32, "u64": 2**64, "bcd16": 10**4, "bcd32": 10**8}
"""Where a counter of each type wraps."""

FLOATS = {"f32": ">f", "f64": ">d"}
EXACT = 2**53
"""Integers beyond it are told as text: a float64 would round them."""


def octet_order(octets: int, order: WordOrder) -> list[int]:
    """Where the bytes of a number stand, most significant first. A single register is always as Modbus has it."""
    straight = list(range(octets))
    if octets == 2 or order == "ABCD":
        return straight
    if order == "DCBA":
        return straight[::-1]
    swapped = [place ^ 1 for place in straight]
    return swapped if order == "BADC" else swapped[::-1]


def text_order(octets: int, order: WordOrder) -> list[int]:
    """Where the characters of a text stand: BADC and DCBA have the first of each register in its low byte."""
    return [place ^ 1 if order in ("BADC", "DCBA") else place for place in range(octets)]


def pattern(datatype: str, value: float) -> int:
    """The bits of a sentinel: an integer is them already, a float of f32 or f64 is turned into them."""
    bits = 16 * REGISTERS[datatype]
    if datatype in FLOATS and isinstance(value, float):
        return int.from_bytes(struct.pack(FLOATS[datatype], value))
    if not isinstance(value, int):
        raise ValueError(f"a sentinel of a {datatype} is an integer, not {value!r}; write its raw bits such as 0x8000")
    lowest = -(1 << bits - 1) if datatype[0] == "i" else 0
    if not lowest <= value < 1 << bits:
        raise ValueError(f"sentinel {value} does not fit a {datatype}; write its raw bits such as 0x8000, or -9999.0")
    return value % (1 << bits)


def decimal_digits(nibbles: int) -> Iterable[tuple[int, int]]:
    """Shift and weight of each binary-coded decimal digit."""
    return ((4 * place, 10**place) for place in range(nibbles))
