"""A recorder on a real ledger, with the wall's clock in the test's hand, and what two machines tell it."""

from __future__ import annotations

import asyncio
import datetime as dt

import numpy as np

from agent.flashing import Lamp
from agent.ledger import Ledger, Reader
from agent.live import CounterRule, DeviceRule, MachineRule, TagRef
from agent.model import (
    BAD_NO_DATA,
    SECOND,
    Batch,
    Cause,
    Inspection,
    Line,
    Machine,
    MachineState,
    Origin,
    State,
    Verdict,
)
from agent.recorder import Recorder
from agent.shift import Calendar, Shift

START = int(dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC).timestamp()) * SECOND
TAGS = ("light", "reason", "good", "scrap", "cycle")
RUN, STOP, STARVED = 4, 1, 34
PATTERNS: dict[Lamp, MachineState] = {
    RUN: MachineState(State.EXECUTING),
    STOP: MachineState(State.NOT_EXECUTING, Cause.STOPPED),
    STARVED: MachineState(State.NOT_EXECUTING, Cause.STARVED),
}
NAMES = ("press1", "trim1")
MACHINES = tuple(Machine(name, {"en": name}, {31: "die-protection"}) for name in NAMES)
LINE = Line("foshan", "appliances", "cooker3", {}, 17.0, "UTC", MACHINES, {}, {"utilization": 90.0})
CALENDAR = Calendar([Shift("day", dt.time(8), dt.time(20))])
SIMULATED = Origin("tanchang", "simulator", simulated=True, speed=1.0)


def rule(name):
    tag = {word: TagRef(name, word) for word in TAGS}
    good, scrap = CounterRule(tag["good"], 2**16), CounterRule(tag["scrap"], 2**16)
    return MachineRule(name, tag["light"], PATTERNS, 1 / 16, good, scrap, tag["reason"], tag["cycle"])


def device(name, tags=TAGS):
    return DeviceRule(name, "scripted", "nowhere:1", tuple((tag, "") for tag in tags), 0.1)


def batch(seconds, token=1, bad=(), at=None, **values):
    """What a device says at START + seconds: the tags given, of that time or of START + at."""
    index = [TAGS.index(name) for name in values]
    source = START + int((seconds if at is None else at) * SECOND)
    return Batch(
        np.array(index, np.uint32),
        np.array(list(values.values()), np.float64),
        np.full(len(index), source, np.int64),
        np.array([BAD_NO_DATA if name in bad else 0 for name in values], np.uint32),
        START + int(seconds * SECOND),
        token,
    )


def first(seconds, good=100, **values):
    return batch(seconds, **({"light": RUN, "reason": 0, "good": good, "scrap": 10, "cycle": 16.0} | values))


class Bench:
    """A recorder on a ledger, and the wall's clock."""

    def __init__(self, folder):
        self.folder, self.mono = folder, 0

    async def open(self, group_s=0.001):
        self.ledger = await Ledger.open(self.folder, group_s=group_s)
        devices = [device(name) for name in NAMES] + [device("meter1", ("power",))]
        rules = [rule(name) for name in NAMES]
        self.recorder = Recorder(LINE, rules, devices, CALENDAR, self.ledger, lambda: self.mono, lambda: START)
        await self.recorder.restore()
        return self

    async def take(self, name, *batches):
        """Hand over, then let the wall's clock go on far enough that the block is written."""
        takes = [asyncio.create_task(self.recorder.take(name, one)) for one in batches]
        await asyncio.sleep(0)
        self.mono += SECOND
        await self.recorder.tick()
        await asyncio.gather(*takes)

    async def start(self, seconds=0, **values):
        for name in NAMES:
            await self.recorder.connected(name, SIMULATED)
            await self.take(name, first(seconds, **values))

    async def close(self):
        await self.recorder.close()
        await self.ledger.close()

    def records(self, kind=None, machine=None):
        reader = Reader(self.folder)
        reader.verify()
        found = reader.records(kind, machine, limit=10**6)
        reader.close()
        return found

    def figure(self, name, machine, kind="shift"):
        figures = self.recorder.now().figures
        return next(one for one in figures if (one.name, one.machine, one.window.kind) == (name, machine, kind))

    def machine(self, name="press1"):
        return next(one for one in self.recorder.now().machines if one.name == name)


def at(record):
    return (record.time - START) / SECOND


def inspection(seconds):
    return Inspection(
        unit="press1-000001",
        machine="press1",
        time=START + seconds * SECOND,
        verdict=Verdict.REJECT,
        score=0.97,
        image_score=0.97,
        process_score=None,
        defect="blowhole",
        model="0123456789ab",
        evidence=None,
        simulated=True,
        took_ms=9.1,
    )
