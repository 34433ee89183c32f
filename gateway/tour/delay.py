"""Holds messages back for a fixed time. Pure; on the server, so that no page can shorten it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Delay(Generic[T]):
    """A queue whose entries come out, in order, `seconds` after they went in."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._queue: deque[tuple[float, T]] = deque()

    def put(self, entry: T, mono: float) -> None:
        """Queue an entry at its time of arrival; times never fall."""
        self._queue.append((mono, entry))

    def due(self, mono: float) -> Iterator[tuple[float, T]]:
        """Take out (arrival, entry) of all whose time has come."""
        while self._queue and self._queue[0][0] <= mono - self.seconds:
            yield self._queue.popleft()
