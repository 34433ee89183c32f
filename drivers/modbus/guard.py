"""Pure: values of several registers that a PLC may tear, told from whole ones by reading them again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from drivers.modbus.datatype import Guard
from drivers.modbus.device import ModbusTag

MOST_READS = 4
WORD = 65536
COUNTING = ("u32", "u64")
Row = tuple[float, int, str | None]
"""Value, status and text."""


def guarded(tags: Sequence[ModbusTag], default: Guard) -> frozenset[int]:
    """The tags that are read again: of several registers, and told so themselves or by their device."""
    return frozenset(n for n, tag in enumerate(tags) if tag.size > 1 and (tag.guard or default) == "double_read")


def agree(tag: ModbusTag, before: Row, now: Row) -> bool:
    """Whether two reads in a row are of a whole value.

    They are equal, or an unsigned integer went on within its lowest register: nothing was carried that could be torn.
    """
    if before[1:] != now[1:]:
        return False
    if before[0] == now[0] or (math.isnan(before[0]) and math.isnan(now[0])):
        return True
    rises = before[0] < now[0] and before[0] // WORD == now[0] // WORD
    return rises and not tag.scaled and tag.datatype in COUNTING
