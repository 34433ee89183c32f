"""A line's uplink over real brokers and a real ledger: nothing lost, nothing twice, the live lane never held up."""

import asyncio
import json
from contextlib import AsyncExitStack

import numpy as np
import pytest

from agent.model import Batch, Kind, Order, Record, Samples
from gateway.broker import program, start_broker
from gateway.mqtt import Broker, Mqtt, MqttError
from gateway.packed import packed
from gateway.payload import encode, order_body, record
from gateway.rival import look
from gateway.uplink import LOOK_AT
from tests.system.broker_rig import PLAIN, mosquitto
from tests.system.uplink_rig import BASE, LINE, NOW, ONLINE, PUBLIC, Agent, Gate, Reader, WatchedLedger

pytestmark = pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto")


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


async def test_of_two_agents_with_one_client_id_one_sounds_the_alarm_and_leaves_the_other_alone(
    any_broker, ledger, tmp_path, monkeypatch
):
    monkeypatch.setattr("gateway.live_lane.BEAT_S", 0.1)
    monkeypatch.setattr("gateway.live_lane.PACE_S", 0.05)
    # A machine and its copy: neither broker here has a word for it.
    pair = [Agent(ledger, tmp_path, any_broker.port) for _ in range(2)]
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(AsyncExitStack()) for _ in pair]
        for agent, its in zip(pair, running, strict=True):
            await its.enter_async_context(agent.running())
        waits = [asyncio.create_task(agent.long_pauses.get()) for agent in pair]
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        assert done.pop().result() >= 30
        loser = next(place for place, wait in enumerate(waits) if wait.done())
        assert pair[loser].faults[-1] == "+client_id_taken"
        assert "stop that one" in pair[loser].messages[-1]
        await pair[1 - loser].make(5)
        await pair[1 - loser].drained()
        assert not waits[1 - loser].done()
        waits[1 - loser].cancel()
        await running[1 - loser].aclose()
        monkeypatch.setattr("gateway.uplink.STEADY_S", 0.0)
        pair[loser].resumed.release()
        await pair[loser].noted("-client_id_taken")


async def test_a_broker_that_has_lost_its_memory_is_no_sign_of_another_agent(any_broker, monkeypatch):
    monkeypatch.setattr("gateway.rival.PROMPT_S", 0.2)
    assert await look(Broker("127.0.0.1", any_broker.port), LINE) == "nothing"


async def test_links_that_are_cut_are_no_taken_id_while_nobody_else_publishes_the_line(broker, ledger, tmp_path):
    agent = Agent(ledger, tmp_path, broker.port)
    async with Gate(broker.port).standing() as gate, Mqtt(Broker("127.0.0.1", broker.port), "watcher") as watcher:
        agent.port = gate.port
        await watcher.subscribe(ONLINE)
        said = (json.loads(message.payload)["value"] async for message in watcher.messages())
        async with agent.running():
            for _ in range(LOOK_AT + 1):
                while not await anext(said):
                    pass
                gate.cut()
            while not await anext(said):
                pass
    assert "+client_id_taken" not in agent.faults


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


async def test_raw_values_are_told_as_they_reach_the_disk_in_each_form_and_never_retained(broker, ledger, tmp_path):
    batch = Batch(np.array([1], np.uint32), np.array([7.5]), np.array([NOW]), np.array([0], np.uint32), NOW, 1)
    async with Mqtt(Broker("127.0.0.1", broker.port), "watcher") as watcher:
        await watcher.subscribe(f"{BASE}/_raw")
        await watcher.subscribe(f"{BASE}/_samples")
        agent = Agent(ledger, tmp_path, broker.port, raw=("json", "binary"))
        samples = Samples("cell1", ("clock", "power"), (batch,), simulated=True)
        agent.samples.put_nowait(samples)
        async with agent.running():
            messages = watcher.messages()
            message, binary = await anext(messages), await anext(messages)
    payload = json.loads(message.payload)
    assert not message.retain
    assert (payload["sim"], payload["quality"]) == (True, "good")
    assert payload["value"]["tags"][payload["value"]["tag"][0]] == "power"
    assert payload["value"]["value"] == [7.5]
    assert (binary.topic, binary.retain) == (f"{BASE}/_samples", False)
    assert binary.payload == packed(samples)


async def test_home_assistant_finds_the_line_retained_and_its_values_where_the_configs_say(
    any_broker, ledger, tmp_path
):
    agent = Agent(ledger, tmp_path, any_broker.port, home_assistant="homeassistant")
    async with agent.running(), Mqtt(Broker("127.0.0.1", any_broker.port), "ha") as home:
        await home.subscribe("homeassistant/#")
        configs = {}
        async for message in home.messages():
            configs[message.topic] = json.loads(message.payload)
            if len(configs) == 2:
                break
        async with Mqtt(Broker("127.0.0.1", any_broker.port), "late") as late:
            await late.subscribe("homeassistant/#")
            assert (await anext(late.messages())).retain
        for config in configs.values():
            await home.subscribe(config["state_topic"])
        told = {}
        async for message in home.messages():
            told[message.topic] = json.loads(message.payload)
            if {config["state_topic"] for config in configs.values()} <= told.keys():
                break
    assert {config["device"]["name"] for config in configs.values()} == {"Press (SIM)", "Rice cooker line 3 (SIM)"}
    assert told[f"{BASE}/_kpi"]["value"][0]["name"] == "takt"


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
    # Behind what went out while the line was put together, never behind the backlog.
    for contract in ("_line", "_kpi", "press1/_state", "press1/_inspection"):
        assert seen.index(f"{BASE}/{contract}") < 2000


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
    async with mosquitto(tmp_path, *PLAIN, f"acl_file {tmp_path / 'acl'}") as port:
        agent = Agent(ledger, tmp_path, port)
        await agent.make(5)
        async with agent.running():
            await agent.noted(fault)
            if passed:
                await agent.drained()
        assert ledger.cursor("mqtt") == passed


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

    agent.take_order = break_and_stop  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(agent.uplink().run())
    async with Mqtt(Broker("127.0.0.1", broker.port), "erp") as erp:
        await erp.subscribe(f"{BASE}/_line")
        await anext(erp.messages())
        order = {"order": "J17", "product": "A", "quantity": 120, "due": "2026-11-22T12:00:00Z"}
        await erp.publish(f"{BASE}/_order", encode(order))
        with pytest.raises(asyncio.CancelledError):
            await task
