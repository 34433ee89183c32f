"""Lamp patterns and stop codes to machine states. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from agent.flashing import Flashing, Lamp, Reading
from agent.model import UNKNOWN, Cause, MachineState


@dataclass(frozen=True, slots=True)
class Change:
    """From `time` on the machine is `state`; it was `previous` when it was looked at before, at `not_before`."""

    time: int
    state: MachineState
    previous: MachineState
    not_before: int


def state_of(patterns: Mapping[Lamp, MachineState], lamp: Lamp | None, reason: Lamp | None) -> MachineState:
    """The state a lamp pattern stands for; UNKNOWN where none is listed.

    A stop code counts only while stopped: the PLC's, or else the one its lamp stands for.
    """
    if lamp is None:
        return UNKNOWN
    state = patterns.get(lamp, UNKNOWN)
    if state.cause is Cause.STOPPED:
        told = reason if isinstance(reason, int) and reason else state.reason
        return MachineState(state.state, state.cause, told)
    return state


class Tracker:
    """One machine's state through time: `state` holds since `since` and was vouched for up to `observed`.

    Times never go back: a reading older than what was already vouched for takes effect from there. Patterns of two
    lamps flash, each lamp for at most `flash` ns.
    """

    def __init__(self, patterns: Mapping[Lamp, MachineState], observed: int = 0, flash: int = 0) -> None:
        self.patterns = patterns
        pairs = [lamp for lamp in patterns if isinstance(lamp, tuple)]
        self._flashing = Flashing(pairs, flash) if pairs else None
        self.state = UNKNOWN
        self.since = observed
        self.observed = observed
        self._lamp: Lamp | None = None
        self._reason: Lamp | None = None

    def advance(self, readings: Sequence[Reading], until: int) -> list[Change]:
        """Take readings, then all is vouched for up to `until`; readings of one source time make one change."""
        changes: list[Change] = []
        if self._flashing is not None:
            readings, until = self._flashing.settle(readings, until)
        for time, together in groupby(sorted(readings, key=attrgetter("time")), attrgetter("time")):
            lost = self._take(together)
            before = self.observed
            self.observed = before if lost else max(time, before)
            changes += self._settle(self.observed, before)
        self.observed = max(self.observed, until)
        return changes

    def lose(self) -> list[Change]:
        """Nothing vouches for the machine any more: UNKNOWN from the last time it was observed."""
        self._lamp = self._reason = None
        if self._flashing is not None:
            self._flashing.forget()
        return self._settle(self.observed, self.observed)

    def restore(self, state: MachineState, since: int, observed: int) -> None:
        """Take up where the last run ended."""
        self.state, self.since, self.observed = state, since, max(since, observed)

    def resume(self, at: int) -> None:
        """Observation starts again at `at` (ns): what lay between stays UNKNOWN."""
        if self._flashing is not None:
            self._flashing.forget()
        self.observed = max(self.observed, at)

    def _take(self, readings: Iterable[Reading]) -> bool:
        """Whether the lamp was lost: its status turned bad."""
        lost = False
        for reading in readings:
            if reading.lamp:
                lost = reading.value is None
                self._lamp = reading.value
            else:
                self._reason = reading.value
        return lost

    def _settle(self, at: int, before: int) -> list[Change]:
        state = state_of(self.patterns, self._lamp, self._reason)
        if state == self.state:
            return []
        change = Change(at, state, self.state, before)
        self.state, self.since = state, at
        return [change]
