"""A PLC that tears a pair of registers, read with guard = "double_read"."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np
import pytest

from agent.model import BAD_NO_DATA
from tests.contract.test_modbus_port import drivers, gateway, table

WIDE = {"name": "count", "address": "HR0", "datatype": "u32", "every": "20ms"}
NEXT = {"name": "next", "address": "HR2", "datatype": "u16", "every": "20ms"}


@pytest.mark.parametrize(
    ("held", "value", "reads"),
    [
        pytest.param([0x1FFFF, 0x1FFFF], 0x1FFFF, 2, id="still"),
        pytest.param([0x1FFF0, 0x1FFF9], 0x1FFF9, 2, id="counting"),
        pytest.param([0x2FFFF, 0x20000, 0x20000], 0x20000, 3, id="torn-high-first"),
        pytest.param([0x1FFFF, 0x10000, 0x20000, 0x20001], 0x20001, 4, id="torn-low-first"),
        pytest.param([0x1FFFF, 0x2FFFF, 0x20000, 0x20000], 0x20000, 4, id="torn-after-a-whole-one"),
        pytest.param([0x10000, 0x30000, 0x50000, 0x70000, 0x70000], None, 4, id="never-twice-the-same"),
    ],
)
async def test_a_torn_value_is_read_again_and_its_neighbour_is_not_touched(
    held: Iterable[int], value: int | None, reads: int
) -> None:
    readings = iter(held)
    asked: list[bytes] = []

    async def answer(_unit: int, pdu: bytes) -> bytes:
        asked.append(pdu)
        return b"\x03\x06" + struct.pack(">IH", next(readings), 7)

    async with gateway(answer) as far, drivers(table(far.port, tag=[WIDE, NEXT], guard="double_read")) as (own,):
        await own.connect(own.device.tags)
        batch = await own.read()
    told = dict(zip(batch.index.tolist(), zip(batch.value.tolist(), batch.status.tolist(), strict=True), strict=True))
    assert told[1] == (7, 0)
    assert len(asked) == reads
    if value is None:
        assert np.isnan(told[0][0])
        assert told[0][1] == BAD_NO_DATA
    else:
        assert told[0] == (value, 0)
