"""Registers as a person may mean them: each as a number, each with the next one in all four word orders. Pure."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from drivers.modbus.datatype import WordOrder, octet_order

ORDERS: tuple[WordOrder, ...] = ("ABCD", "CDAB", "BADC", "DCBA")


@dataclass(frozen=True, slots=True)
class Pair:
    """A register and the next one in one order; a float that is none as "NaN" or "inf"."""

    order: WordOrder
    u32: int
    f32: str


@dataclass(frozen=True, slots=True)
class Word:
    """One register at `offset` of its table; `pairs` is empty for the last."""

    offset: int
    u16: int
    i16: int
    pairs: tuple[Pair, ...]


def words(octets: bytes, start: int) -> list[Word]:
    """The registers from `start` on, whose octets came as Modbus has them."""
    found = []
    for place in range(0, len(octets) - 1, 2):
        u16, i16 = struct.unpack_from(">H", octets, place)[0], struct.unpack_from(">h", octets, place)[0]
        four = octets[place : place + 4]
        pairs = tuple(_pair(four, order) for order in ORDERS) if len(four) == 4 else ()
        found.append(Word(start + place // 2, u16, i16, pairs))
    return found


def _pair(octets: bytes, order: WordOrder) -> Pair:
    straight = bytes(octets[place] for place in octet_order(4, order))
    (u32,), (f32,) = struct.unpack(">I", straight), struct.unpack(">f", straight)
    return Pair(order, u32, f"{f32:.7g}" if math.isfinite(f32) else str(f32).replace("nan", "NaN"))
