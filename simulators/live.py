"""The plant against the wall clock: one place where plant time moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from simulators.clock import Clock
from simulators.plant import Plant
from simulators.station import Change


class Live:
    """A plant, its clock, and the changes no OPC UA client has been told of yet."""

    def __init__(self, plant: Plant, clock: Clock) -> None:
        self.plant, self.clock = plant, clock
        self.untold: deque[Change] = deque()
        self.clock_error: dict[str, int] = {}
        """How far the clock of a server's PLCs is ahead, ns; only those that are wrong."""

    def catch_up(self) -> int:
        """Bring the plant to the clock's now and return it, ns; whoever is about to show a value calls this."""
        now = self.clock.now()
        if now > self.plant.now:
            self.untold.extend(self.plant.advance(now))
        return self.plant.now

    def reset(self, machines: Sequence[str]) -> None:
        """Let the PLCs of these machines count from 0 again, now."""
        self.catch_up()
        self.untold.extend(self.plant.reset(machines))
