"""Process values by shot number: what the tags held when the PLC latched the shot. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.model import GOOD, Batch

REMEMBERED = 256  # shots, and values of each tag
SEVERITY = 0xC000_0000


@dataclass(frozen=True, slots=True)
class Shot:
    """When the PLC latched a shot (plant time), and its values in the order asked for; None where one was not good."""

    time: int
    values: tuple[float, ...] | None


class Shots:
    """Joins the shot number's tag and the value tags of one device, given by their index, through source time."""

    def __init__(self, shot: int, values: Sequence[int]) -> None:
        self._shot, self._values = shot, tuple(values)
        self._wanted = np.array([shot, *values], np.uint32)
        self._held: dict[int, deque[tuple[int, float]]] = {index: deque(maxlen=REMEMBERED) for index in self._values}
        self._latched: dict[int, int] = {}
        self.time = 0

    def observe(self, batch: Batch) -> None:
        """Take in the batch's rows of the tags of interest."""
        for row in np.flatnonzero(np.isin(batch.index, self._wanted)).tolist():
            good = int(batch.status[row]) & SEVERITY == GOOD
            index, time = int(batch.index[row]), int(batch.source_time[row])
            value = float(batch.value[row]) if good else float("nan")
            if index != self._shot:
                self._held[index].append((time, value))
            elif np.isfinite(value):
                self._latched.setdefault(int(value), time)
        while len(self._latched) > REMEMBERED:
            del self._latched[next(iter(self._latched))]
        self.time = max(self.time, batch.time)

    def of(self, shot: int) -> Shot | None:
        """The shot, once everything up to its latching has been observed; None before."""
        time = self._latched.get(shot)
        if time is None or time > self.time:
            return None
        values = tuple(self._value(index, time) for index in self._values)
        return Shot(time, values if np.isfinite(values).all() else None)

    def missed(self, shot: int) -> bool:
        """Whether later shots were seen and this one was not: waiting for it is in vain."""
        return shot not in self._latched and any(seen > shot for seen in self._latched)

    def _value(self, index: int, time: int) -> float:
        return next((value for at, value in reversed(self._held[index]) if at <= time), float("nan"))
