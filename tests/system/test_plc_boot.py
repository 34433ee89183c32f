"""A PLC that starts from 0 and passes its old count before anybody looks: never twice, and what is missing is said."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from agent.ledger import Reader
from agent.linefile import load
from agent.model import SECOND, Kind
from simulators.breaker import Breaker
from simulators.clock import Clock
from simulators.faults import Fault
from simulators.live import Live
from simulators.modbus import ModbusServer
from simulators.opcua import FOLDERS, OpcuaServer
from simulators.plant import Plant
from simulators.scenario import COOKER3
from tests.system.test_recorder_with_plant import Running

pytestmark = pytest.mark.timeout(120)

SPEED = 60.0
START = 1_790_000_000 * SECOND
APART = 3 * SPEED * SECOND  # of the last reading and the boot, plant time
LINE = """
site = "s"
area = "a"
line = "l"
takt = "17s"
[[device]]
name = "cell1"
driver = "opcua"
url = "opc.tcp://127.0.0.1:{port}/"
namespace = "urn:tanchang:simulators:cooker3"
security = "none"
clock = "clock"
tag = [
  {{ name = "clock", node = "s=clock", datatype = "u64", every = "50ms" }},
  {{ name = "light", node = "s=diecast1.light", datatype = "u16", every = "50ms" }},
  {{ name = "good", node = "s=diecast1.good", datatype = "u16", every = "50ms" }},
]
[[machine]]
name = "diecast1"
good = "cell1.good"
state = {{ tag = "cell1.light", executing = [4], starved = [34], blocked = [66], stopped = [1], changeover = [8] }}
"""


@asynccontextmanager
async def plant():
    """A plant whose totals are 0, its server behind a breaker; it stands until its clock is started."""
    live = Live(Plant(7, START, COOKER3), Clock(START, SPEED, time.monotonic_ns))
    live.reset(FOLDERS)
    breaker = Breaker(live, iter(()), lambda *_, **__: None, (0, 0))
    await breaker.open()
    server = OpcuaServer(live, 0, breaker.fronts["opcua"].port)
    await server.open()
    breaker.stand_before(server, ModbusServer(live, 0))

    async def keep_telling():
        while True:
            await server.tell()
            await asyncio.sleep(0.02)

    telling = asyncio.create_task(keep_telling())
    try:
        yield live, breaker
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await breaker.close()
        await server.close()


async def until(there):
    while not there():  # noqa: ASYNC110 - plant time tells nobody that it passed
        await asyncio.sleep(0.02)


async def test_a_plc_that_booted_and_passed_its_old_count_is_bounded_and_never_counted_twice(tmp_path):
    async with plant() as (live, breaker):
        path = tmp_path / "line.toml"
        path.write_text(LINE.format(port=breaker.fronts["opcua"].port))
        async with Running(load(path), tmp_path / "data") as agent:
            await agent.until(lambda now: now.machines[0].good == 0)
            live.clock.go()
            await agent.until(lambda now: now.machines[0].good >= 3)
        reader = Reader(tmp_path / "data")
        old = reader.counters()["diecast1", "good"]
        reader.close()
        await until(lambda: live.clock.now() > old.time + APART)
        await breaker.inflict(Fault(0.0, 0.2, "opcua", "reset"))
        await until(lambda: live.plant.values["diecast1.good"] > old.raw)
        async with Running(load(path), tmp_path / "data") as agent:
            await agent.until(lambda now: now.machines[0].good > old.counted)
        before_boot = -live.plant.stations[0].base[0]
    reader = Reader(tmp_path / "data")
    (gap,) = [one for one in reader.records(Kind.GAP) if one.body["what"] == "diecast1.good"]
    counts = [one.body for one in reader.records(Kind.COUNT) if one.seq < gap.seq]
    counted, made = sum(one["delta"] for one in counts), before_boot + counts[-1]["raw"]
    assert old.counted < counted == counts[-1]["raw"] < made <= counted + gap.body["high"]
    assert (counts[-1]["note"], gap.body["cause"], gap.body["low"]) == ("reset", "reset", 0)
    reader.verify()
    reader.close()
