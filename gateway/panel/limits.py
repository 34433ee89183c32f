"""How much the panel lets itself be asked, so that clients are never felt where machines are read. Pure."""

from __future__ import annotations

from dataclasses import dataclass


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
