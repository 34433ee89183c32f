"""What really went over a device's wire: its last frames, kept however often its driver is built anew.

Recording is part of every request, so it is one append of octets that are there anyway; a Frame is made when one looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

KEPT = 32
REFUSED = 8
CUT = 260  # the longest Modbus frame

Note = tuple[int, bool, bytes, int, int]
"""When (ns since 1970 UTC), whether we sent it, the octets in which it lies, from where to where."""

Part = Mapping[str, str | int]
"""One thing that a frame says: its `word` in the language files, and what belongs to it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What went over the wire at `time` (ns since 1970 UTC, by the gateway's clock): the first CUT of `size` octets."""

    time: int
    sent: bool
    octets: bytes
    size: int


Describe = Callable[[Frame], tuple[Part, ...]]
"""What a frame is in its protocol's words; pure, and never raises."""


@dataclass(frozen=True, slots=True)
class Break:
    """When and why a link ended or did not come to be, for the first time since it gave values; the frames before."""

    time: int
    why: str
    frames: tuple[Frame, ...]


class Frames:
    """One device's; the agent hands it from each driver to the next, for one looks when a link has ended."""

    def __init__(self) -> None:
        self.notes: deque[Note] = deque(maxlen=KEPT)
        self.refusals: deque[tuple[Note, Note]] = deque(maxlen=REFUSED)
        self.broken: Break | None = None

    def last(self) -> tuple[Frame, ...]:
        """The last ones, oldest first."""
        return tuple(map(_frame, self.notes))

    def refused(self) -> tuple[tuple[Frame, Frame], ...]:
        """The last requests that were refused, each with the answer that said so, oldest first."""
        return tuple((_frame(request), _frame(answer)) for request, answer in self.refusals)

    def broke(self, time: int, why: str) -> None:
        """A link ended, for the first time since it gave values: what came before stays until that happens again."""
        self.broken = Break(time, why, self.last())


def _frame(note: Note) -> Frame:
    time, sent, octets, start, stop = note
    return Frame(time, sent, octets[start : min(stop, start + CUT)], stop - start)
