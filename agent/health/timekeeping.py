"""What the kernel says of its clock: whether something keeps it right, and how far it may be off (adjtimex(2))."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

UNSYNCHRONISED, NANOSECONDS = 0x0040, 0x2000  # STA_UNSYNC, STA_NANO
LAST_LOOK = 256  # more than what the kernel writes behind the fields that are read here


class Timex(ctypes.Structure):
    """The beginning of the kernel's struct timex."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("rest", ctypes.c_byte * LAST_LOOK),
    ]


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """`offset_s` is what is being slewed away now, `error_s` the most it may be off; None unless synchronised."""

    synchronised: bool | None
    offset_s: float | None = None
    error_s: float | None = None


def timekeeping() -> Timekeeping:
    """A look at the kernel's clock; all None where this system does not tell. Changes nothing: modes is 0."""
    if not sys.platform.startswith("linux"):
        return Timekeeping(None)
    said = Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(said)) < 0:
        return Timekeeping(None)
    return read(said.status, said.offset, said.maxerror)


def read(status: int, offset: int, maxerror: int) -> Timekeeping:
    """From the kernel's words: `offset` in us, or in ns where the status says so, `maxerror` in us."""
    if status & UNSYNCHRONISED:
        return Timekeeping(synchronised=False)
    unit = 1e-9 if status & NANOSECONDS else 1e-6
    return Timekeeping(synchronised=True, offset_s=offset * unit, error_s=maxerror * 1e-6)
