"""What stands around an uplink under test: an agent's hands, a consumer, and a gate before the broker."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress

from agent.ledger import Ledger
from agent.model import (
    SECOND,
    Fault,
    Inspection,
    Job,
    Kind,
    Kpi,
    Line,
    LineNow,
    Machine,
    MachineNow,
    MachineState,
    Order,
    Plan,
    Record,
    Samples,
    State,
    Verdict,
    Window,
)
from gateway.consumer import Consumer, NamedConsumer
from gateway.mqtt import Broker, Mqtt
from gateway.order import OrderError
from gateway.payload import count_body, encode
from gateway.uplink import Options, Uplink

NOW = 1_790_000_000 * SECOND
LINE = Line(
    "foshan",
    "appliances",
    "cooker3",
    {"en": "Rice cooker line 3"},
    17.0,
    "Asia/Shanghai",
    (Machine("press1", {"en": "Press"}, {31: "die-protection"}),),
    {"A": {"en": "Cooker 3 l"}},
    {},
)
WINDOW = Window("shift", "day", NOW - 3600 * SECOND, NOW + 3600 * SECOND)
BASE = "tanchang/v1/foshan/appliances/cooker3"
PUBLIC = "tanchang-public/v1/foshan/appliances/cooker3"
ONLINE = f"{BASE}/_online"
LONG_S = 20.0


def line_now(ledger) -> LineNow:
    return LineNow(
        ledger=ledger.id,
        seq=ledger.last_seq,
        time=NOW,
        simulated=True,
        speed=60.0,
        durable=True,
        machines=(MachineNow("press1", MachineState(State.EXECUTING), NOW, 412, 3, 16.2, NOW, simulated=True),),
        figures=(Kpi("takt", "", WINDOW, 1234.0, 75.0, "s", 16.45, None, None, 1234.0, 1300.0, 17.0, NOW),),
        faults=(Fault("press1", "not_connected", "no answer from 127.0.0.1:5020", "check its cable", NOW),),
        inspections=(
            Inspection(
                "part-7",
                "press1",
                NOW,
                Verdict.REJECT,
                0.97,
                0.97,
                None,
                "flash",
                "c0ffee",
                "7.png",
                simulated=True,
                took_ms=9.1,
            ),
        ),
        plan=Plan((Job("J17", "A", 0, "press1", NOW, NOW, 0.0, 120, {"code": "due"}),), "rules", None, NOW, 0, 0.1),
    )


class WatchedLedger(Ledger):
    """The real ledger, which also tells when a cursor moved."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.moved = asyncio.Condition()

    async def move_cursor(self, sink, seq) -> None:
        await super().move_cursor(sink, seq)
        async with self.moved:
            self.moved.notify_all()


class Agent:
    """What an agent hands its uplink, with what the uplink hands back."""

    def __init__(self, ledger, folder, port, **options) -> None:
        self.ledger, self.folder, self.port, self.options = ledger, folder, port, Options(**options)
        self.broker: Broker | None = None
        self.faults: list[str] = []
        self.messages: list[str] = []
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self.samples: asyncio.Queue[Samples] = asyncio.Queue()
        self.changed = asyncio.Event()
        self.long_pauses: asyncio.Queue[float] = asyncio.Queue()
        self.resumed = asyncio.Semaphore(0)

    def uplink(self) -> Uplink:
        return Uplink(
            LINE,
            self.ledger,
            self.broker or Broker("127.0.0.1", self.port),
            lambda: line_now(self.ledger),
            self.folder,
            lambda fault: self._note(f"+{fault.code}", f"{fault.message}: {fault.remedy}"),
            lambda _, code: self._note(f"-{code}", ""),
            self.take_order,
            self.samples.get,
            self.options,
            self.pause,
        )

    async def pause(self, seconds) -> None:
        """Short ones pass as they do; a long one is over when the test says so."""
        if seconds < LONG_S:
            return await asyncio.sleep(seconds)
        self.long_pauses.put_nowait(seconds)
        await self.resumed.acquire()
        return None

    def _note(self, word: str, message: str) -> None:
        self.faults.append(word)
        self.messages.append(message)
        self.changed.set()

    async def noted(self, word: str) -> None:
        while word not in self.faults:
            self.changed.clear()
            await self.changed.wait()

    async def take_order(self, order: Order) -> None:
        if order.quantity == 13:
            raise OrderError("thirteen is never made here")
        self.orders.put_nowait(order)

    async def make(self, parts: int) -> None:
        total = self.ledger.last_seq
        body = [count_body("good", 1, total + n + 1, 0, total + n + 1, None) for n in range(parts)]
        await self.ledger.commit([Record(Kind.COUNT, "press1", NOW, one, simulated=True) for one in body])

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.uplink().run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def drained(self) -> None:
        """All records acknowledged and the cursor there."""
        await self.moved("mqtt", self.ledger.last_seq)

    async def moved(self, sink: str, seq: int) -> None:
        """The cursor of the sink there."""
        async with self.ledger.moved:
            await self.ledger.moved.wait_for(lambda: self.ledger.cursor(sink) >= seq)


class Reader:
    """A consumer that keeps one integer, over any number of links."""

    def __init__(self, port) -> None:
        self.broker = Broker("127.0.0.1", port)
        self.consumer = Consumer()
        self.counted: list[int] = []
        self.verdicts: list[str] = []

    @asynccontextmanager
    async def listening(self, topics=f"{BASE}/+/_count"):
        async with Mqtt(self.broker, "reader") as link:
            await link.subscribe(topics)
            yield link

    async def until(self, link, seq) -> None:
        """Take what comes until that record was taken."""
        async for message in link.messages():
            payload = json.loads(message.payload)
            verdict = self.consumer.take(payload)
            self.verdicts.append(verdict)
            if verdict in ("new", "gap"):
                self.counted.append(payload["seq"])
            await self.acknowledge(link)
            if self.counted and self.counted[-1] >= seq:
                return

    async def acknowledge(self, link) -> None:
        """A consumer that nobody named says nothing."""


class NamedReader(Reader):
    """The consumer that [mqtt] names."""

    NAME = "mes"

    def __init__(self, port, broker=None) -> None:
        super().__init__(port)
        self.broker = broker or self.broker
        self.consumer: NamedConsumer = NamedConsumer()

    @asynccontextmanager
    async def listening(self, topics=f"{BASE}/+/_count"):
        async with super().listening(topics) as link:
            self.consumer.join()
            await self.acknowledge(link)
            yield link

    async def acknowledge(self, link) -> None:
        if (said := self.consumer.due()) is not None:
            await link.publish(f"{BASE}/_ack/{self.NAME}", encode(said), retain=True)


class Gate:
    """A relay in front of the broker that the test opens, shuts and cuts, or lets stand still."""

    def __init__(self, port) -> None:
        self.target, self.port, self.open = port, 0, True
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.writers: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task] = set()

    @asynccontextmanager
    async def standing(self):
        async with await asyncio.start_server(self.relay, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            try:
                yield self
            finally:
                self.flowing.set()
                self.cut()
                await asyncio.gather(*self.tasks, return_exceptions=True)

    async def relay(self, reader, writer) -> None:
        self.tasks |= {task for task in [asyncio.current_task()] if task}
        with suppress(OSError):
            if self.open:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
                self.writers += [writer, far_writer]
                await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))
        writer.close()

    async def pump(self, reader, writer, saw=lambda _: None) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                saw(data)
                await self.flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Every link breaks, without goodbye."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()
