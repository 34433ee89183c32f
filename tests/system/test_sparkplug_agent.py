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
port = {nobody}
tag = [ {{ name = "light", address = "40001", datatype = "u16", every = "100ms" }} ]
[[machine]]
name = "press1"
state = {{ tag = "cell1.light", executing = [1] }}
"""


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return closed.getsockname()[1]


@asynccontextmanager
async def running(folder, data):
    ledger, stop = await Ledger.open(data), asyncio.Event()
    agent = Agent(load(folder / "line.toml"), folder, data, ledger)
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
        (tmp_path / "line.toml").write_text(LINE.format(port=broker.port, nobody=closed_port))
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
        (tmp_path / "line.toml").write_text(LINE.format(port=broker.port, nobody=closed_port))
        async with Mqtt(Broker("127.0.0.1", broker.port), "host") as host:
            await host.subscribe("spBv1.0/#")
            async with running(tmp_path, tmp_path / "data"):
                first, second = await births(host, 2)
    assert "NBIRTH" in first[0]
    assert "NDATA" in second[0]
