"""A link that is cut at any moment: what QoS 0 does not acknowledge is told again, so a consumer misses no record."""

import asyncio
import random

import pytest

from gateway.broker import program, start_broker
from gateway.mqtt import Broker, Mqtt, MqttError
from gateway.sparkplug import node
from gateway.sparkplug.wire import decode
from tests.system.sparkplug_rig import MACHINES, Log, Plant, Tap, told
from tests.system.uplink_rig import WatchedLedger

pytestmark = [pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto"), pytest.mark.timeout(120)]

CUTS = 8


class Consumer:
    """A host that keeps one integer, and the totals that are not historical."""

    def __init__(self) -> None:
        self.names: dict[int | None, tuple[str, str | None]] = {}
        self.held = 0
        self.jumps: list[tuple[int, int]] = []
        self.totals: dict[str, object] = {}
        self.grown = asyncio.Event()

    async def listen(self, link) -> None:
        async for message in link.messages():
            _, _, kind, _, *device = message.topic.split("/")
            birth = kind.endswith("BIRTH")
            for field in decode(message.payload).fields:
                if birth and field.alias is not None:
                    self.names[field.alias] = ("/".join(device), field.name)
                name = self.names.get(field.alias, ("", field.name))
                if name[1] == "tc/seq" and not birth:
                    seq = int(field.value or 0)
                    self.jumps += [(self.held, seq)] if seq > self.held + 1 else []
                    self.held = max(self.held, seq)
                if name[1] == "good" and not field.historical:
                    self.totals[name[0]] = field.value
            self.grown.set()

    async def until(self, done) -> None:
        while not done():
            self.grown.clear()
            await self.grown.wait()


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
@pytest.mark.parametrize("seed", [1])
async def test_no_record_is_missed_and_totals_come_right_whenever_the_link_is_cut(tmp_path, kind, seed, monkeypatch):
    if program(kind) is None:
        pytest.skip(f"no {kind} here")
    monkeypatch.setattr(node, "REPEATED", 0)  # the repetition would hide what the cursor does wrong
    dice, consumer = random.Random(seed), Consumer()
    ledger = await WatchedLedger.open(tmp_path / "ledger", group_s=0.002)
    plant = Plant(ledger, Log())
    async with (
        asyncio.timeout(100),
        start_broker(tmp_path / "broker", kind) as broker,
        Tap("a", broker.port, plant.log).standing() as tap,
        Mqtt(Broker("127.0.0.1", broker.port), "consumer") as link,
    ):
        await link.subscribe("spBv1.0/#")
        listening = asyncio.create_task(consumer.listen(link))
        async with plant.running(tap.port, host=None):
            for _ in range(CUTS):
                await plant.make(*dice.choices(MACHINES, k=dice.randrange(1, 400)))
                goal = dice.randint(consumer.held, ledger.last_seq)
                await consumer.until(lambda goal=goal: consumer.held >= goal)
                tap.cut()
            await consumer.until(lambda: consumer.held == ledger.last_seq)
            wanted = {name: one.good for name, one in plant.machines.items()}
            await consumer.until(lambda: consumer.totals == wanted)
        listening.cancel()
        with pytest.raises((asyncio.CancelledError, MqttError)):
            await listening
    await ledger.close()
    assert consumer.jumps == []
    assert len(plant.kept) > 1


async def test_a_primary_host_that_stays_away_is_a_fault_until_it_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(node, "HOST_S", 0.1)
    ledger = await WatchedLedger.open(tmp_path / "ledger", group_s=0.002)
    plant = Plant(ledger, Log())
    async with (
        asyncio.timeout(100),
        start_broker(tmp_path / "broker", "mosquitto") as broker,
        Mqtt(Broker("127.0.0.1", broker.port), "scada") as link,
        plant.running(broker.port),
    ):
        await plant.make("press1")
        await plant.noted("+host_offline")
        await link.publish("spBv1.0/STATE/scada", b'{"online": true, "timestamp": 1}', retain=True)
        await plant.noted("-host_offline")
        await told(ledger)
    await ledger.close()
    assert plant.faults == ["+host_offline", "-host_offline"]
