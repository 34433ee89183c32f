"""One link under fault: a server, a proxy before it, and poller, recorder and ledger of the agent behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from agent.ledger import Ledger
from agent.live import CounterRule, DeviceRule, MachineRule, TagRef
from agent.model import SECOND, Batch, Line, Machine, MachineState, State
from agent.poller import Poller
from agent.recorder import Recorder
from agent.shift import Calendar
from drivers.catalog import create
from drivers.contract import Device
from simulators.proxy import FaultProxy
from tests.faults.south_stack import TAGS, Server, device
from tests.peers.words import LIFE

LINE = Line("s", "a", "l", {}, 17.0, "UTC", (Machine("press1", {}, {}),), {}, {})
MAX_RATE = 6.0
SERIAL = TAGS.index("serial")
TICK_S = 0.02
STALL_S = 0.1  # of a longer tick no more is counted: the machine had no time for us
LOAD = Path("/proc/loadavg")
PATIENCE_S = 120.0


@dataclass(slots=True)
class Seen:
    """What a link told and how long it was silent, in seconds of a machine that has a core for all who want one.

    Where more want to run than there are cores, a second of this clock takes that much longer: a server that gets
    a tenth of a core answers ten times later, which says nothing of the driver.
    """

    now: float = 0.0
    serial: int = -1
    heard_at: float = 0.0
    up_since: float | None = None
    links: int = 0
    silent_s: float = 0.0  # the longest time without data while it was called connected
    lag_s: float = 0.0
    order: list[str] = field(default_factory=list)
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    is_idle: bool = False  # batches without a row are a sign of life as well: there is nothing new to tell

    def heard(self, _name: str, batch: Batch) -> None:
        """A batch, before it is recorded."""
        rows = batch.index == SERIAL
        if len(batch.index) or self.is_idle:
            self.heard_at = self.now
        for value, status in zip(batch.value[rows].tolist(), batch.status[rows].tolist(), strict=True):
            if value != value or status >> 31:
                continue
            if value < self.serial:
                self.order.append(f"{value:.0f} after {self.serial}")
            if value > self.serial:
                self.serial = int(value)
                self.fresh.set()

    async def watch(self, recorder: Recorder) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            passed, before = loop.time() - before, loop.time()
            self.lag_s = max(self.lag_s, passed - TICK_S)
            self.now += min(passed, STALL_S) * share()
            link = recorder.devices()[0]
            self.links = link.reconnects + 1
            if not link.connected:
                self.up_since = None
                continue
            if self.up_since is None:
                self.up_since = self.now
            self.silent_s = max(self.silent_s, self.now - max(self.heard_at, self.up_since))


def share() -> float:
    """How much of a core each gets who wants one now, at most 1."""
    wanting = int(LOAD.read_text().split()[3].partition("/")[0])
    return min(1.0, (os.cpu_count() or 1) / max(1, wanting))


class Rig:
    """A server that can be killed and started again, the proxy in front of it, and what its link tells."""

    def __init__(self, stack: str, folder: Path, proxy: FaultProxy, server: Server) -> None:
        self.stack, self.folder, self.proxy, self.server = stack, folder, proxy, server
        self.seen = Seen()

    async def reboot(self, shift: int, down_s: float) -> None:
        """Kill the server; `down_s` later there is a new one that counts from 0."""
        await self.server.kill()
        await asyncio.sleep(down_s)
        self.server = await Server.start(self.stack, self.folder, self.server.life + 1, shift)
        self.proxy.target = ("127.0.0.1", self.server.port)

    async def value(self) -> float:
        """Wait for a value that the link has not told yet: how long it took. AssertionError where none comes."""
        began = self.seen.now
        self.seen.fresh.clear()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.seen.fresh.wait()
        except TimeoutError:
            raise AssertionError(f"no value for {PATIENCE_S:g} s after the peer was back") from None
        return self.seen.now - began

    async def last(self) -> int:
        """Stop the server counting; the last serial number, once the link has told it."""
        last = self.server.life * LIFE + await self.server.halt()
        async with asyncio.timeout(PATIENCE_S):
            while self.seen.serial < last:
                self.seen.fresh.clear()
                await self.seen.fresh.wait()
        return last


@asynccontextmanager
async def rig(stack: str, folder: Path, seed: int) -> AsyncIterator[Rig]:
    """A rig whose link has told a value. On leaving, all that was read is on disk and every process has ended."""
    server = await Server.start(stack, folder, 1, 0)
    async with FaultProxy("127.0.0.1", server.port, seed=seed) as proxy:
        one = Rig(stack, folder, proxy, server)
        try:
            async with _agent(device(stack, proxy.port), folder, one.seen, Random(seed)):
                await one.value()
                yield one
        finally:
            await one.server.kill()


@asynccontextmanager
async def _agent(link: Device, folder: Path, seen: Seen, jitter: Random) -> AsyncIterator[None]:
    rule = DeviceRule("plc", link.driver, link.address, tuple((name, "") for name in TAGS), 0.1)
    counter = CounterRule(TagRef("plc", "good"), 2**32, int(link.late_s * SECOND))
    machine = MachineRule("press1", TagRef("plc", "light"), {4: MachineState(State.EXECUTING)}, MAX_RATE, counter)
    ledger = await Ledger.open(folder / "ledger")
    recorder = Recorder(LINE, [machine], [rule], Calendar(), ledger)
    await recorder.restore()
    tasks = [
        asyncio.create_task(recorder.run()),
        asyncio.create_task(Poller(link, partial(create, link), recorder, jitter, seen.heard).run()),
        asyncio.create_task(seen.watch(recorder)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await recorder.close()
        await ledger.close()
