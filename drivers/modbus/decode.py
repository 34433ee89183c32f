"""Pure: the payloads of a poll's replies -> one column of numbers, all blocks at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.model import BAD_NO_DATA, GOOD
from drivers.modbus.blocks import Block
from drivers.modbus.datatype import EXACT, RAW, REGISTERS, WordOrder, decimal_digits, octet_order, text_order
from drivers.modbus.device import ModbusTag

BAD_DECODING = 0x8007_0000


@dataclass(frozen=True, slots=True)
class Column:
    """Where the values of one datatype stand: their rows, and for each the octets it is made of.

    `absent` are the rows, counted in the column, that have a sentinel, and its bits: one pair each.
    """

    datatype: str
    rows: NDArray[np.intp]
    places: NDArray[np.intp]
    absent: tuple[NDArray[np.intp], NDArray[np.uint64]]

    def numbers(self, octets: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The raw numbers, and which of them mean none: a sentinel, or a digit above nine."""
        code = RAW[self.datatype]
        whole = octets[self.places]
        raw = whole.view(code)[:, 0]
        none = np.zeros(len(raw), np.bool_)
        positions, patterns = self.absent
        if len(positions):
            bits = whole.view(f">u{code[2:]}")[:, 0]
            none[positions[bits[positions] == patterns]] = True
        if self.datatype.startswith("bcd"):
            raw, wrong = _decimal(raw.astype(np.uint64), 4 * REGISTERS[self.datatype])
            none |= wrong
        return raw, none


@dataclass(frozen=True, slots=True)
class Text:
    """A text's row and the octets it is made of."""

    row: int
    places: NDArray[np.intp]
    encoding: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the payloads of some blocks, one after the other. Rows are the blocks' tags in their order.

    `bits` are rows, octets and shifts of single bits.
    """

    octets: int
    columns: tuple[Column, ...]
    bits: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]
    texts: tuple[Text, ...]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    def values(self, payload: bytes) -> tuple[NDArray[np.float64], NDArray[np.uint32], dict[int, str]]:
        """The numbers and statuses of payloads of the right length; by row, texts and integers beyond 2**53.

        A sentinel and a float that is no number (a meter's way to say it has none) are NaN with status BadNoData.
        """
        octets = np.frombuffer(payload, np.uint8)
        value = np.empty(len(self.scale))
        text: dict[int, str] = {}
        for column in self.columns:
            raw, none = column.numbers(octets)
            value[column.rows] = raw
            if column.datatype in ("u64", "i64"):
                large = np.flatnonzero(~none & ((raw > EXACT) | (raw < -EXACT)))
                text.update({int(column.rows[i]): str(raw[i]) for i in large})
            value[column.rows[none]] = np.nan
        rows, places, shifts = self.bits
        value[rows] = octets[places] >> shifts & 1
        value = value * self.scale + self.offset
        text = {row: digits for row, digits in text.items() if (self.scale[row], self.offset[row]) == (1.0, 0.0)}
        status = np.where(np.isfinite(value), GOOD, BAD_NO_DATA).astype(np.uint32)
        value[status != GOOD] = np.nan
        for own in self.texts:
            text[own.row], status[own.row] = _words(octets[own.places].tobytes(), own.encoding)
        value[list(text)] = np.nan
        return value, status, text


def layout(tags: Sequence[ModbusTag], blocks: Sequence[Block], order: WordOrder) -> Layout:
    """How the blocks' values stand in their payloads put together; `order` is for tags that have none of their own."""
    own, starts, at = [], [], 0
    for block in blocks:
        for index in block.tags:
            offset = tags[index].place[1] - block.start
            own.append(tags[index])
            starts.append(8 * at + offset if block.space.is_bits else at + 2 * offset)
        at += block.octets
    columns: dict[str, list[int]] = {}
    bits, texts = [], []
    for row, tag in enumerate(own):
        if tag.datatype == "bool":
            bits.append((row, *_bit(tag, starts[row])))
        elif tag.datatype == "text":
            places = starts[row] + np.array(text_order(2 * tag.size, tag.word_order or order)[: tag.length], np.intp)
            texts.append(Text(row, places, tag.encoding))
        else:
            columns.setdefault(tag.datatype, []).append(row)
    rows, octets, shifts = np.array(bits, np.intp).reshape(-1, 3).T
    return Layout(
        at,
        tuple(_column(datatype, rows, own, starts, order) for datatype, rows in columns.items()),
        (rows, octets, shifts.astype(np.uint8)),
        tuple(texts),
        np.array([tag.scale for tag in own], np.float64),
        np.array([tag.offset for tag in own], np.float64),
    )


def _column(
    datatype: str, rows: Sequence[int], tags: Sequence[ModbusTag], starts: Sequence[int], order: WordOrder
) -> Column:
    width = 2 * REGISTERS[datatype]
    places = [[starts[row] + place for place in octet_order(width, tags[row].word_order or order)] for row in rows]
    absent = [(n, bits) for n, row in enumerate(rows) for bits in tags[row].patterns]
    return Column(
        datatype,
        np.array(rows, np.intp),
        np.array(places, np.intp),
        (np.array([n for n, _ in absent], np.intp), np.array([bits for _, bits in absent], np.uint64)),
    )


def _bit(tag: ModbusTag, start: int) -> tuple[int, int]:
    """Octet and shift: coils fill octets from the lowest bit, a register has its high octet first."""
    if tag.bit is None:
        return start // 8, start % 8
    return start + (tag.bit < 8), tag.bit % 8


def _decimal(raw: NDArray[np.uint64], nibbles: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Binary-coded decimals as numbers, and which of them have a digit above nine."""
    number, wrong = np.zeros(len(raw), np.uint64), np.zeros(len(raw), np.bool_)
    for shift, weight in decimal_digits(nibbles):
        digit = raw >> np.uint64(shift) & np.uint64(15)
        wrong |= digit > 9
        number += digit * np.uint64(weight)
    return number, wrong


def _words(octets: bytes, encoding: str) -> tuple[str, int]:
    """A text up to its first NUL without the blanks behind it; BadDecodingError where the octets are none."""
    try:
        return octets.split(b"\0", 1)[0].decode(encoding).rstrip(), GOOD
    except UnicodeDecodeError:
        return "", BAD_DECODING
