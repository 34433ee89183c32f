"""Pure: the nodes that the line file wants, and when to ask again for those the server refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.model import BAD

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class Wanted:
    """Handles that the server refused, each with when it is asked for again. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._pause: dict[int, float] = {}

    @property
    def refused(self) -> frozenset[int]:
        """Handles that are not monitored now."""
        return frozenset(self._due)

    def answered(self, statuses: Mapping[int, int], now: float) -> None:
        """Note what the server said of each handle: a refused one is due in 1 s, then ever later, up to 60 s."""
        for handle, status in statuses.items():
            if status < BAD:
                self._due.pop(handle, None)
                self._pause.pop(handle, None)
                continue
            pause = min(LONGEST_PAUSE_S, 2 * self._pause[handle]) if handle in self._pause else FIRST_PAUSE_S
            self._pause[handle], self._due[handle] = pause, now + pause

    def lost(self, handles: Iterable[int], due: float) -> None:
        """These are monitored no more: they are asked for from `due` on."""
        for handle in handles:
            self._due[handle] = due

    def due(self, now: float) -> tuple[int, ...]:
        """Handles to ask for now."""
        return tuple(sorted(handle for handle, when in self._due.items() if when <= now))
