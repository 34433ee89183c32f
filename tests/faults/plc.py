"""A PLC that outlives whatever reads it: counters that go on by seed, behind a Modbus TCP server of its own."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

STEP_S = 0.02
START = 65_400  # the counters soon wrap
MODULUS = 65_536
MACHINES = ("press1", "trim1")
LAMPS = (4, 4, 4, 34, 1)
TREE = "tanchang/v1/foshan/faults/two"
Key = tuple[str, str]


class Plc:
    """Two machines with good, scrap and lamp; `made` is what was counted since the beginning, the truth."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.made: dict[Key, int] = {(machine, name): 0 for machine in MACHINES for name in ("good", "scrap")}
        self._lamps = dict.fromkeys(MACHINES, LAMPS[0])
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """It answers within the block; it counts until `stop`."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._running = asyncio.create_task(self._count())
            try:
                yield
            finally:
                await self.stop()
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """No part is made any more; what was made can still be read."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    def step(self) -> None:
        """What one turn of the plant brings."""
        for key in self.made:
            if self._chance.random() < (0.4 if key[1] == "good" else 0.05):
                self.made[key] += 1
        if self._chance.random() < 0.02:
            self._lamps[self._chance.choice(MACHINES)] = self._chance.choice(LAMPS)

    def baseline(self, raw: int) -> int:
        """How many were made when the register stood at `raw` in its first turn."""
        return (raw - START) % MODULUS

    async def _count(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(STEP_S)

    def registers(self) -> list[int]:
        """What it would answer now, in the order of the line file's tags."""
        held = []
        for machine in MACHINES:
            counters = [(START + self.made[machine, name]) % MODULUS for name in ("good", "scrap")]
            held += [*counters, self._lamps[machine]]
        return held

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readexactly(8)
                transaction, _, length, unit, code = struct.unpack(">HHHBB", head)
                reply = self._answer(code, await reader.readexactly(length - 2))
                writer.write(struct.pack(">HHHB", transaction, 0, len(reply) + 1, unit) + reply)
                await writer.drain()
        writer.close()

    def _answer(self, code: int, asked: bytes) -> bytes:
        if code != 3:
            return bytes([code | 0x80, 1])
        first, number = struct.unpack(">HH", asked)
        held = self.registers()[first : first + number]
        return bytes([3, 2 * number]) + struct.pack(f">{number}H", *held) if len(held) == number else bytes([0x83, 2])


def line_file(plc_port: int, broker_port: int, consumer: str | None = None) -> str:
    """The line file of an agent that reads it; `consumer` acknowledges records itself."""
    tags, machines = [], []
    for place, machine in enumerate(MACHINES):
        tags += [
            f'{{ name = "{machine}_{name}", address = "HR{3 * place + offset}", datatype = "u16", every = "20ms" }},'
            for offset, name in enumerate(("good", "scrap", "light"))
        ]
        machines.append(
            f'[[machine]]\nname = "{machine}"\nmax_rate = 100.0\n'
            f'good = "plc.{machine}_good"\nscrap = "plc.{machine}_scrap"\n'
            f'state = {{ tag = "plc.{machine}_light", executing = [4], starved = [34], stopped = [1] }}\n'
        )
    return "\n".join(
        [
            'site = "foshan"\narea = "faults"\nline = "two"\ntakt = "1s"\n',
            f'[mqtt]\nhost = "127.0.0.1"\nport = {broker_port}\n' + (f'consumer = "{consumer}"\n' if consumer else ""),
            f'[[device]]\nname = "plc"\ndriver = "modbus"\nhost = "127.0.0.1"\nport = {plc_port}\ntimeout = "20s"\n',
            "tag = [",
            *tags,
            "]\n",
            *machines,
        ]
    )
