"""A site is recorded over real sockets and served again: the same values at the same times, marked simulated."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncua.client.client import Client

from drivers.modbus.device import ModbusDevice
from drivers.modbus.driver import ModbusDriver
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.driver import OpcuaDriver
from simulators.clock import Clock
from simulators.live import Live
from simulators.modbus import ModbusServer
from simulators.opcua import NODES, OpcuaServer
from simulators.plant import Plant
from simulators.record import Sheet, opcua_listener
from simulators.recording import parse
from simulators.replay import OpcuaReplay
from simulators.scenario import COOKER3

ROOT = Path(__file__).parents[2]
GOOD = {"name": "good", "address": "HR4", "datatype": "u16", "every": "20ms"}


@pytest.fixture
def live() -> Live:
    """An hour of parts, standing still."""
    live = Live(Plant(7, 0, COOKER3), Clock(3_600_000_000_000, 1.0, time.monotonic_ns))
    live.catch_up()
    return live


class Program:
    """`python -m simulators ...`, its events line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *words: str) -> Program:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "simulators", *words, "--attached"]
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT))

    async def event(self) -> dict:
        return json.loads(await self.process.stdout.readline())

    async def end(self) -> int:
        self.process.stdin.close()
        return await self.process.wait()


def driver(url: str) -> ModbusDriver:
    host, port = url.removeprefix("modbus://").split(":")
    table = {"name": "press1", "driver": "modbus", "host": host, "port": int(port), "unit": 1, "tag": [GOOD]}
    return ModbusDriver(ModbusDevice.model_validate(table))


async def test_a_modbus_device_is_recorded_as_it_is_read_and_served_again_as_simulated(tmp_path, live):
    server = ModbusServer(live, 0)
    await server.on()
    recorder = await Program.start("record", f"modbus://127.0.0.1:{server.port}", "--out", str(tmp_path / "tape"))
    real = driver((await recorder.event())["call"])
    try:
        await real.connect(real.device.tags)
        seen = (await real.read()).value.tolist()
    finally:
        await real.close()
        await server.off()
    assert await recorder.end() == 0
    assert seen == [live.plant.values["press1.good"]]
    assert (await recorder.event())["rows"] >= 1

    player = await Program.start("replay", str(tmp_path / "tape"), "--speed", "1000")
    (url,) = (await player.event())["urls"]
    assert (await player.event())["event"] == "end"
    again = driver(url)
    try:
        origin = await again.connect(again.device.tags)
        assert (origin.simulated, origin.product) == (True, "replay")
        assert (await again.read()).value.tolist() == seen
    finally:
        await again.close()
    assert await player.end() == 0


async def test_an_opcua_server_is_recorded_by_subscription_and_served_again_under_its_own_node_ids(tmp_path, live):
    server = OpcuaServer(live, 0)
    await server.open()
    sheet = Sheet(tmp_path / "tape")
    try:
        async with opcua_listener(f"opc.tcp://127.0.0.1:{server.port}/", "", 5000, 0.05, sheet) as nodes:
            assert nodes == len(NODES)
            for _ in range(3):
                live.clock.now = lambda moment=live.plant.now + 60 * 10**9: moment
                await server.tell()
            truth = {"diecast1.good": live.plant.values["diecast1.good"], "clock": live.plant.now // 1_000_000}
            await written(tmp_path / "tape", "clock", truth["clock"])
    finally:
        sheet.close()
        await server.close()

    recording = parse((tmp_path / "tape").read_text())
    player = OpcuaReplay(recording, 1.0, shift := time.time_ns() - recording.header["started"])
    async with player.open(0) as url:
        async with Client(url) as client:
            space = await client.get_namespace_index("urn:tanchang:simulators:cooker3")
            node = client.get_node(f"ns={space};s=diecast1.good")
            before = await node.read_data_value(raise_on_bad_status=False)
            assert before.StatusCode.name == "BadWaitingForInitialData"
            await player.tell(recording.length)
            told = await node.read_data_value()
            (place,) = [n for n, one in enumerate(recording.header["nodes"]) if one[0].endswith("s=diecast1.good")]
            last = [row for row in recording.rows if row["node"] == place][-1]
            assert told.Value.Value == truth["diecast1.good"]
            assert told.SourceTimestamp == datetime.fromtimestamp((last["source"] + shift) // 1000 / 1e6, UTC)
        device = {
            "name": "cell1",
            "driver": "opcua",
            "url": url,
            "security": "none",
            "namespace": "urn:tanchang:simulators:cooker3",
            "tag": [{"name": "clock", "node": "s=clock"}],
        }
        again = OpcuaDriver(OpcuaDevice.model_validate(device))
        origin = await again.connect(again.device.tags)
        await again.close()
        assert origin.simulated


async def written(path: Path, name: str, value: int) -> None:
    """Return once the recording has that value."""
    async with asyncio.timeout(30):
        while True:
            recording = parse(await asyncio.to_thread(path.read_text))
            named = [place for place, node in enumerate(recording.header["nodes"]) if node[1] == name]
            if any(row["node"] in named and row["value"] == value for row in recording.rows):
                return
            await asyncio.sleep(0.02)


async def test_a_target_that_cannot_be_recorded_is_told_with_its_remedy(tmp_path):
    for words in (("record", "http://plc/", "--out", str(tmp_path / "x")), ("replay", str(tmp_path / "none"))):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulators", *words, stderr=asyncio.subprocess.PIPE, cwd=ROOT
        )
        _, told = await process.communicate()
        assert process.returncode == 1
        assert b"write modbus://" in told or b"No such file" in told
        assert b"Traceback" not in told
