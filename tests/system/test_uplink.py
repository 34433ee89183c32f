"""A line's uplink over real brokers and a real ledger: nothing lost, nothing twice, the live lane never held up."""

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

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
    State,
    Verdict,
    Window,
)
from gateway.broker import program, start_broker
from gateway.consumer import Consumer
from gateway.mqtt import Broker, Mqtt, MqttError
from gateway.order import OrderError
from gateway.payload import count_body, encode, order_body, record
from gateway.uplink import Uplink

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

pytestmark = pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto")


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

    def __init__(self, ledger, folder, port) -> None:
        self.ledger, self.folder, self.port = ledger, folder, port
        self.faults: list[str] = []
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self.changed = asyncio.Event()

    def uplink(self) -> Uplink:
        return Uplink(
            LINE,
            self.ledger,
            Broker("127.0.0.1", self.port),
            lambda: line_now(self.ledger),
            self.folder,
            lambda fault: self._note(f"+{fault.code}"),
            lambda _, code: self._note(f"-{code}"),
            self.take_order,
        )

    def _note(self, word: str) -> None:
        self.faults.append(word)
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
        async with self.ledger.moved:
            await self.ledger.moved.wait_for(lambda: self.ledger.cursor("mqtt") >= self.ledger.last_seq)


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
        async for message in link.messages():
            payload = json.loads(message.payload)
            verdict = self.consumer.take(payload)
            self.verdicts.append(verdict)
            if verdict != "seen":
                self.counted.append(payload["seq"])
            if payload["seq"] >= seq:
                return


class Gate:
    """A relay in front of the broker that the test opens, shuts and cuts."""

    def __init__(self, port) -> None:
        self.target, self.port, self.open = port, 0, True
        self.writers: list[asyncio.StreamWriter] = []
        self.tasks: set[asyncio.Task] = set()

    @asynccontextmanager
    async def standing(self):
        async with await asyncio.start_server(self.relay, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            try:
                yield self
            finally:
                self.cut()
                await asyncio.gather(*self.tasks, return_exceptions=True)

    async def relay(self, reader, writer) -> None:
        self.tasks.add(asyncio.current_task())
        with suppress(OSError):
            if self.open:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
                self.writers += [writer, far_writer]
                await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))
        writer.close()

    @staticmethod
    async def pump(reader, writer) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


@pytest.fixture
async def ledger(tmp_path):
    ledger = await WatchedLedger.open(tmp_path / "ledger")
    yield ledger
    await ledger.close()


@pytest.fixture(params=["mosquitto", "nats"])
async def any_broker(request, tmp_path):
    if program(request.param) is None:
        pytest.skip(f"no {request.param} here")
    async with start_broker(tmp_path / "broker", request.param) as broker:
        yield broker


@pytest.fixture
async def broker(tmp_path):
    async with start_broker(tmp_path / "broker", "mosquitto") as broker:
        yield broker


async def test_every_record_arrives_once_in_order_and_the_cursor_follows(any_broker, ledger, tmp_path):
    agent, reader = Agent(ledger, tmp_path, any_broker.port), Reader(any_broker.port)
    await agent.make(150)
    async with reader.listening() as link, agent.running():
        await agent.make(50)
        await reader.until(link, 200)
        await agent.drained()
    assert reader.counted == list(range(1, 201))
    assert set(reader.verdicts) == {"new"}
    assert ledger.cursor("mqtt") == 200


async def test_an_uplink_that_starts_anew_resends_and_the_consumer_counts_once(broker, ledger, tmp_path):
    agent, reader = Agent(ledger, tmp_path, broker.port), Reader(broker.port)
    async with reader.listening() as link:
        for upto in (40, 90, 300):
            await agent.make(upto - ledger.last_seq)
            async with agent.running():
                await reader.until(link, upto)
    assert reader.counted == list(range(1, 301))
    assert "seen" in reader.verdicts
    assert "gap" not in reader.verdicts


