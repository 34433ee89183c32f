"""The plant's clock: stands, runs `speed` times faster than the wall, stands again."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Plant time in ns since 1970, driven by a monotonic clock in ns that is handed in. It stands at first."""

    def __init__(self, start_ns: int, speed: float, monotonic: Callable[[], int]) -> None:
        self.speed = speed
        self._monotonic = monotonic
        self._stood_at = start_ns
        self._running_since: int | None = None

    @property
    def running(self) -> bool:
        """Whether plant time passes."""
        return self._running_since is not None

    def now(self) -> int:
        """Plant time, in whole milliseconds."""
        if self._running_since is None:
            return self._stood_at
        passed = round((self._monotonic() - self._running_since) * self.speed)
        return (self._stood_at + passed) // 1_000_000 * 1_000_000

    def go(self) -> None:
        """Run on from where it stands."""
        if self._running_since is None:
            self._running_since = self._monotonic()

    def stop(self) -> None:
        """Stand still."""
        self._stood_at = self.now()
        self._running_since = None
