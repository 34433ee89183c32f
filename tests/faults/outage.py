"""No broker for three days, fifty records a second, on a clock that the harness turns; then all of it goes out.

12.96 million records are 108 minutes at 2,000 a second, so a run sends most of them through the record lane to a
link that acknowledges at once and checks each, and the last ones over a real broker. The quick form scales the hours.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from agent.commands.proof import report_of
from agent.counter import CounterState
from agent.demo.stage import free_port
from agent.ledger import Ledger
from agent.model import SECOND, Kind, Record
from gateway.broker import start_broker
from gateway.mqtt import Message
from gateway.payload import count_body
from gateway.record_lane import RecordLane
from gateway.sink import MQTT as SINK
from tests.faults.part import Found
from tests.faults.stand import missing
from tests.faults.witness import Witness
from tests.system.uplink_rig import BASE, LINE, Agent

__all__ = ["missing"]

FULL = QUICK = 1
FULL_FORM = {"hours": 72.0, "carried": 100_000}
QUICK_FORM = {"hours": 0.25, "carried": 5_000}
RATE = 50
AT_ONCE = 100  # seconds of the plant in one transaction
MODULUS = 65_536
BEGIN = 1_795_305_600
MOST_BYTES = 8 * 1024**3
KEY = ("press1", "good")


async def _record(ledger: Ledger, number: int) -> None:
    """One part a record, `RATE` a second."""
    for start in range(0, number, RATE * AT_ONCE):
        parts = range(start + 1, min(number, start + RATE * AT_ONCE) + 1)
        records = [
            Record(
                Kind.COUNT, KEY[0], _time(part), count_body(KEY[1], 1, part, 0, part % MODULUS, None), simulated=True
            )
            for part in parts
        ]
        state = CounterState(parts[-1] % MODULUS, parts[-1], 0, _time(parts[-1]))
        await ledger.commit(records, counters={KEY: state})


def _time(part: int) -> int:
    return BEGIN * SECOND + part * SECOND // RATE


def _nothing(*_: int) -> None:
    """No consumer acknowledges here, so none is silent."""


class Checking:
    """A link that acknowledges at once; each record must be the one after the last."""

    def __init__(self) -> None:
        self.at = 0

    def send(self, message: Message) -> asyncio.Future[None]:
        told = json.loads(message.payload)
        assert (told["seq"], told["value"]["total"]) == (self.at + 1, self.at + 1), f"{told} follows {self.at}"
        self.at += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def _drained(ledger: Ledger, upto: int) -> Checking:
    """The record lane's work up to a record, and no further."""
    link, there = Checking(), asyncio.Event()
    lane = RecordLane(LINE, ledger, link)  # type: ignore[arg-type]  # it needs no more of a link

    def moved() -> None:
        if ledger.cursor(SINK) >= upto:
            there.set()

    jobs = [asyncio.create_task(lane.send(_nothing)), asyncio.create_task(lane.settle(moved))]
    waiting = asyncio.create_task(there.wait())
    done, _ = await asyncio.wait([*jobs, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*jobs, waiting):
        task.cancel()
    await asyncio.gather(*jobs, waiting, return_exceptions=True)
    if waiting not in done:
        done.pop().result()
    return link


async def _lived(folder: Path, hours: float, carried: int) -> Found:
    number, port, began = int(hours * 3600 * RATE), free_port(), time.monotonic()
    ledger = await Ledger.open(folder / "data", MOST_BYTES, group_s=0)
    try:
        agent = Agent(ledger, folder, port, consumer="witness")
        async with agent.running():  # as long as there is no broker, it tries
            await _record(ledger, number)
        written = time.monotonic()
        link = await _drained(ledger, number - carried)
        drained = time.monotonic()
        witness = Witness(f"{BASE}/_ack/witness")
        witness.last[ledger.id] = held = min(link.at, number - 1)
        await ledger.move_cursor(f"{SINK}:witness", held)
        async with (
            start_broker(folder / "broker", "mosquitto", port),
            witness.listening(port),
            agent.running(),
        ):
            await witness.until(lambda: witness.last[ledger.id] == number, f"{number} records")
        sent = time.monotonic()
    finally:
        await ledger.close()
    report, _ = await asyncio.to_thread(report_of, folder / "data")
    words = [str(one) for one in report.violations]
    lost = number - held - len(witness.taken)
    double = len(witness.taken) - len({one["seq"] for one in witness.taken})
    assert (lost, double, words) == (0, 0, []), f"lost {lost}, double {double}: {words[:3]}"
    assert report.tallies[KEY].counted == number
    return {
        "lost": lost,
        "double": double,
        "unexplained": report.kinds[Kind.GAP.value],
        "records": number,
        "hours": hours,
        "written a second": round(number / (written - began)),
        "through the lane a second": round(link.at / (drained - written)),
        "over the broker a second": round(len(witness.taken) / (sent - drained)),
    }


def one(seed: int, folder: Path, hours: float, carried: int) -> Found:
    """One outage; the seed changes nothing."""
    del seed
    return asyncio.run(_lived(folder, hours, carried))
