"""The only wiring: builds the parts a line file asks for, runs them in one TaskGroup, and lets go in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import faults, wiring
from agent.bookmark import bookmarks
from agent.clock import Watch
from agent.configuration.tables import BrokerTable, CameraTable, LedgerTable, LineFile, MqttTable, SparkplugTable
from agent.ledger import Keep, Ledger, LedgerError, Reader
from agent.model import Batch, Fault, Kind, Line, Order, Plan, Record
from agent.poller import Poller
from agent.recorder import Recorder
from agent.sinks import settle
from drivers.catalog import create
from drivers.contract import Bookmark
from drivers.frames import Frames
from gateway.order import OrderError

if TYPE_CHECKING:
    from agent.inspector import Inspector
    from agent.scheduler import Scheduler
    from gateway.mqtt import Broker
    from gateway.sparkplug.node import EdgeNode
    from gateway.uplink import Uplink

RESTART_S = 5.0  # pause before a part that hit a bug starts again
LOOK_BACK = 1000  # orders and plans read back at a start
DRAIN_S = 3.0  # how long an agent that was told to stop goes on publishing what it recorded
log = logging.getLogger("agent")


def run(line_file: LineFile, path: Path, data: Path, *, attached: bool = False) -> int:
    """Run the agent until SIGTERM or SIGINT or, where `attached`, until standard input closes.

    `path` is where the line file lies: its relative paths start from there.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for library in ("asyncua", "pymodbus", "uvicorn"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # what matters of theirs becomes a fault of ours
    code = 0
    try:
        asyncio.run(_main(line_file, path, data, attached=attached))
    except* LedgerError as group:
        for error in group.exceptions:
            log.error("%s", error)
        code = 1
    return code


async def _main(line_file: LineFile, path: Path, data: Path, *, attached: bool) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    if attached:
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 4096) else stop.set())
    ledger = await open_ledger(line_file.ledger, data)
    try:
        agent = Agent(line_file, path, data, ledger)
        with contextlib.closing(agent.reader):
            await agent.run(stop)
    finally:
        await ledger.close()


async def open_ledger(table: LedgerTable, data: Path) -> Ledger:
    """The ledger in a data folder, as large and as quick as the line file wants it."""
    hours = [None if kept is None else kept / 3600 for kept in (table.samples, table.records)]
    return await Ledger.open(data, table.size, table.commit, Keep(table.samples_size, *hours))


def watch_of(line: Line, reader: Reader) -> Watch:
    """A look at the gateway's clock, which cannot be before the last record was written."""
    return Watch(line.timezone, reader.last_wall)


