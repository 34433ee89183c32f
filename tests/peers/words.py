"""What the counting servers of this folder have in common: what they tell and the words they hear."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

LIFE = 1_000_000
HASH = 2_654_435_761


def check(serial: int) -> int:
    """The hash that goes with a serial number."""
    return serial * HASH % 2**32


@dataclass
class Counting:
    """A server's count: `bad` is what it answers instead, 0 nothing."""

    life: int
    good: int = 0
    bad: int = 0
    halted: bool = False

    def values(self) -> tuple[int, int, int, int]:
        """light, good, serial, check."""
        serial = self.life * LIFE + self.good
        return 4, self.good, serial, check(serial)

    def hear(self, word: str) -> None:
        """`bad N`, `well`, or `halt`, which is answered."""
        if word.startswith("bad"):
            self.bad = int(word.partition(" ")[2] or 1)
        elif word == "well":
            self.bad = 0
        elif word == "halt":
            self.halted = True
            print(json.dumps({"good": self.good}), flush=True)


async def words() -> AsyncIterator[str]:
    """Lines of standard input, until it closes."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()
