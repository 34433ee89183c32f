"""Pure: which monitored items have died silently, though the server says that it is well.

An item that has told nothing for long is read. Where the value is another one than told, its notification may be on
its way: only an item that goes on telling nothing is dead. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Handles = NDArray[np.uint32]


class Watch:
    """For each handle, in s: silent so long (`within`) it is looked at, so long (`grace`) is a value on its way."""

    def __init__(self, within: Sequence[float], grace: Sequence[float], now: float) -> None:
        self._within = np.array(within)
        self._grace = np.array(grace)
        self._heard = np.full(len(self._within), now)
        self._next = float(now + self._within.min(initial=np.inf))
        self._suspect: dict[int, float] = {}

    def slower(self, every: Mapping[int, float]) -> None:
        """The server looks at these less often than it was asked to, in s."""
        for handle, seconds in every.items():
            self._grace[handle] = max(self._grace[handle], 2 * seconds)

    def heard(self, handles: Handles, now: float) -> None:
        """These told something."""
        self._heard[handles] = now
        if self._suspect:
            for handle in handles.tolist():
                self._suspect.pop(handle, None)

    def due(self, now: float, most: int) -> Handles:
        """Items to look at now, the longest silent first, at most so many."""
        if now < self._next:
            return np.empty(0, np.uint32)
        until = self._heard + self._within
        silent = np.flatnonzero(until <= now)
        self._next = float(now if len(silent) > most else until[until > now].min(initial=now + self._within.min()))
        return silent[np.argsort(until[silent], kind="stable")][:most].astype(np.uint32)

    def looked(self, handles: Handles, differs: NDArray[np.bool_], now: float) -> None:
        """These were looked at: those that differ from what was told have until the grace is over to tell it."""
        self._heard[handles] = now
        for handle in handles[differs].tolist():
            self._suspect.setdefault(handle, now + float(self._grace[handle]))

    def dead(self, now: float) -> tuple[int, ...]:
        """Items that are dead for certain, each told once."""
        if not self._suspect:
            return ()
        found = tuple(handle for handle, until in self._suspect.items() if until <= now)
        for handle in found:
            del self._suspect[handle]
        return found
