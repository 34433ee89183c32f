"""Pure: what polled protocols share. When each tag is due, and which rows tell something new."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class Pacing:
    """Tags by how often they are read. Times are seconds of one monotonic clock; all tags are due at `start`.

    A poll that comes late is skipped, never queued, and tags due at the same time stay together for ever.
    """

    def __init__(self, everies: Sequence[float], start: float) -> None:
        self._groups = {every: [i for i, e in enumerate(everies) if e == every] for every in dict.fromkeys(everies)}
        self._rounds = dict.fromkeys(self._groups, 0)
        self._start = start
        self._slack = min(self._groups) / 4

    def due_at(self) -> float:
        """When the next tags are due."""
        return min(self._start + every * count for every, count in self._rounds.items())

    def take(self, now: float) -> tuple[int, ...]:
        """The tags that are due by now, in their order; they are due again at their next full period."""
        taken: list[int] = []
        for every, tags in self._groups.items():
            if self._start + every * self._rounds[every] <= now + self._slack:
                taken += tags
                self._rounds[every] = math.floor((now + self._slack - self._start) / every) + 1
        return tuple(sorted(taken))


class Seen:
    """The last value, status and text of each tag. A new value of tag `moving`, a clock, is no news."""

    def __init__(self, tags: int, moving: int | None = None) -> None:
        self._moving = moving
        self._value = np.full(tags, np.nan)
        self._status = np.zeros(tags, np.uint32)
        self._known = np.zeros(tags, np.bool_)
        self._text: dict[int, str] = {}

    def news(
        self,
        index: NDArray[np.uint32],
        value: NDArray[np.float64],
        status: NDArray[np.uint32],
        text: Mapping[int, str],
    ) -> NDArray[np.bool_]:
        """Which rows differ from what their tag last held, and remember them all. `text` goes by row."""
        before = self._value[index]
        none = np.isnan(value)
        same = before == value
        if none.any():
            same |= none & np.isnan(before)
        if self._moving is not None:
            same |= index == self._moving
        fresh: NDArray[np.bool_] = ~(same & (self._status[index] == status) & self._known[index])
        for row in np.flatnonzero(none):
            tag = int(index[row])
            fresh[row] |= self._text.get(tag) != text.get(int(row))
            if row in text:
                self._text[tag] = text[int(row)]
            else:
                self._text.pop(tag, None)
        self._value[index], self._status[index], self._known[index] = value, status, True
        return fresh
