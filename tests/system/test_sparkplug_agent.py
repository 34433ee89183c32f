"""An agent whose line file has [sparkplug]: born as its line, one bdSeq a start, and the ledger keeps the number."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from agent.app import Agent
from agent.ledger import Ledger, Reader
from agent.linefile import load
from gateway.broker import program, start_broker
from gateway.mqtt import Broker, Mqtt
from gateway.sparkplug.wire import decode
from tests.contract.twins import START_MS, ModbusTwin

pytestmark = [pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto"), pytest.mark.timeout(120)]

LINE = """
site = "foshan"
area = "appliances"
line = "cooker3"
takt = "17s"
[mqtt]
host = "127.0.0.1"
port = {port}
[sparkplug]
[[device]]
name = "cell1"
driver = "modbus"
host = "127.0.0.1"
port = {device}
clock = "clock"
timeout = "1s"
tag = [
  {{ name = "clock", address = "HR0", datatype = "u64", every = "50ms" }},
  {{ name = "good", address = "HR4", datatype = "u16", every = "50ms" }},
  {{ name = "light", address = "HR5", datatype = "u16", every = "50ms" }},
]
[[machine]]
name = "press1"
good = "cell1.good"
state = {{ tag = "cell1.light", executing = [4] }}
"""


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return closed.getsockname()[1]


@asynccontextmanager
async def running(folder, data):
    ledger, stop = await Ledger.open(data), asyncio.Event()
    agent = Agent(load(folder / "line.toml"), folder / "line.toml", data, ledger)
    task = asyncio.create_task(agent.run(stop))
    try:
        yield agent
    finally:
        stop.set()
        await task
        agent.reader.close()
        await ledger.close()


async def births(host, count):
    """The next messages of the edge node, decoded."""
    stream = host.messages()
    messages = [await anext(stream) for _ in range(count)]
    return [(one.topic, {field.name: field.value for field in decode(one.payload).fields}) for one in messages]


async def test_an_agent_is_born_as_its_line_and_keeps_count_of_its_connects(tmp_path, closed_port):
    async with asyncio.timeout(100), start_broker(tmp_path / "broker", "mosquitto") as broker:
        (tmp_path / "line.toml").write_text(LINE.format(port=broker.port, device=closed_port))
        async with Mqtt(Broker("127.0.0.1", broker.port), "host") as host:
            await host.subscribe("spBv1.0/+/NBIRTH/#")
            for start in range(2):
                async with running(tmp_path, tmp_path / "data") as agent:
                    ((topic, metrics),) = await births(host, 1)
                    assert topic == "spBv1.0/foshan:appliances/NBIRTH/cooker3"
                    assert metrics["bdSeq"] == start
                    assert metrics["tc/ledger"] == agent.ledger.id
                    assert metrics["Properties/Equipment"] == "foshan/appliances/cooker3"
    reader = Reader(tmp_path / "data")
    assert reader.marks()["sparkplug.bdSeq"] == "1"
    assert reader.cursors()["sparkplug"] == reader.last_seq  # what was recorded is told before it goes
    reader.close()


async def test_a_machine_that_nobody_hears_is_not_born(tmp_path, closed_port):
    async with asyncio.timeout(100), start_broker(tmp_path / "broker", "mosquitto") as broker:
        (tmp_path / "line.toml").write_text(LINE.format(port=broker.port, device=closed_port))
        async with Mqtt(Broker("127.0.0.1", broker.port), "host") as host:
            await host.subscribe("spBv1.0/#")
            async with running(tmp_path, tmp_path / "data"):
                first, second = await births(host, 2)
    assert "NBIRTH" in first[0]
    assert "NDATA" in second[0]


class Here:
    """A twin's loop: that of the test."""

    async def run(self, job):
        return await job


class Heard:
    """What an edge node says, metric by metric, with the names its births gave."""

    def __init__(self, stream) -> None:
        self.stream, self.names = stream, {}

    async def until(self, kind, name=None, value=None):
        """The first message of a kind in which a metric has this value."""
        async for message in self.stream:
            fields = decode(message.payload).fields
            self.names |= {one.alias: one.name for one in fields if one.name is not None}
            said = {self.names[one.alias]: one for one in fields}
            if f"/{kind}/" in message.topic and (name is None or (name in said and said[name].value == value)):
                return said
        raise AssertionError("the link ended")


async def test_a_machine_is_born_counts_and_dies_with_its_device(tmp_path):
    twin = ModbusTwin(Here())  # type: ignore[arg-type]  # run is all that it asks of its loop
    await twin.open()
    async with asyncio.timeout(100), start_broker(tmp_path / "broker", "mosquitto") as broker:
        (tmp_path / "line.toml").write_text(LINE.format(port=broker.port, device=twin.port))
        async with Mqtt(Broker("127.0.0.1", broker.port), "host") as host:
            await host.subscribe("spBv1.0/#")
            heard = Heard(host.messages())
            async with running(tmp_path, tmp_path / "data"):
                born = await heard.until("DBIRTH")
                assert born["tc/simulated"].value is True
                if born["state"].value != "EXECUTING":
                    await heard.until("DDATA", "state", "EXECUTING")
                await twin.write(clock=START_MS + 20_000, good=1)
                counted = await heard.until("DDATA", "good", 1)
                assert counted["good"].time == START_MS + 20_000
                assert counted["good"].properties["simulated"][1] is True
                assert counted["tc/seq"].value > 0
                await twin.close()
                await heard.until("DDEATH")