class Agent:
    """One gateway's agent: the parts, and the few calls that go between them."""

    def __init__(self, line_file: LineFile, path: Path, data: Path, ledger: Ledger) -> None:
        self.file = line_file
        self.path = path
        self.base = path.parent
        self.evidence = (data / "evidence").resolve()
        self.ledger = ledger
        self.reader = Reader(ledger.folder)
        self.line = line_file.equipment
        self.devices = line_file.devices
        self.frames = {device.name: Frames() for device in self.devices}
        rules = wiring.machine_rules(line_file, self.devices)
        calendar = wiring.calendar(line_file)
        meter = wiring.meter(line_file, self.devices)
        devices = wiring.device_rules(self.devices)
        watch = watch_of(self.line, self.reader)
        self.recorder = Recorder(self.line, rules, devices, calendar, ledger, meter=meter, watch=watch)
        self.inspectors: list[Inspector] = []
        self.scheduler: Scheduler | None = None
        self.uplink: Uplink | None = None
        self.edge_node: EdgeNode | None = None
        self._bookmarks: Mapping[str, Bookmark] = {}
        self._orders: dict[str, Order] = {}
        self._reports: asyncio.Queue[Awaitable[object]] = asyncio.Queue()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: then reading ends first, what was recorded is published, and only then the north side goes."""
        await self.recorder.restore()
        self._bookmarks = await asyncio.to_thread(bookmarks, self.reader, self.devices)
        version, time, simulated = metadata.version("tanchang"), self.recorder.plant_time(), self.recorder.simulated
        await settle(self.ledger, self.file, version, time, simulated=simulated)
        await self.recorder.audit("start", version)
        async with asyncio.TaskGroup() as north:
            running = [north.create_task(job, name=name) for name, job in self._north()]
            async with self._panel(north):
                tell("ready", panel=self.file.panel.listen if self.file.panel else None)
                async with asyncio.TaskGroup() as south:
                    reading = [south.create_task(job, name=name) for name, job in self._south()]
                    await stop.wait()
                    for task in reading:
                        task.cancel()
                await self.recorder.close()
                await self._drain()
            for task in running:
                task.cancel()

    def _south(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What brings facts in."""
        self.inspectors += [self._inspector(camera) for camera in self.file.camera]
        for device in self.devices:
            make = partial(create, device)
            kept = self._bookmarks.get(device.name)
            poller = Poller(device, make, self.recorder, random.Random(), self._heard, kept, self.frames[device.name])
            yield f"poll {device.name}", poller.run()
        for camera, inspector in zip(self.file.camera, self.inspectors, strict=True):
            yield f"inspect {camera.name}", self._kept_up(camera.name, inspector.run)
        if self.scheduler is not None:
            yield "schedule", self._kept_up("scheduler", self.scheduler.run)
        yield "record", self.recorder.run()
        yield "first value", self._tell_first_value()

    def _north(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What carries facts out."""
        if self.file.schedule is not None:
            self.scheduler = self._make_scheduler()
        if self.file.mqtt is not None:
            self.uplink = self._make_uplink(self.file.mqtt)
            yield "uplink", self.uplink.run()
        if self.file.sparkplug is not None:
            self.edge_node = self._make_edge_node(self.file.sparkplug)
            yield "sparkplug", self._kept_up("sparkplug", self.edge_node.run)
        yield "report", self._report()

    def _heard(self, device: str, batch: Batch) -> None:
        for inspector in self.inspectors:
            inspector.observe(device, batch)

    async def take_order(self, order: Order) -> None:
        """Returns once the order is committed; OrderError where nothing can be planned for it."""
        if self.scheduler is None:
            raise OrderError("this line has no [schedule] table, so it takes no orders")
        if refused := self.scheduler.take_order(order):
            raise OrderError(refused)
        if self._orders.get(order.order) != order:  # a retained order comes again with every link
            self._orders[order.order] = order
            await self.recorder.order(order)

    async def _tell_first_value(self) -> None:
        """Tell who started this process that values are on disk."""
        while not any(device.batches for device in self.recorder.devices()):
            await self.recorder.changed()
        tell("first_value")

    async def _kept_up(self, source: str, run: Callable[[], Awaitable[None]]) -> None:
        """Start a part again after a bug in it; the rest of the line goes on meanwhile."""
        while True:
            try:
                await run()
            except LedgerError:
                raise
            except Exception as error:
                log.exception("%s: a bug, it is started again", source)
                await self.recorder.fault(faults.fault(source, "internal", repr(error), self.recorder.plant_time()))
            await asyncio.sleep(RESTART_S)
            await self.recorder.clear(source, "internal")

    async def _plan(self, plan: Plan) -> None:
        """Record an advice, and whether the policy had a say in it."""
        await self.recorder.plan(plan)
        if self.scheduler is not None and self.scheduler.fault is not None:
            await self.recorder.fault(self.scheduler.fault)
        else:
            await self.recorder.clear("scheduler", "policy_unavailable")

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                # A cursor tells nobody that it moved.
                while self._is_behind():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    def _is_behind(self) -> bool:
        """Whether a face of the line has not told all that is recorded; one that waits for its host is left alone."""
        sinks = [self.uplink.sink] if self.uplink is not None else []
        sinks += [self.edge_node.sink] if self.edge_node is not None and self.edge_node.telling else []
        return any(self.ledger.cursor(sink) < self.ledger.last_seq for sink in sinks)

    async def _report(self) -> None:
        """Records the faults that parts without a wait of their own report."""
        while True:
            await (await self._reports.get())

    def _report_fault(self, fault: Fault) -> None:
        log.warning("%s: %s: %s", fault.source, fault.message, fault.remedy)
        self._reports.put_nowait(self.recorder.fault(fault))

    def _clear_fault(self, source: str, code: str) -> None:
        log.info("%s: %s is over", source, code)
        self._reports.put_nowait(self.recorder.clear(source, code))

    def _inspector(self, table: CameraTable) -> Inspector:
        from agent.inspector import Camera, Inspector
        from inference.inspection.judge import load

        tags = [wiring.tag_index(self.devices, tag) for tag in (*filter(None, [table.shot]), *table.process)]
        camera = Camera(
            name=table.name,
            machine=table.machine,
            folder=self.base / table.folder,
            device=tags[0][0] if tags else "",
            shot=tags[0][1] if table.shot else None,
            process=tuple(index for _, index in tags[1:]),
        )
        last = [one.unit for one in self.recorder.last_inspections if one.machine == table.machine]
        return Inspector(
            camera,
            lambda: load(table.model, table.process_model),
            self.evidence,
            self.recorder.inspect,
            self._report_fault,
            self._clear_fault,
            last_unit=last[-1] if last else None,
        )

    def _make_scheduler(self) -> Scheduler:
        from agent.scheduler import Scheduler, still_open
        from inference.card import ModelError
        from inference.session import open_model

        table = self.file.schedule
        assert table is not None
        model = None
        try:
            model = open_model(table.model)
        except ModelError as error:
            self._report_fault(Fault("scheduler", "policy_unavailable", str(error), error.remedy, 0))
        orders = [wiring.order(record.body) for record in self._past(Kind.ORDER)]
        self._orders = {order.order: order for order in orders}
        plans = ({job["order"] for job in record.body["jobs"]} for record in self._past(Kind.PLAN))
        return Scheduler(
            wiring.scheduling(self.file),
            self.recorder.now,
            self.recorder.plant_time,
            self._plan,
            model,
            still_open(orders, plans),
        )

    def _past(self, kind: Kind) -> list[Record]:
        """The last records of a kind, oldest first."""
        return self.reader.records(kind, limit=LOOK_BACK, newest=True)[::-1]

    def _make_uplink(self, table: MqttTable) -> Uplink:
        from gateway.uplink import Options, Uplink

        return Uplink(
            self.line,
            self.ledger,
            self._broker(table),
            self.recorder.now,
            self.evidence,
            self._report_fault,
            self._clear_fault,
            self.take_order,
            self.recorder.samples,
            Options(table.consumer, table.raw, table.home_assistant),
        )

    def _broker(self, table: BrokerTable) -> Broker:
        from gateway.mqtt import Broker

        files = (table.password_file, table.ca_file, table.cert_file, table.key_file)
        return Broker(table.host, table.port, table.username, *(path and self.base / path for path in files))

    def _make_edge_node(self, table: SparkplugTable) -> EdgeNode:
        from agent.sparkplug import edge_node

        tables = table.broker or tuple(filter(None, (self.file.mqtt,)))
        brokers = [self._broker(one) for one in tables]
        hands = (self._report_fault, self._clear_fault)
        return edge_node(table, self.file, brokers, self.recorder, self.ledger, self.reader, *hands)

    @asynccontextmanager
    async def _panel(self, group: asyncio.TaskGroup) -> AsyncIterator[None]:
        """The panel, if the line file wants one: listening when the block is entered, gone when it is left."""
        table = self.file.panel
        if table is None:
            yield
            return
        from agent.health.logtail import tailing
        from agent.health.vitals import Vitals
        from agent.panel import panel
        from agent.view import AgentView
        from agent.workbench import workbench

        view = AgentView(
            self.recorder, self.ledger, self.reader, self.evidence, self.take_order, self.file, self.frames
        )
        vitals = Vitals(self.ledger, self.recorder.devices)
        measuring = group.create_task(self._kept_up("health", vitals.run), name="health")
        try:
            with tailing() as tail:
                bench = workbench(self.file, self.path, self.ledger.folder, view, vitals, tail)
                async with panel(group, table, self.line, view, self.ledger.folder, self._report_fault, bench):
                    yield
        finally:
            measuring.cancel()


def tell(event: str, **fields: object) -> None:
    """One JSON line on standard output, for whoever started this process."""
    line = json.dumps({"event": event, **fields})
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())
