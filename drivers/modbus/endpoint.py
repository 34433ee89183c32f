"""Pure: what a connection leads to. Devices with the same endpoint share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Framing = Literal["tcp", "rtu"]
Parity = Literal["none", "even", "odd"]


@dataclass(frozen=True, slots=True)
class Socket:
    """A listener; `framing` rtu is a serial server that passes RTU frames through.

    `lane` is the unit that has a connection to itself: some servers lose requests of several units on one.
    """

    host: str
    port: int
    framing: Framing = "tcp"
    lane: int | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tty:
    """A serial line of this gateway: 8 data bits, RTU."""

    path: str
    baudrate: int = 19200
    parity: Parity = "even"
    stopbits: Literal[1, 2] = 1

    def __str__(self) -> str:
        return self.path


Endpoint = Socket | Tty
