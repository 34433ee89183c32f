"""The south side under fault: OPC UA and Modbus against two stacks each; a seed is one link through ten faults.

A link is cut, frozen, garbled, delayed, its server killed and started anew with its namespace moved. A link that is
called connected tells data, what broke is noticed in 5 s and values come 5 s after the peer is back; at the end the
ledger holds what the server held, once.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import get_args

from simulators.proxy import Mode
from tests.faults.south_ledger import held, on_disk, polled, totals
from tests.faults.south_rig import Rig, rig
from tests.faults.south_stack import STACKS, TAGS, missing
from tests.spy.wire_spy import SPY

FULL, QUICK = 200, 8
TOGETHER = 8
FULL_FORM, QUICK_FORM = {"longest_s": 20.0}, {"longest_s": 3.0}
FAULTS = 10
SUMMED = tuple(f"faults_{stack}" for stack in STACKS)
DETECT_S, RESUME_S = 5.0, 5.0
SETTLE_S = 1.0  # of work between two faults
PROXY: tuple[Mode, ...] = tuple(mode for mode in get_args(Mode) if mode != "pass")
KINDS = (*PROXY, "frozen", "reboot", "bad")
MODBUS_REFUSES = (4, 6, 10, 11)

__all__ = ["missing"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, for how long; `number` is a delay, an exception code or a shift of the namespace."""

    kind: str
    seconds: float
    number: float


def schedule(seed: int, longest_s: float, stack: str) -> list[Fault]:
    """The faults of a seed: all kinds in turn over the seeds of a stack, most of them short."""
    random = Random(seed)
    kinds = list(KINDS)
    random.shuffle(kinds)
    faults = []
    for kind in kinds[:FAULTS]:
        number = random.uniform(0.1, 3.0)
        if kind == "reboot":
            number = random.randrange(3)
        elif kind == "bad":
            number = random.choice(MODBUS_REFUSES) if "modbus" in stack else 1
        faults.append(Fault(kind, min(longest_s, 0.1 + random.expovariate(0.4)), number))
    return faults


def one(seed: int, folder: Path, longest_s: float = 20.0) -> dict[str, float]:
    """One link through its faults; AssertionError where it lied, slept, or lost or doubled a value."""
    stack = STACKS[seed % len(STACKS)]
    SPY.install()
    found = asyncio.run(_link(stack, seed, folder, longest_s))
    sent = SPY.take()
    assert not sent, f"{stack}: the driver sent what does not only read: {sent}"
    return found


async def _link(stack: str, seed: int, folder: Path, longest_s: float) -> dict[str, float]:
    faults = schedule(seed, longest_s, stack)
    resume_s, done = 0.0, []
    try:
        async with rig(stack, folder, seed) as link:
            for fault in faults:
                done.append(fault)
                await _break(link, fault)
                back_s = await link.value()
                resume_s = max(resume_s, back_s)
                assert back_s <= RESUME_S, f"values came {back_s:.1f} s after the peer was back"
                assert link.seen.silent_s <= DETECT_S, f"called connected without data for {link.seen.silent_s:.1f} s"
                await asyncio.sleep(SETTLE_S)
            last = await link.last()
            seen = link.seen
        assert not seen.order, f"out of order: {seen.order[:3]}"
        disk = on_disk(folder / "ledger", TAGS)
        totals(disk, last)
        if "modbus" in stack:
            polled(disk)
        else:
            held(disk, seen.links + sum(one.kind == "bad" for one in faults))
    except AssertionError as error:
        raise AssertionError(f"{stack}: {error}, after {done}") from error
    numbers = {"silent_s": seen.silent_s, "resume_s": resume_s, "lag_ms": seen.lag_s * 1000}
    counted = {f"faults_{stack}": len(faults), "lost": 0, "double": 0, "unexplained": 0}
    return counted | {name: round(number, 2) for name, number in numbers.items()}


async def _break(link: Rig, fault: Fault) -> None:
    """Let it go wrong, and mend it."""
    if fault.kind == "reboot":
        await link.reboot(int(fault.number), fault.seconds)
    elif fault.kind == "frozen":
        link.server.child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        link.server.child.send_signal(signal.SIGCONT)
    elif fault.kind == "bad":
        link.seen.is_idle = True
        await link.server.say(f"bad {fault.number:.0f}" if "modbus" in link.stack else "bad")
        await asyncio.sleep(fault.seconds)
        await link.server.say("well")
        link.seen.is_idle = False
    else:
        link.proxy.delay = fault.number
        await link.proxy.switch(next(mode for mode in PROXY if mode == fault.kind))
        await asyncio.sleep(fault.seconds)
        await link.proxy.switch("pass")