async def test_a_broker_killed_in_the_middle_costs_nothing(tmp_path, ledger):
    gate, port = Gate(0), None
    async with gate.standing():
        agent = Agent(ledger, tmp_path, gate.port)
        await agent.make(2000)
        async with start_broker(tmp_path / "first") as first:
            gate.target = port = first.port
            reader = Reader(port)
            async with reader.listening() as link:
                task = asyncio.create_task(agent.uplink().run())
                await reader.until(link, 300)
                gate.open = False
                os.kill(first.pid, signal.SIGKILL)
                with suppress(MqttError):
                    await reader.until(link, 2000)
        assert len(reader.counted) < 2000
        # A fresh broker knows neither sessions nor retained messages.
        async with start_broker(tmp_path / "second", port=port), reader.listening() as link:
            gate.open = True
            await reader.until(link, 2000)
            await agent.drained()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert reader.counted == list(range(1, 2001))
    assert "gap" not in reader.verdicts
    assert agent.faults[:2] == ["+not_connected", "-not_connected"]


async def test_a_late_display_finds_the_whole_line_retained_in_both_trees(any_broker, ledger, tmp_path):
    (tmp_path / "7.png").write_bytes(b"image")
    agent = Agent(ledger, tmp_path, any_broker.port)
    async with agent.running(), Mqtt(Broker("127.0.0.1", any_broker.port), "early") as early:
        await early.subscribe(f"{PUBLIC}/press1/_inspection")
        await anext(early.messages())
        async with Mqtt(Broker("127.0.0.1", any_broker.port), "late") as late:
            await late.subscribe("tanchang/#")
            await late.subscribe("tanchang-public/#")
            found = {}
            async for message in late.messages():
                found[message.topic] = json.loads(message.payload)
                if len(found) == 14:
                    break
    private = {name.removeprefix(f"{BASE}/") for name in found if name.startswith(BASE)}
    public = {name.removeprefix(f"{PUBLIC}/") for name in found if name.startswith(PUBLIC)}
    told = {"_line", "_kpi", "_plan", "press1/_state", "press1/_kpi", "press1/_inspection"}
    assert private == told | {"_fault", "_online"}
    assert public == told
    assert found[f"{BASE}/press1/_inspection"]["value"]["image"] == "data:image/png;base64,aW1hZ2U="
    assert found[f"{BASE}/press1/_state"]["value"]["good"] == 412
    assert "good" not in found[f"{PUBLIC}/press1/_state"]["value"]
    assert found[ONLINE]["value"] is True
    assert all("seq" not in payload and payload["sim"] is True for payload in found.values())


async def test_a_broken_link_tells_the_last_will_and_the_next_one_takes_it_back(broker, ledger, tmp_path):
    async with Gate(broker.port).standing() as gate, Mqtt(Broker("127.0.0.1", broker.port), "watcher") as watcher:
        await watcher.subscribe(ONLINE)
        said = (json.loads(message.payload)["value"] async for message in watcher.messages())
        agent = Agent(ledger, tmp_path, gate.port)
        async with agent.running():
            assert await anext(said) is True
            gate.cut()
            assert await anext(said) is False
            assert await anext(said) is True
        # A clean stop says so itself: no broker tells the will then.
        assert await anext(said) is False


async def test_good_orders_are_taken_and_bad_ones_are_one_fault(broker, ledger, tmp_path):
    agent = Agent(ledger, tmp_path, broker.port)
    good = {"order": "J17", "product": "A", "quantity": 120, "due": "2026-11-22T12:00:00Z", "weight": 5}
    echo = record("0a", Record(Kind.ORDER, "", NOW, order_body(Order("J1", "A", 1, NOW)), simulated=True, seq=1))
    async with agent.running(), Mqtt(Broker("127.0.0.1", broker.port), "erp") as erp:
        await erp.subscribe(f"{BASE}/_line")
        await anext(erp.messages())
        for paper in (echo, {"order": "J18"}, {}, good | {"quantity": 13}, good):
            await erp.publish(f"{BASE}/_order", encode(paper))
        assert (await agent.orders.get()).weight == 5.0
        await agent.noted("-bad_order")
    assert agent.faults == ["+bad_order", "-bad_order"]
    assert agent.orders.empty()


