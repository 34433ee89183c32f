"""How much the panel lets itself be asked, so that clients are never felt where machines are read. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MINUTE = 60.0


@dataclass(slots=True)
class Seats:
    """At most `most` taken at a time."""

    most: int
    taken: int = 0

    def take(self) -> bool:
        """Whether there was one left; give it back."""
        if self.taken >= self.most:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        """One is free again."""
        self.taken -= 1


@dataclass(slots=True)
class Allowance:
    """`burst` at once, then `rate` a second; `now` is a monotonic clock in seconds."""

    rate: float
    burst: float
    left: float = -1.0
    asked: float = 0.0

    def wait(self, now: float) -> float:
        """0 where one more is allowed, and it is taken; else the seconds until the next is."""
        if self.left < 0:
            self.left, self.asked = self.burst, now
        self.left = min(self.burst, self.left + (now - self.asked) * self.rate)
        self.asked = now
        if self.left < 1:
            return (1 - self.left) / self.rate
        self.left -= 1
        return 0.0


@dataclass(slots=True)
class Tries:
    """Wrong log-ins by source: `most` within a minute, then none for a minute, then for twice as long, and so on.

    `now` is a monotonic clock in seconds. At most `known` sources are remembered, those that failed last.
    """

    most: int = 5
    known: int = 4096
    longest: float = 900.0
    _failed: OrderedDict[str, tuple[list[float], float, float]] = field(default_factory=OrderedDict)

    def wait(self, source: str, now: float) -> float:
        """Seconds until the source may try again, 0 where it may now."""
        _, _, until = self._failed.get(source, ([], 0.0, 0.0))
        return max(0.0, until - now)

    def fail(self, source: str, now: float) -> None:
        """One try was wrong; count it before the secret is looked at, so that tries at once count too."""
        times, pause, until = self._failed.pop(source, ([], 0.0, 0.0))
        if now - until > self.longest:
            pause = 0.0
        times = [*(one for one in times if now - one < MINUTE), now]
        if len(times) >= self.most:
            pause = min(self.longest, 2 * pause) if pause else MINUTE
            times, until = [], now + pause
        self._failed[source] = times, pause, until
        while len(self._failed) > self.known:
            self._failed.popitem(last=False)

    def succeed(self, source: str) -> None:
        """The source is known to be who it says."""
        self._failed.pop(source, None)
