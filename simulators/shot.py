"""One shot of the die-casting cell: what the die does, the six latched values, and the defect they raise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

DEFECTS = ("blowhole", "crack", "flash", "misrun")

# Mean and spread of a healthy shot: aluminium in a cold-chamber machine.
HEALTHY = {
    "die_temperature": (215.0, 9.0),  # Cel
    "melt_temperature": (662.0, 5.0),  # Cel
    "pressure": (72.0, 2.4),  # MPa, metal pressure while the die fills
    "intensification": (88.0, 3.0),  # MPa, after it has filled
    "fill_time": (54.0, 2.6),  # ms
    "vacuum": (58.0, 6.0),  # mbar left in the die
}

# Chance of a defect in a healthy shot, and how it grows with each value's distance in spreads.
# The shipped inspection models were fitted on these numbers: change them together.
HAZARDS: dict[str, tuple[float, dict[str, float]]] = {
    "blowhole": (0.0075, {"vacuum": 0.85, "intensification": -0.70, "melt_temperature": 0.25}),
    "crack": (0.0065, {"die_temperature": -0.65, "intensification": 0.55, "melt_temperature": 0.45}),
    "flash": (0.0062, {"die_temperature": 1.05, "intensification": 0.85, "pressure": 0.35}),
    "misrun": (0.0050, {"die_temperature": -0.90, "melt_temperature": -0.60, "fill_time": 0.90}),
}
MOST_LIKELY = 0.5  # even the worst shot may come out good


@dataclass(frozen=True, slots=True)
class Process:
    """The values a shot latches at its end; units as in HEALTHY."""

    die_temperature: float
    melt_temperature: float
    pressure: float
    intensification: float
    fill_time: float
    vacuum: float

    def values(self) -> dict[str, float]:
        """Name to value, in the order of HEALTHY."""
        return {name: getattr(self, name) for name in HEALTHY}


class Die:
    """The die's temperature: each shot heats it, spraying cools it, a blocked cooling channel drifts slowly.

    Seconds and degrees Celsius. While no shot comes, the die loses heat: the first shots after a long stop are cold.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._drift = float(rng.normal(0.0, 5.0))
        self._direction = float(rng.choice((-1.0, 1.0)))
        self.temperature = 204.0

    def rest(self, seconds: float) -> None:
        """Let the die cool towards the hall while the cell does not shoot."""
        self.temperature += (150.0 - self.temperature) * (1.0 - exp(-seconds / 2400.0))

    def shoot(self) -> Process:
        """Make one shot and return what the PLC latches of it."""
        rng = self._rng
        self._drift = self._drift * 0.995 + self._direction * 0.06 + float(rng.normal(0.0, 0.5))
        if rng.random() < 0.004:  # the operator sets the spray anew
            self._direction = -self._direction
        self.temperature += 0.16 * (HEALTHY["die_temperature"][0] + self._drift - self.temperature)
        # Heavy tails: a worn shot sleeve, a leaking vacuum valve and a cold ladle come and go.
        tail = {name: float(rng.standard_t(4.5)) / 1.34 for name in HEALTHY}
        die = self.temperature + 2.0 * tail["die_temperature"]
        melt, pressure = _of("melt_temperature", tail), _of("pressure", tail)
        mean, spread = HEALTHY["fill_time"]
        slow = 0.35 * (HEALTHY["pressure"][0] - pressure) / HEALTHY["pressure"][1]
        stiff = 0.25 * (HEALTHY["melt_temperature"][0] - melt) / HEALTHY["melt_temperature"][1]
        fill = mean + spread * (0.85 * tail["fill_time"] + slow + stiff)
        return Process(die, melt, pressure, _of("intensification", tail), fill, max(12.0, _of("vacuum", tail)))


def _of(name: str, tail: dict[str, float]) -> float:
    mean, spread = HEALTHY[name]
    return mean + spread * tail[name]


def hazard(process: Process) -> dict[str, float]:
    """Chance of each defect given the shot's values, 0..MOST_LIKELY."""
    values = process.values()
    distance = {name: (values[name] - mean) / spread for name, (mean, spread) in HEALTHY.items()}
    return {
        defect: min(MOST_LIKELY, base * exp(sum(weight * distance[name] for name, weight in weights.items())))
        for defect, (base, weights) in HAZARDS.items()
    }


def defect_of(process: Process, rng: np.random.Generator) -> str | None:
    """Throw the dice: at most one defect a part, None for a sound one."""
    toss = float(rng.random())
    for defect, chance in hazard(process).items():
        if toss < chance:
            return defect
        toss -= chance
    return None
