"""The gateway's own clock against the monotonic one: unsynchronised, stepped, or over a change of summer time. Pure.

Facts are ordered by their seq and lasted by the monotonic clock, so nothing here moves them: it is told what times that
come from this clock are worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from agent.model import SECOND

PLAUSIBLE = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND  # no gateway runs this before then
STEP = SECOND // 2  # a clock that is set; slewing moves it by half a millisecond a second


class Moved(StrEnum):
    """What became of the clock."""

    UNSYNCHRONISED = "unsynchronised"
    SYNCHRONISED = "synchronised"
    STEPPED = "stepped"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to the clock at `mono` (ns, monotonic): it would have shown `before`, and shows `after`.

    Wall times in ns since 1970 UTC. `offsets` are seconds of local time from UTC before and after, of a change of it.
    """

    moved: Moved
    mono: int
    before: int
    after: int
    offsets: tuple[int, int] | None = None

    @property
    def step_s(self) -> float:
        """Seconds it went forward, or back."""
        return (self.after - self.before) / SECOND


class Watch:
    """Looks at both clocks; `earliest` (ns) is a wall time that was recorded before, which this one cannot precede."""

    def __init__(self, timezone: str, earliest: int = 0) -> None:
        self._zone = ZoneInfo(timezone)
        self._earliest = max(PLAUSIBLE, earliest)
        self._last: tuple[int, int] | None = None
        self._synchronised = True

    def look(self, mono: int, wall: int) -> list[Fact]:
        """What happened since the last look."""
        last, self._last = self._last, (mono, wall)
        due = wall if last is None else last[1] + mono - last[0]
        stepped = abs(wall - due) >= STEP
        facts = []
        if self._synchronised and wall < self._earliest:
            self._synchronised = False
            facts.append(Fact(Moved.UNSYNCHRONISED, mono, due, wall))
        elif not self._synchronised and wall >= self._earliest:
            self._synchronised = True
            facts.append(Fact(Moved.SYNCHRONISED, mono, due, wall))
        elif stepped:
            facts.append(Fact(Moved.STEPPED, mono, due, wall))
        elif last is not None and (offsets := (self._offset(last[1]), self._offset(wall)))[0] != offsets[1]:
            facts.append(Fact(Moved.OFFSET, mono, due, wall, offsets))
        return facts

    def _offset(self, wall: int) -> int:
        shift = datetime.fromtimestamp(wall // SECOND, self._zone).utcoffset()
        return 0 if shift is None else int(shift.total_seconds())
