"""Lamps that flash: a word that changes between two values is one signal, known once it has changed back. Pure.

A value that belongs to a flashing pair says nothing by itself for as long as the pair may last in one of its
values: what came is held until then, so that no state is told that has to be taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import NamedTuple

Pair = tuple[int, int]
Lamp = int | Pair


class Reading(NamedTuple):
    """The lamp word or the stop code at a source time (ns); `value` None when its status was bad.

    A lamp that flashes is the pair of its values, the smaller one first.
    """

    lamp: bool
    value: Lamp | None
    time: int


class Flashing:
    """Turns lamp words into lamps. `pairs` flash, each of their values for at most `longest` ns."""

    def __init__(self, pairs: Collection[Pair], longest: int) -> None:
        self.pairs = frozenset(pairs)
        self.longest = longest
        self._values = {value for pair in self.pairs for value in pair}
        self._told: Lamp | None = None
        self._waiting: Reading | None = None
        self._held: list[Reading] = []

    def settle(self, readings: Sequence[Reading], until: int) -> tuple[list[Reading], int]:
        """Readings that are certain, in order of time, and up to when; what was vouched for ends at `until`."""
        certain: list[Reading] = []
        for one in sorted(readings, key=attrgetter("time")):
            if one.lamp:
                self._take(one, certain)
            else:
                self._held.append(one)
        if self._waiting is not None and until - self._waiting.time > self.longest:
            self._tell(self._waiting, certain)
        upto = until if self._waiting is None or self._told == self._waiting.value else self._waiting.time
        due = [one for one in self._held if one.time <= upto]
        self._held = [one for one in self._held if one.time > upto]
        return sorted(certain + due, key=attrgetter("time")), upto

    def forget(self) -> None:
        """Nobody vouches for the lamp any more."""
        self._told = self._waiting = None
        self._held.clear()

    def _take(self, one: Reading, certain: list[Reading]) -> None:
        if not isinstance(one.value, int):
            self.forget()
            certain.append(one)
            return
        waiting = self._waiting
        if waiting is not None and isinstance(waiting.value, int):
            if one.value == waiting.value:
                return
            short = one.time - waiting.time <= self.longest
            flash = min(one.value, waiting.value), max(one.value, waiting.value)
            if short and flash in self.pairs:
                self._tell(waiting._replace(value=flash), certain)
                self._waiting = one
                return
            goes_on = isinstance(self._told, tuple) and waiting.value in self._told
            if not (short and goes_on):
                self._tell(waiting, certain)
        self._waiting = one if one.value in self._values else None
        if self._waiting is None:
            self._tell(one, certain)

    def _tell(self, one: Reading, certain: list[Reading]) -> None:
        if self._told != one.value:
            certain.append(one)
            self._told = one.value


def values_of(lamp: Lamp) -> tuple[int, ...]:
    """The values the lamp word has meanwhile."""
    return lamp if isinstance(lamp, tuple) else (lamp,)


def lamp_word(lamp: Lamp) -> str:
    """A lamp as a line file has it: 4, or 0~1 of one that flashes."""
    return "~".join(map(str, lamp)) if isinstance(lamp, tuple) else str(lamp)


def pair(text: str) -> Pair:
    """'1~0' as a pair."""
    one, other = sorted(int(word) for word in text.split("~"))
    return one, other
