"""A day's backlog on its way out: records a second, and how late what is shown gets meanwhile.

The peer sends the same records one by one and waits for each acknowledgement, as a plain paho publisher does.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agent.counter import CounterState
from agent.ledger import Ledger
from agent.model import Kind, LineNow, Record
from gateway.broker import start_broker
from gateway.mqtt import Broker
from gateway.payload import count_body, encode, record
from gateway.uplink import Uplink
from tests.bench.result import Result, Target
from tests.system.uplink_rig import BASE, LINE, NOW, line_now

HOURS, RATE = 24, 5  # a line of a dozen machines
BACKLOG = HOURS * 3600 * RATE
MEASURED = 60_000  # of them, then the rate is known
AT_ONCE = 10_000
CHANGE_S = 0.5
PEER = 2_000
KEY = ("press1", "good")


class Shown:
    """A subscriber of record and live lane: how many records came, and how late each change of a figure was."""

    def __init__(self, port: int) -> None:
        self.records = 0
        self.late_s: list[float] = []
        self.changed: dict[int, float] = {}
        self._port = port

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Subscribed within the block; its thread is paho's."""
        client = _client("shown")
        client.on_message = lambda _c, _u, message: self._take(message.topic, message.payload)
        client.connect("127.0.0.1", self._port)
        client.subscribe(f"{BASE}/+/_count", qos=1)
        client.subscribe(f"{BASE}/press1/_state", qos=1)
        client.loop_start()
        try:
            yield
        finally:
            client.disconnect()
            client.loop_stop()

    def _take(self, where: str, payload: bytes | bytearray) -> None:
        if where.endswith("_count"):
            self.records += 1
            return
        began = self.changed.pop(json.loads(payload)["value"]["good"], None)
        if began is not None:
            self.late_s.append(time.perf_counter() - began)


def _client(name: str) -> Client:
    return Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)


async def _recorded(ledger: Ledger) -> None:
    for start in range(0, BACKLOG, AT_ONCE):
        parts = range(start + 1, min(BACKLOG, start + AT_ONCE) + 1)
        bodies = [count_body(KEY[1], 1, part, 0, part % 65536, None) for part in parts]
        state = CounterState(parts[-1] % 65536, parts[-1], 0, NOW)
        records = [Record(Kind.COUNT, KEY[0], NOW, body, simulated=True) for body in bodies]
        await ledger.commit(records, counters={KEY: state})


async def _replayed(ledger: Ledger, port: int, folder: Path) -> tuple[float, list[float]]:
    """Records a second, and how late each change of what is shown was."""
    shown, good = Shown(port), 0

    def now() -> LineNow:
        line = line_now(ledger)
        return replace(line, machines=(replace(line.machines[0], good=good),))

    async def nothing(*_: object) -> None:
        await asyncio.Event().wait()

    where = Broker("127.0.0.1", port)
    uplink = Uplink(LINE, ledger, where, now, folder, lambda _: None, lambda *_: None, nothing, nothing)  # type: ignore[arg-type]
    with shown.listening():
        began, task = time.perf_counter(), asyncio.create_task(uplink.run())
        while shown.records < MEASURED:
            good += 1
            shown.changed[good] = time.perf_counter()
            await ledger.commit([Record(Kind.AUDIT, "", NOW, {"event": "shown"}, simulated=True)])
            await asyncio.sleep(CHANGE_S)
        seconds = time.perf_counter() - began
        records = shown.records
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return records / seconds, shown.late_s


def _one_by_one(ledger_id: str, port: int) -> float:
    """The peer's records a second."""
    client = _client("peer")
    client.connect("127.0.0.1", port)
    client.loop_start()
    bodies = [count_body(KEY[1], 1, part, 0, part, None) for part in range(1, PEER + 1)]
    records = [Record(Kind.COUNT, KEY[0], NOW, body, simulated=True, seq=n) for n, body in enumerate(bodies, 1)]
    began = time.perf_counter()
    for one in records:
        client.publish(f"{BASE}/press1/_count", encode(record(ledger_id, one)), qos=1).wait_for_publish(30)
    seconds = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    return PEER / seconds


async def measure() -> Result:
    """A ledger with a day in it, a broker, and both ways out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with start_broker(folder / "broker", "mosquitto") as broker:
            ledger = await Ledger.open(folder / "ledger")
            try:
                await _recorded(ledger)
                rate, late_s = await _replayed(ledger, broker.port, folder)
                peer = await asyncio.to_thread(_one_by_one, ledger.id, broker.port)
            finally:
                await ledger.close()
    worst = max(late_s)
    figures = {
        f"ours, {HOURS} h at {RATE}/s behind": {"records/s": rate, "shown late, s": worst, "changes": len(late_s)},
        "peer: paho, one by one": {"records/s": peer},
    }
    return Result(
        "backlog",
        figures,
        [
            Target("seconds for 2,000 records of a backlog", 2000 / rate, 1.0),
            Target("what is shown, late at most, s", worst, 2.0),
            Target("peer's records a second / ours", peer / rate, 1.0),
        ],
    )
