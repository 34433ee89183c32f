"""RabbitMQ's MQTT plug-in keeps the contract that mosquitto and NATS keep, but for retained messages and wildcards."""

import asyncio
import json
import socket
import time

import pytest

from gateway.mqtt import Broker, Message, Mqtt, MqttError
from gateway.sparkplug.wire import decode
from tests.system.rabbit import installed, rabbit
from tests.system.sparkplug_rig import BASE as SPARKPLUG
from tests.system.sparkplug_rig import NODE, Host, Log, Plant, Tap, commands, told
from tests.system.uplink_rig import BASE, ONLINE, Agent, Gate, NamedReader, Reader, WatchedLedger

pytestmark = [pytest.mark.skipif(not installed(), reason="needs rabbitmq-server"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with rabbit(tmp_path_factory.mktemp("rabbit")) as port:
        yield port


@pytest.fixture
async def ledger(tmp_path):
    ledger = await WatchedLedger.open(tmp_path / "ledger")
    yield ledger
    await ledger.close()


async def test_messages_come_back_in_order_acknowledged_in_the_version_it_speaks(node):
    async with Mqtt(Broker("127.0.0.1", node), "tc-test") as link:
        assert link.version == 4
        await link.subscribe("a/+/_count")
        sent = [Message("a/press1/_count", f"{n}".encode()) for n in range(50)]
        await asyncio.gather(*(link.publish(one.topic, one.payload) for one in sent))
        messages = link.messages()
        assert [await anext(messages) for _ in sent] == sent


async def test_a_retained_message_greets_who_comes_later_and_names_its_topic(node):
    where = Broker("127.0.0.1", node)
    async with Mqtt(where, "first") as link:
        await link.publish("b/_line", b"7", retain=True)
    async with Mqtt(where, "second") as link:
        await link.subscribe("b/_line")
        assert await anext(link.messages()) == Message("b/_line", b"7", retain=True)


async def test_the_last_will_is_told_when_a_link_breaks_and_not_after_a_goodbye(node):
    where = Broker("127.0.0.1", node)
    async with Mqtt(where, "watcher") as watcher:
        await watcher.subscribe("c/#")
        async with Mqtt(where, "polite", Message("c/will", b"polite gone", retain=True)):
            pass
        broken = Mqtt(where, "broken", Message("c/will", b"broken gone", retain=True))
        async with broken:
            broken._client.socket().shutdown(socket.SHUT_RDWR)
            with pytest.raises(MqttError, match="lost"):
                await broken.lost()
        assert (await anext(watcher.messages())).payload == b"broken gone"


async def test_every_record_is_told_again_after_a_broken_link_and_counted_once(node, ledger, tmp_path):
    async with Gate(node).standing() as gate:
        agent, reader = Agent(ledger, tmp_path, gate.port), Reader(node)
        async with reader.listening() as link, agent.running():
            for upto in (150, 300):
                await agent.make(150)
                await reader.until(link, upto)
                await agent.drained()
                gate.cut()
            await agent.make(1)
            await reader.until(link, 301)
    assert reader.counted == list(range(1, 302))
    assert "seen" in reader.verdicts
    assert "gap" not in reader.verdicts


async def test_a_named_consumer_misses_nothing_while_it_is_away(node, ledger, tmp_path):
    agent, reader = Agent(ledger, tmp_path, node, consumer=NamedReader.NAME), NamedReader(node)
    async with agent.running():
        for upto in (200, 900):
            await agent.make(upto - ledger.last_seq)
            async with reader.listening() as link:
                await reader.until(link, upto - 150)
        async with reader.listening() as link:
            await reader.until(link, 900)
    assert reader.counted == list(range(1, 901))


async def test_who_names_its_topics_finds_the_line_as_it_stands(node, ledger, tmp_path):
    async with Mqtt(Broker("127.0.0.1", node), "early") as early, Agent(ledger, tmp_path, node).running():
        await early.subscribe(f"{BASE}/_line")
        async for message in early.messages():
            if json.loads(message.payload)["value"]["ledger"] == ledger.id:
                break
        async with Mqtt(Broker("127.0.0.1", node), "late") as late:
            found = {}
            for name in ("_online", "_kpi", "press1/_state"):
                await late.subscribe(f"{BASE}/{name}")
            async for message in late.messages():
                found[message.topic] = json.loads(message.payload)
                if len(found) == 3:
                    break
    assert found[ONLINE]["value"] is True
    assert found[f"{BASE}/press1/_state"]["value"]["good"] == 412


@pytest.mark.skipif(NODE is None, reason="needs node, which writes the commands")
async def test_an_edge_node_of_sparkplug_is_born_tells_takes_a_rebirth_and_dies_where_its_namespace_is_enabled(
    node, ledger
):
    log = Log()
    plant = Plant(ledger, log)
    async with (
        Host.connected(node, log, commands()) as host,
        Tap("tap", node, log).standing() as tap,
        plant.running(tap.port),
    ):
        await host.state("scada", time.time_ns() // 1_000_000, online=True)  # retained: the edge node comes later
        born = await host.hears("DBIRTH", "washer1")
        await plant.make("press1", "washer1", "press1")
        await host.hears("DDATA", "washer1", after=born)
        await told(ledger)
        await host.command("rebirth")
        again = await host.hears("NBIRTH", after=born)
        await host.hears("DBIRTH", "washer1", after=again)
        first = len(host.heard)
        tap.cut()
        await host.hears("NDEATH", after=first)
        await host.hears("NBIRTH", after=first)
    topics = {message.topic for message in host.heard}
    assert {f"{SPARKPLUG}/{kind}/cooker3" for kind in ("NBIRTH", "NDEATH", "NCMD")} <= topics
    assert {f"{SPARKPLUG}/{kind}/cooker3/{name}" for kind in ("DBIRTH", "DDATA") for name in plant.machines} <= topics
    births = [decode(one.payload).fields for one in host.heard if "/NBIRTH/" in one.topic]
    one, reborn, after = (next(field.value for field in fields if field.name == "bdSeq") for fields in births)
    assert one == reborn != after
