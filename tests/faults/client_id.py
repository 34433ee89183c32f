"""A copy of the machine takes the agent's client id: an alarm, no fight, and afterwards nothing is missing."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.broker import start_broker
from gateway.payload import iso
from tests.faults.account import account, first_raw
from tests.faults.life import Life, Story
from tests.faults.part import Found
from tests.faults.stand import missing
from tests.faults.witness import Witness
from tests.system.uplink_rig import BASE, Agent

__all__ = ["missing"]

FULL, QUICK = 20, 1
TOGETHER = 2
SUMMED = ("records",)
LEAST_PAUSE_S = 30.0
MOST_FIGHTS = 10
LIMIT_S = 60.0
BEAT_S = 0.2


class Rival:
    """Another client of that id, which comes back at once and publishes the same line; `thrown` out how often."""

    def __init__(self, port: int, name: str) -> None:
        self.thrown = 0
        self._ended = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_disconnect = lambda *_: self._out()
        self._port = port

    def _out(self) -> None:
        self.thrown += 1

    @contextmanager
    def there(self) -> Iterator[None]:
        """It fights for its id within the block."""
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        beating = threading.Thread(target=self._beat)
        beating.start()
        try:
            yield
        finally:
            self._ended.set()
            beating.join()
            self._client.disconnect()
            self._client.loop_stop()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            told = {"value": {"wall": iso(time.time_ns())}}
            self._client.publish(f"{BASE}/_line", json.dumps(told))


async def _lived(seed: int, folder: Path) -> Found:
    chance, story, witness = random.Random(seed), Story(seed, folder / "data"), Witness()
    async with start_broker(folder / "broker", "mosquitto") as broker, witness.listening(broker.port):
        life = await Life.open(story)
        agent = Agent(life.ledger, folder, broker.port)
        rival = Rival(broker.port, f"tc-{life.ledger.id}")
        try:
            async with agent.running(), asyncio.timeout(LIMIT_S):
                await _steps(life, chance.randint(1, 20))
                with rival.there():
                    await agent.noted("+client_id_taken")
                    pause, fights = await agent.long_pauses.get(), rival.thrown
                    await _steps(life, 50)
                    assert rival.thrown == fights, "the agent fights on"
                    assert (pause >= LEAST_PAUSE_S, fights <= MOST_FIGHTS) == (True, True), (
                        f"{fights} fights, {pause} s"
                    )
                agent.resumed.release()
                last = life.ledger.last_seq
                await witness.until(lambda: witness.last.get(life.ledger.id, 0) >= last, f"record {last}")
        finally:
            await life.close()
    first = first_raw(witness.taken)
    made = {key: number - story.plc.baseline(first[key]) for key, number in story.plc.made.items()}
    found = account(story.folder, witness.told, witness.taken, made, [])
    return {**found, "links before the alarm": fights, "pause s": round(pause)}


async def _steps(life: Life, number: int) -> None:
    for _ in range(number):
        await life.step()


def one(seed: int, folder: Path) -> Found:
    """One copy that comes and goes."""
    return asyncio.run(_lived(seed, folder))
