"""A Modbus TCP server on pymodbus that counts: `python -m tests.peers.counting_modbus LIFE EVERY_MS`.

Registers, words on standard input and lines on standard output are those of counting_modbus.c.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from typing import Any, cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.peers.words import Counting, words


async def main(life: int, every_s: float) -> None:
    """Count until standard input ends."""
    counting = Counting(life)
    began = time.monotonic()

    def count() -> None:
        if not counting.halted:
            counting.good = int((time.monotonic() - began) / every_s)

    async def refresh(_code: int, _start: int, _at: int, _count: int, held: list[int], _new: Any) -> ExcCodes | None:
        count()
        held[0:7] = struct.unpack(">7H", struct.pack(">HIII", *counting.values()))
        return ExcCodes(counting.bad) if counting.bad else None

    unit = SimDevice(1, [SimData(0, count=7, datatype=DataType.REGISTERS)], action=refresh)
    server = ModbusTcpServer([unit], address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = cast("asyncio.Server", server.transport).sockets[0].getsockname()[1]
    print(json.dumps({"port": port}), flush=True)
    async for word in words():
        count()
        counting.hear(word)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
