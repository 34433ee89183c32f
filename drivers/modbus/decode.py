"""Pure: the payload of a reply -> a column of numbers, whole blocks at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.model import BAD_NO_DATA, GOOD
from drivers.modbus.blocks import Block
from drivers.modbus.device import REGISTERS, ModbusTag, WordOrder

EXACT = 2**53
RAW = {"u16": ">u2", "i16": ">i2", "u32": ">u4", "i32": ">i4", "u64": ">u8", "f32": ">f4"}


@dataclass(frozen=True, slots=True)
class Column:
    """Where the values of one datatype stand: their rows in the block, and for each the bytes it is made of."""

    datatype: str
    rows: NDArray[np.intp]
    places: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a block's payload. Rows are in the order of the block's tags."""

    columns: tuple[Column, ...]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    def values(self, payload: bytes) -> tuple[NDArray[np.float64], NDArray[np.uint32], dict[int, str]]:
        """The numbers and statuses of a payload of the right length; by row, the digits of integers beyond 2**53.

        A float that is no number (a meter's way to say it has none) is NaN with status BadNoData.
        """
        octets = np.frombuffer(payload, np.uint8)
        value = np.empty(len(self.scale))
        text: dict[int, str] = {}
        for column in self.columns:
            if column.datatype == "bool":
                value[column.rows] = np.unpackbits(octets, bitorder="little")[column.places]
                continue
            raw = octets[column.places].view(RAW[column.datatype])[:, 0]
            value[column.rows] = raw
            if column.datatype == "u64" and (raw > EXACT).any():
                text.update({int(column.rows[i]): str(raw[i]) for i in np.flatnonzero(raw > EXACT)})
        value = value * self.scale + self.offset
        text = {row: digits for row, digits in text.items() if (self.scale[row], self.offset[row]) == (1.0, 0.0)}
        status = np.where(np.isfinite(value), GOOD, BAD_NO_DATA).astype(np.uint32)
        value[status != GOOD] = np.nan
        value[list(text)] = np.nan
        return value, status, text


def layout(tags: Sequence[ModbusTag], block: Block, order: WordOrder) -> Layout:
    """How the block's values stand in its payload, for a unit's word order."""
    own = [tags[index] for index in block.tags]
    columns = []
    for datatype in dict.fromkeys(tag.datatype for tag in own):
        rows = [row for row, tag in enumerate(own) if tag.datatype == datatype]
        starts = np.array([own[row].place[1] - block.start for row in rows], np.intp)
        if datatype == "bool":
            places = starts
        else:
            places = 2 * starts[:, None] + np.array(octet_order(2 * REGISTERS[datatype], order), np.intp)
        columns.append(Column(datatype, np.array(rows, np.intp), places))
    return Layout(tuple(columns), np.array([tag.scale for tag in own]), np.array([tag.offset for tag in own]))


def octet_order(octets: int, order: WordOrder) -> list[int]:
    """Where the bytes of a value stand, most significant first. A single register is always as Modbus has it."""
    straight = list(range(octets))
    if octets == 2 or order == "ABCD":
        return straight
    if order == "DCBA":
        return straight[::-1]
    swapped = [place ^ 1 for place in straight]
    return swapped if order == "BADC" else swapped[::-1]