async def test_a_backlog_never_holds_up_the_live_lane(broker, ledger, tmp_path):
    agent = Agent(ledger, tmp_path, broker.port)
    await agent.make(6000)
    async with Mqtt(Broker("127.0.0.1", broker.port), "display") as display:
        await display.subscribe(f"{BASE}/#")
        async with agent.running():
            seen = []
            async for message in display.messages():
                seen.append(json.loads(message.payload).get("seq", message.topic))
                if seen[-1] == 6000:
                    break
    # At the latest behind the records that were in flight when the link was new, far ahead of the backlog.
    for contract in ("_line", "_kpi", "press1/_state", "press1/_inspection"):
        assert seen.index(f"{BASE}/{contract}") < 500


async def test_an_absent_broker_is_one_fault_and_over_when_it_comes(tmp_path, ledger, monkeypatch):
    monkeypatch.setattr("gateway.uplink.LONGEST_WAIT_S", 0.3)
    async with start_broker(tmp_path / "first") as first:
        port = first.port
    agent = Agent(ledger, tmp_path, port)
    await agent.make(3)
    async with AsyncExitStack() as later, agent.running():
        await agent.noted("+not_connected")
        await later.enter_async_context(start_broker(tmp_path / "second", port=port))
        await agent.noted("-not_connected")
        await agent.drained()
    assert agent.faults == ["+not_connected", "-not_connected"]


@pytest.mark.parametrize(
    ("allowed", "fault", "passed"),
    [("tanchang/#", "+refused", 5), ("tanchang/v1/foshan/appliances/cooker3/_online", "+records_refused", 0)],
)
async def test_what_the_broker_refuses_is_a_fault_and_no_record_is_passed_over(
    tmp_path, ledger, allowed, fault, passed
):
    (tmp_path / "acl").write_text(f"topic read #\ntopic write {allowed}\n")
    (tmp_path / "acl").chmod(0o644)
    async with start_broker(tmp_path / "free") as free:
        port = free.port
        settings = (tmp_path / "free" / "mosquitto.conf").read_text().replace("persistence true", "")
    strict = tmp_path / "strict.conf"
    strict.write_text(f"{settings}acl_file {tmp_path / 'acl'}\n")
    process = await asyncio.create_subprocess_exec(
        program("mosquitto"), "-c", str(strict), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        agent = Agent(ledger, tmp_path, port)
        await agent.make(5)
        async with agent.running():
            await agent.noted(fault)
            if passed:
                await agent.drained()
        assert ledger.cursor("mqtt") == passed
    finally:
        process.kill()
        await process.wait()


async def test_what_is_unchanged_is_not_told_again_and_the_heartbeat_goes_on(broker, ledger, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.live_lane.BEAT_S", 0.1)
    monkeypatch.setattr("gateway.live_lane.PACE_S", 0.05)
    agent = Agent(ledger, tmp_path, broker.port)
    async with Mqtt(Broker("127.0.0.1", broker.port), "display") as display:
        await display.subscribe(f"{BASE}/#")
        topics = []
        async with agent.running():
            async for message in display.messages():
                topics.append(message.topic)
                if topics.count(f"{BASE}/_line") == 4:
                    break
    assert topics.count(f"{BASE}/press1/_state") == 1
    assert topics.count(f"{BASE}/_plan") == 1


async def test_an_uplink_told_to_stop_while_its_link_breaks_does_stop(broker, ledger, tmp_path):
    agent = Agent(ledger, tmp_path, broker.port)

    async def break_and_stop(_) -> None:
        task.cancel()
        raise MqttError("the link is lost", "nothing")

    agent.take_order = break_and_stop
    task = asyncio.create_task(agent.uplink().run())
    async with Mqtt(Broker("127.0.0.1", broker.port), "erp") as erp:
        await erp.subscribe(f"{BASE}/_line")
        await anext(erp.messages())
        order = {"order": "J17", "product": "A", "quantity": 120, "due": "2026-11-22T12:00:00Z"}
        await erp.publish(f"{BASE}/_order", encode(order))
        with pytest.raises(asyncio.CancelledError):
            await task
