"""What the record lane promises when a broker forgets: who is named misses nothing, any other sees what it missed."""

import os
import signal
from contextlib import asynccontextmanager, suppress

import pytest

from agent.demo.stage import free_port
from gateway.ack import WINDOW
from gateway.broker import program, start_broker
from gateway.consumer import EVERY
from gateway.mqtt import Broker, Mqtt, MqttError
from gateway.payload import encode
from gateway.record_lane import REPEATED
from tests.system.broker_rig import PLAIN, mosquitto
from tests.system.uplink_rig import BASE, Agent, Gate, NamedReader, Reader, WatchedLedger

pytestmark = pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto")


@pytest.fixture
async def ledger(tmp_path):
    ledger = await WatchedLedger.open(tmp_path / "ledger")
    yield ledger
    await ledger.close()


@pytest.fixture
async def broker(tmp_path):
    async with start_broker(tmp_path / "broker", "mosquitto") as broker:
        yield broker


@asynccontextmanager
async def a_broker_that_dies(tmp_path, agent, reader, gate):
    """Half the records through a broker that is killed with all it knows; then another in its place, still shut off."""
    await agent.make(1000)
    async with start_broker(tmp_path / "first", port=gate.target) as first, agent.running():
        gate.open = True
        async with reader.listening() as link:
            await reader.until(link, 300)
            gate.open = False
            os.kill(first.pid, signal.SIGKILL)
            with suppress(MqttError):
                await reader.until(link, 2000)
        await agent.noted("+not_connected")
        await agent.make(1000)
        # A fresh broker knows neither sessions nor retained messages.
        async with start_broker(tmp_path / "second", port=gate.target):
            yield
    assert agent.faults[:2] == ["+not_connected", "-not_connected"]


@pytest.fixture
async def gate():
    gate = Gate(free_port())
    gate.open = False
    async with gate.standing():
        yield gate


async def test_a_broker_killed_with_its_memory_costs_a_named_consumer_nothing(tmp_path, ledger, gate):
    agent, reader = Agent(ledger, tmp_path, gate.port, consumer=NamedReader.NAME), NamedReader(gate.target)
    async with a_broker_that_dies(tmp_path, agent, reader, gate):
        # The worst order: the agent is there first and tells a window full to nobody.
        gate.open = True
        await agent.moved("mqtt", ledger.cursor("mqtt:mes") + WINDOW)
        async with reader.listening() as link:
            await reader.until(link, 2000)
            await agent.moved("mqtt:mes", 2000 - EVERY + 1)
    assert reader.counted == list(range(1, 2001))
    assert "gap" not in reader.verdicts


async def test_a_broker_killed_with_its_memory_shows_any_other_consumer_what_it_missed(tmp_path, ledger, gate):
    agent, reader = Agent(ledger, tmp_path, gate.port), Reader(gate.target)
    async with a_broker_that_dies(tmp_path, agent, reader, gate):
        last, told = reader.counted[-1], ledger.cursor("mqtt")
        async with reader.listening() as link:
            gate.open = True
            await reader.until(link, 2000)
    # Of what the dead broker had acknowledged the last 100 are told again; what it held beyond them is a jump in seq.
    lost = range(last + 1, told - REPEATED + 1)
    assert reader.counted == [seq for seq in range(1, 2001) if seq not in lost]
    assert reader.verdicts.count("gap") == bool(lost)


async def test_what_a_full_queue_drops_is_told_again_to_a_named_consumer(tmp_path, ledger):
    async with (
        mosquitto(tmp_path, *PLAIN, "max_queued_messages 40", "max_inflight_messages 5") as port,
        Gate(port).standing() as gate,
    ):
        agent, reader = Agent(ledger, tmp_path, port, consumer=NamedReader.NAME), NamedReader(gate.port)
        await agent.make(600)
        async with reader.listening() as link:
            gate.flowing.clear()
            async with agent.running():
                await agent.moved("mqtt", WINDOW)  # of which the broker kept 45
                gate.flowing.set()
                await reader.until(link, 600)
    assert reader.counted == list(range(1, 601))


async def test_a_consumer_that_is_silent_is_a_fault_and_told_again_until_it_speaks(
    broker, ledger, tmp_path, monkeypatch
):
    monkeypatch.setattr("gateway.record_lane.PATIENCE_S", 0.1)
    agent, reader = Agent(ledger, tmp_path, broker.port, consumer=NamedReader.NAME), NamedReader(broker.port)
    await agent.make(700)
    async with agent.running():
        await agent.noted("+consumer_silent")
        assert ledger.cursor("mqtt") == WINDOW
        async with reader.listening() as link:
            await reader.until(link, 700)
        await agent.noted("-consumer_silent")
    assert reader.counted == list(range(1, 701))


async def test_a_new_consumer_of_a_ledger_whose_beginning_is_gone_is_told_where_to_begin(
    broker, ledger, tmp_path, monkeypatch
):
    monkeypatch.setattr("gateway.record_lane.PATIENCE_S", 0.1)
    agent, reader = Agent(ledger, tmp_path, broker.port, consumer=NamedReader.NAME), NamedReader(broker.port)
    await agent.make(130)
    whole = ledger.records
    monkeypatch.setattr(ledger, "records", lambda after, limit: whole(max(after, 100), limit))
    async with agent.running():
        await agent.noted("+consumer_silent")
        assert "let it begin with 100 as its last" in agent.messages[0]
        reader.consumer.last[ledger.id] = 100
        async with reader.listening() as link:
            await reader.until(link, 130)
    assert reader.counted == list(range(101, 131))


async def test_an_acknowledgement_that_cannot_be_is_one_fault_and_changes_nothing(broker, ledger, tmp_path):
    agent = Agent(ledger, tmp_path, broker.port, consumer=NamedReader.NAME)
    await agent.make(5)
    async with agent.running(), Mqtt(Broker("127.0.0.1", broker.port), "mes") as mes:
        await agent.drained()
        for last in (6, 7, 4):
            await mes.publish(f"{BASE}/_ack/mes", encode({"last": {ledger.id: last}}))
        await agent.noted("-bad_ack")
        await agent.moved("mqtt:mes", 4)
    assert agent.faults == ["+bad_ack", "-bad_ack"]


async def test_a_broker_that_takes_and_acknowledges_nothing_is_given_up_and_found_again(
    broker, ledger, tmp_path, monkeypatch
):
    monkeypatch.setattr("gateway.mqtt.ACK_S", 0.5)
    async with Gate(broker.port).standing() as gate:
        agent, reader = Agent(ledger, tmp_path, gate.port), Reader(broker.port)
        async with reader.listening() as link, agent.running():
            await agent.make(5)
            await reader.until(link, 5)
            gate.flowing.clear()
            await agent.make(5)
            await agent.noted("+not_connected")
            gate.flowing.set()
            await reader.until(link, 10)
            await agent.noted("-not_connected")
    assert reader.counted == list(range(1, 11))
    assert "nothing is acknowledged" in agent.messages[0]
