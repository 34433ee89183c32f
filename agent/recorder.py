"""Turns batches, inspections, plans, orders and faults into records, and shows the line as it stands.

A call changes the plant in memory at once, in order of calls, and returns when what it recorded is on
disk. What `now` shows was on disk before. Samples go to disk once a second, and with them up to when
each device was observed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

import numpy as np

from agent import faults
from agent.bookmark import marks
from agent.clock import Moved, Watch
from agent.figures.windows import Entry
from agent.ledger import NO_MARKS, Block, Ledger, Observed, Reader
from agent.live import CounterRule, DeviceRule, MachineRule
from agent.model import (
    SECOND,
    Batch,
    Decision,
    DeviceNow,
    Fault,
    Inspection,
    Kind,
    Line,
    LineNow,
    Order,
    Origin,
    Plan,
    Record,
    Samples,
)
from agent.plant import Plant, Told
from agent.refeed import Watched, past
from agent.restore import restored
from agent.shift import Calendar
from agent.storage import samples
from gateway import payload

VERSION = metadata.version("tanchang")
BLOCK = 1 * SECOND
TICK_S = 1.0
LOOK_S = 0.5  # between two looks whether the disk has failed, for what waits for it
RAW_KEPT = 64  # blocks of raw values that wait for whoever tells them; then the oldest gives way


@dataclass(slots=True)
class Filling:
    """Batches of a device that wait for their block, since when (monotonic ns), and what tells that it is written."""

    batches: list[Batch]
    since: int
    written: asyncio.Future[bool]


class Recorder:
    """One per agent. Call `restore` first and keep `run` running; all calls come from one event loop."""

    def __init__(
        self,
        line: Line,
        rules: Sequence[MachineRule],
        devices: Sequence[DeviceRule],
        calendar: Calendar,
        ledger: Ledger,
        mono_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
        meter: CounterRule | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.line = line
        self.ledger = ledger
        self._calendar = calendar
        self._mono_ns = mono_ns
        self._wall_ns = wall_ns
        self._watch = watch
        self._plant = Plant(line, rules, devices, calendar, wall_ns(), meter)
        self._devices = {name: one.rule.state.device for name, one in self._plant.stations.items()}
        self._deciding = asyncio.Lock()
        self._filling: dict[str, Filling] = {}
        self._behind: int | None = None  # since when memory is ahead of what was handed to the ledger
        self._shown = self._plant.look()
        self._grown = asyncio.Event()
        self._raw: asyncio.Queue[Samples] = asyncio.Queue(RAW_KEPT)

    async def restore(self) -> None:
        """Go on where the ledger ends: totals, windows, last inspections; what was not watched since is UNKNOWN."""
        past = await asyncio.to_thread(restored, self.ledger, self.line, self._calendar, self._devices)
        await self._commit(Told(self._plant.restore(past)))

    async def connected(self, device: str, origin: Origin) -> None:
        """The link is up. Nothing is observed before its first batch."""
        self._plant.opened(device, origin, self._mono_ns())

    async def disconnected(self, device: str, fault: Fault | None) -> bool:
        """The link is gone: its machines are UNKNOWN from its last batch on. True where the fault is news."""
        news = fault is not None and not self._plant.has_fault(fault.source, fault.code)
        records = self._plant.lost(device, fault, self._mono_ns())
        if records:
            await self._commit(Told(records))
        return news

    async def take(self, device: str, batch: Batch) -> bool:
        """Record a batch; True when its records and its samples are on disk.

        False where the disk fails and memory holds them: the line is shown on, and not durable.
        """
        mono = self._mono_ns()
        told = self._plant.take(device, batch, mono)
        written = self._fill(device, batch, mono)
        if self._behind is None:
            self._behind = mono
        kept = True
        if told.records or told.counters:
            kept = await self._commit(told)
            self._plant.links[device].latency_ms = (self._mono_ns() - mono) / 1e6
        if written is not None:
            kept = await asyncio.shield(written) and kept
        return kept

    async def inspect(self, inspection: Inspection) -> None:
        """Record a judged part."""
        await self._commit(Told([self._plant.inspect(inspection)]))

    async def plan(self, plan: Plan) -> None:
        """Record an advice."""
        await self._commit(Told([self._plant.plan(plan)]))

    async def order(self, order: Order) -> None:
        """Record an order that came in."""
        body = payload.order_body(order)
        await self._commit(Told([Record(Kind.ORDER, "", self.plant_time(), body, self.simulated)]))

    async def audit(self, event: str, version: str, detail: str = "", by: str = "", role: str = "") -> None:
        """Record something about the agent itself, such as its start, or what the user of id `by` did on its panel."""
        body = payload.audit_body(event, version, detail, by, role)
        await self._commit(Told([Record(Kind.AUDIT, "", self.plant_time(), body, self.simulated)]))

    async def reason(self, machine: str, body: Mapping[str, object]) -> None:
        """Record why a machine stopped, as somebody says; `body` is payload.reason_body's."""
        simulated = next(one.simulated for one in self.now().machines if one.name == machine)
        await self._commit(Told([Record(Kind.REASON, machine, self.plant_time(), body, simulated)]))

    async def decide(self, one: Decision) -> None:
        """Record what somebody says of a part that an inspection asked about; figures of closed windows follow with it.

        Windows that are no longer in work are read from the ledger, after all that was handed in before.
        """
        async with self._deciding:
            known, again = None, list[Entry]()
            while known != (known := self._plant.windows_at(one.made)):  # one may close while the ledger is read
                await self._commit(Told())
                again = await asyncio.to_thread(self._past, one, self._plant.observed())
            await self._commit(Told(self._plant.decide(one, again, self._mono_ns())))

    async def fault(self, fault: Fault) -> bool:
        """Record a fault; False where the same (source, code) is set already."""
        records = self._plant.set(fault, self._mono_ns())
        if records:
            await self._commit(Told(records))
        return bool(records)

    async def clear(self, source: str, code: str | None = None) -> tuple[Fault, ...]:
        """Record that the source's faults (or one of them) are over; those that were set."""
        over = self._plant.clear(source, code, self._mono_ns())
        if over:
            await self._commit(Told(list(over.values())))
        return tuple(over)

    async def run(self) -> None:
        """Write samples once a second and close windows, until cancelled."""
        while True:
            await asyncio.sleep(self._pause())
            await self.tick()

    def _pause(self) -> float:
        """Seconds until a block is due, at most a tick: what begins to fill meanwhile is due later than that."""
        since = [one.since for one in self._filling.values()] + ([] if self._behind is None else [self._behind])
        left = (min(since) + BLOCK - self._mono_ns()) / SECOND if since else TICK_S
        return min(max(left, 0.0), TICK_S)

    async def tick(self) -> None:
        """What time alone brings: blocks that are due, windows that are over."""
        mono = self._mono_ns()
        records = [*self._clock(mono), *self._plant.close_windows(mono)]
        behind = self._behind is not None and mono - self._behind >= BLOCK
        if records or behind or any(mono - one.since >= BLOCK for one in self._filling.values()):
            await self._flush(records)

    def _clock(self, mono: int) -> list[Record]:
        """What became of the gateway's own clock; while it is unsynchronised a fault marks what is recorded."""
        records = []
        for one in self._watch.look(mono, self._wall_ns()) if self._watch else ():
            body = payload.clock_body(VERSION, one)
            records.append(Record(Kind.AUDIT, "", self.plant_time(), body, self.simulated))
            if one.moved is Moved.UNSYNCHRONISED:
                shown = f"the gateway's clock shows {payload.iso(one.after)}"
                records += self._plant.set(faults.fault("clock", "unsynchronised", shown, self.plant_time()), mono)
            elif one.moved is Moved.SYNCHRONISED:
                records += self._plant.clear("clock", "unsynchronised", mono).values()
        return records

    async def close(self) -> None:
        """Write the samples that wait. The ledger stays open."""
        await self._flush([])

    @property
    def simulated(self) -> bool:
        """Whether any machine is."""
        return self._plant.simulated

    @property
    def last_inspections(self) -> tuple[Inspection, ...]:
        """The last 20, oldest first."""
        return tuple(self._plant.inspections)

    def plant_time(self) -> int:
        """The plant's clock now, carried on from the machines' devices; never goes back. Wall time before any spoke."""
        return self._plant.time(self._mono_ns())

    def now(self) -> LineNow:
        """The line after the last commit, with the figures of now."""
        shown, time, speed, durable = self._shown, self.plant_time(), self._plant.speed, self.ledger.durable
        trouble = self._trouble(shown.time)
        return LineNow(
            ledger=self.ledger.id,
            seq=self.ledger.last_seq,
            time=time,
            simulated=any(machine.simulated for machine in shown.machines),
            speed=speed,
            durable=durable,
            machines=self._plant.machines(shown, self._mono_ns()),
            figures=shown.figures(time, speed),
            times=shown.times(time, speed),
            faults=shown.faults + trouble,
            inspections=shown.inspections,
            plan=shown.plan,
        )

    def _trouble(self, time: int) -> tuple[Fault, ...]:
        """What is wrong with the ledger itself: it cannot record that where it fails, and after a salvage it has."""
        why = self.ledger.trouble or "a write hangs"
        told = {"not_durable": None if self.ledger.durable else why}
        told |= {"store_filling": self.ledger.filling, "salvaged": self.ledger.salvaged}
        return tuple(faults.fault("ledger", code, words, time) for code, words in told.items() if words is not None)

    def devices(self) -> tuple[DeviceNow, ...]:
        """Every link with its tags, as last heard."""
        mono = self._mono_ns()
        return tuple(link.now(mono) for link in self._plant.links.values())

    def away(self) -> frozenset[str]:
        """The devices that are not connected."""
        return frozenset(name for name, link in self._plant.links.items() if not link.connected)

    async def changed(self) -> None:
        """Return at the next commit."""
        await self._grown.wait()

    async def samples(self) -> Samples:
        """The next raw values that are on disk, for one taker; each block is handed out once."""
        return await self._raw.get()

    def _past(self, one: Decision, observed: Mapping[str, Observed]) -> list[Entry]:
        """Closed windows that hold the part, from the ledger."""
        reader = Reader(self.ledger.folder)
        try:
            return past(reader, self.line, self._calendar, Watched(self._devices, observed), one)
        finally:
            reader.close()

    def _fill(self, device: str, batch: Batch, mono: int) -> asyncio.Future[bool] | None:
        """Put a batch into the block of its device; what tells when that is on disk."""
        if not len(batch.index):
            return None
        if device not in self._filling:
            self._filling[device] = Filling([], mono, asyncio.get_running_loop().create_future())
        if not batch.restated:  # what it tells is on disk, or on its way there: this waits for it
            self._filling[device].batches.append(batch)
        return self._filling[device].written

    async def _flush(self, records: Sequence[Record]) -> None:
        """Write every block that waits, and up to when each device was observed."""
        filling, self._filling = self._filling, {}
        blocks = [self._block(device, one.batches) for device, one in filling.items() if one.batches]
        places = {key: text for device, one in filling.items() for key, text in marks(device, one.batches).items()}
        try:
            kept = await self._commit(Told(list(records)), blocks, places)
        except BaseException:
            for one in filling.values():
                one.written.cancel()
            raise
        for device, one in filling.items():
            one.written.set_result(kept)
            if kept and one.batches:
                self._offer(device, one.batches)

    def _offer(self, device: str, batches: Sequence[Batch]) -> None:
        if self._raw.full():
            self._raw.get_nowait()
        link = self._plant.links[device]
        self._raw.put_nowait(Samples(device, link.names, tuple(batches), link.origin.simulated))

    def _block(self, device: str, batches: Sequence[Batch]) -> Block:
        times = np.concatenate([batch.source_time for batch in batches])
        names = self._plant.links[device].names
        return Block(device, names, int(times.min()), int(times.max()), len(times), samples.encode(batches))

    async def _commit(self, told: Told, blocks: Sequence[Block] = (), places: Mapping[str, str] = NO_MARKS) -> bool:
        """One transaction; the line is shown as it was when handed in once that is on disk, or not durable.

        Whether it is on disk.
        """
        look, self._behind = self._plant.look(), None
        observed = self._plant.observed()
        handed_in = self.ledger.hand_in(
            told.records, counters=told.counters, observed=observed, blocks=blocks, marks=places
        )
        kept = await self._on_disk(handed_in)
        if look.number > self._shown.number:
            self._shown = look
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
        return kept

    async def _on_disk(self, handed_in: asyncio.Future[tuple[Record, ...]]) -> bool:
        """Wait until it is, or until the disk fails and memory holds it: a LedgerError later is the next call's."""
        while not handed_in.done():
            if self.ledger.holding:
                handed_in.add_done_callback(lambda done: done.cancelled() or done.exception())
                return False
            await asyncio.wait({handed_in}, timeout=LOOK_S)
        await handed_in
        return True
