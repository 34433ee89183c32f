"""When which fault strikes a plant's servers, by a seed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LINK = ("cut", "hole", "half", "drip", "delay", "garbage", "torn", "reboot", "reset", "step")
KINDS: dict[str, tuple[str, ...]] = {
    "opcua": (*LINK, "shift", "vanish"),
    "modbus": (*LINK, "exception"),
    "plant": ("freeze",),
}
"""What may happen to whom.

cut: the listener is gone and every link reset. hole: nothing gets through, links stay open. half: requests get through,
replies do not. drip: a byte at a time. delay: every piece comes late. garbage: replies are random octets. torn: half a
reply, then the link is closed. reboot: off for a while; reset: and its counters start from 0. step: the PLCs' clock is
wrong, and is set right again. shift: off for a while, and the nodes' namespace has another index from then on. vanish:
a machine's nodes are gone. exception: every Modbus request is answered with an exception. freeze: the whole process
stands still.
"""
CODES = (4, 6)  # server device failure, server device busy
SHORTEST_STEP_S, LONGEST_STEP_S = 90.0, 7200.0


@dataclass(frozen=True, slots=True)
class Fault:
    """After `pause_s` of peace, `kind` strikes `target` for `for_s`; wall seconds.

    `code`: of a Modbus exception. `step_s`: how far a clock that is set wrong is ahead, in seconds.
    """

    pause_s: float
    for_s: float
    target: str
    kind: str
    code: int | None = None
    step_s: float | None = None


def schedule(seed: int, pace_s: float) -> Iterator[Fault]:
    """Faults one after another for ever, in rounds of all there are; each and each pause lasts about a pace."""
    rng = np.random.default_rng([seed, 6])
    every = [(target, kind) for target, kinds in KINDS.items() for kind in kinds]
    while True:
        for place in rng.permutation(len(every)).tolist():
            target, kind = every[place]
            pause, length = (pace_s * rng.uniform(0.5, 1.5, 2)).tolist()
            code = CODES[int(rng.integers(len(CODES)))] if kind == "exception" else None
            yield Fault(pause, length, target, kind, code, _step(rng) if kind == "step" else None)


def _step(rng: np.random.Generator) -> float:
    sign = 1.0 if rng.integers(2) else -1.0
    return round(sign * float(rng.uniform(SHORTEST_STEP_S, LONGEST_STEP_S)), 3)
