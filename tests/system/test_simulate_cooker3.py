"""The simulated plant as a program: real clients read what its truth says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import struct
import sys
import tomllib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.object_ids import ObjectIds
from PIL import Image
from pymodbus.client import AsyncModbusTcpClient

SECOND = 1_000_000_000
START = 1_795_305_600 * SECOND  # 2026-11-22T00:00Z
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAMPS = {"stopped": 1, "executing": 4, "changeover": 8, "idle": 16, "starved": 34, "blocked": 66}
DATATYPES = {
    "u16": ua.VariantType.UInt16,
    "u32": ua.VariantType.UInt32,
    "u64": ua.VariantType.UInt64,
    "f32": ua.VariantType.Float,
}
LINE_FILE = Path(__file__).parents[2] / "firmware_configs" / "lines" / "cooker3.toml"


class Run:
    """A plant in a process of its own, spoken to in words."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.ready: dict[str, Any] = {}

    async def heard(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 45))

    def say(self, word: str) -> None:
        self.process.stdin.write(f"{word}\n".encode())

    async def ask(self, word: str) -> dict[str, Any]:
        self.say(word)
        return await self.heard()


@asynccontextmanager
async def plant(folder: Path, *options: str) -> AsyncGenerator[Run]:
    command = ["-m", "simulators", "cooker3", "--folder", str(folder), "--opcua-port", "0", "--modbus-port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *options,
        cwd=LINE_FILE.parents[2],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    run = Run(process)
    try:
        run.ready = await run.heard()
        yield run
    finally:
        if process.returncode is None:
            run.say("quit")
        _, complaints = await asyncio.wait_for(process.communicate(), 20)
    assert complaints.decode() == ""
    assert process.returncode == 0


@asynccontextmanager
async def modbus(run: Run) -> AsyncGenerator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(run.ready["modbus"]["host"], port=run.ready["modbus"]["port"], retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


def number(form: str, registers: Sequence[int]) -> float:
    return struct.unpack(form, struct.pack(f">{len(registers)}H", *registers))[0]


async def block(client: AsyncModbusTcpClient, unit: int) -> dict[str, Any]:
    registers = (await client.read_holding_registers(0, count=10, device_id=unit)).registers
    names = dict(zip(("good", "scrap", "light", "reason"), registers[4:8], strict=True))
    return names | {"clock": number(">Q", registers[:4]), "cycle": number(">f", registers[8:])}


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Return when the far end has cut the link; a RST, which a link not yet accepted gets, is as good as a FIN."""
    try:
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
    finally:
        writer.close()


class Listener:
    """Collects every data change, in order, as (node, value, source time in ns)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any, int]] = []
        self._news = asyncio.Event()

    def datachange_notification(self, node, value, data) -> None:
        since = data.monitored_item.Value.SourceTimestamp - EPOCH
        self.heard.append((node.nodeid.Identifier, value, (since // timedelta(microseconds=1)) * 1000))
        self._news.set()

    async def until(self, node: str, value: Any) -> None:
        async with asyncio.timeout(20):
            while not any(one == node and two == value for one, two, _ in self.heard):
                self._news.clear()
                await self._news.wait()


def opcua_tags() -> dict[str, str]:
    """Node to datatype, as the demo's line file asks for them."""
    devices = tomllib.loads(LINE_FILE.read_text(encoding="utf-8"))["device"]
    tags = next(device for device in devices if device["driver"] == "opcua")["tag"]
    return {tag["node"].removeprefix("s="): tag["datatype"] for tag in tags}


async def test_clients_of_both_protocols_read_the_truth_and_nothing_but(tmp_path):
    async with plant(
        tmp_path, "--seed", "7", "--speed", "600", "--hold", "--start", "2026-11-22T08:00:00+08:00"
    ) as run:
        assert run.ready["start"] == "2026-11-22T00:00:00.000Z"
        assert {"order", "product", "quantity", "due", "weight"} <= set(run.ready["orders"][0])
        async with Client(run.ready["opcua"]) as client, modbus(run) as bus:
            space = await client.get_namespace_index("urn:tanchang:simulators:cooker3")
            nodes = {name: client.get_node(f"ns={space};s={name}") for name in opcua_tags()}
            for name, datatype in opcua_tags().items():
                assert await nodes[name].read_data_type_as_variant_type() == DATATYPES[datatype], name
            assert await nodes["clock"].read_value() == START // 1_000_000
            assert (await block(bus, 1))["clock"] == START // 1_000_000
            listener = Listener()
            subscription = await client.create_subscription(50, listener)
            await subscription.subscribe_data_change(nodes.values(), queuesize=10_000, sampling_interval=0.0)  # type: ignore[call-overload]
            assert (await run.ask("go"))["event"] == "go"
            seen = [await block(bus, 1) for _ in range(300)]
            await listener.until("diecast1.shot", 60)
            assert (await run.ask("stop"))["truth"] == str(tmp_path / "truth.json")
            told = json.loads((tmp_path / "truth.json").read_text())
            await listener.until("clock", told["end_ns"] // 1_000_000)
            blocks = {"press1": await block(bus, 1), "assembly1": await block(bus, 2)}
        assert told["start_ns"] == START
        for name, read in blocks.items():
            assert {word: read[word] for word in ("good", "scrap")} == told["machines"][name]["raw_end"]
            assert read["clock"] == told["end_ns"] // 1_000_000
            assert read["light"] == LAMPS[told["machines"][name]["states"][-1][0]]
        assert seen[-1]["clock"] > seen[0]["clock"]
        for read in seen:  # no block is torn: lamp and clock are of one instant
            states = told["machines"]["press1"]["states"]
            (word,) = [word for word, since, until in states if since <= read["clock"] * 1_000_000 < until]
            assert read["light"] == LAMPS[word]
        for name in ("diecast1", "trim1", "testpack1"):
            machine = told["machines"][name]
            lamps = [(value, when) for node, value, when in listener.heard if node == f"{name}.light"]
            assert lamps == [(LAMPS[word], since) for word, since, _ in machine["states"]]
            goods = [value for node, value, _ in listener.heard if node == f"{name}.good"]
            start = machine["raw_start"]["good"]
            assert goods == [(start + count) % 65536 for count in range(machine["good"] + 1)]
        assert told["machines"]["diecast1"]["wraps"] >= 1
        shots = [(value, when) for node, value, when in listener.heard if node == "diecast1.shot" and value]
        assert shots == [(unit["shot"], unit["time_ns"]) for unit in told["units"]]
        assert told["images"] == len(told["units"]) == len(list((tmp_path / "cam1").glob("*.png")))
        assert not list(tmp_path.rglob("*.part"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(tmp_path_factory) -> AsyncGenerator[Run]:
    """One plant at speed 60 for the tests that only look."""
    async with plant(tmp_path_factory.mktemp("plant"), "--speed", "60") as started:
        yield started


@pytest.mark.asyncio(loop_scope="module")
async def test_the_plant_says_that_it_is_simulated_in_each_of_its_voices(run):
    async with Client(run.ready["opcua"]) as client:
        build = await client.get_node(ObjectIds.Server_ServerStatus_BuildInfo).read_value()
    assert build.ProductUri == "urn:tanchang:simulators"
    assert build.ManufacturerName == "tanchang simulators"
    assert build.BuildNumber == "speed=60"
    async with modbus(run) as bus:
        for unit in (1, 2, 10):
            basic = vars(await bus.read_device_information(read_code=1, device_id=unit))["information"]
            assert (basic[0], basic[1]) == (b"tanchang simulators", b"cooker3")
            regular = vars(await bus.read_device_information(read_code=2, device_id=unit))["information"]
            assert regular[6] == b"speed=60"
    await run.ask("truth")
    picture = Path(run.ready["camera"]) / "000001.png"
    while not picture.exists():
        await run.ask("truth")
    with Image.open(picture) as image:
        assert image.info["Simulated"] == "true"
        assert image.info["Shot"] == "1"
        assert image.info["Speed"] == "60"
        assert image.size == (224, 224)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_meter_reads_watts_and_kilowatt_hours_and_nobody_may_write(run):
    async with modbus(run) as bus:
        power = number(">f", (await bus.read_input_registers(52, count=2, device_id=10)).registers)
        energy = number(">f", (await bus.read_input_registers(342, count=2, device_id=10)).registers)
        assert 5_000 < power < 60_000
        assert energy > 40_000
        assert (await bus.read_holding_registers(52, count=2, device_id=10)).isError()
        assert (await bus.read_input_registers(60, count=2, device_id=10)).isError()
        assert (await bus.write_register(4, 1, device_id=1)).isError()
        assert (await block(bus, 1))["good"] != 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_server_that_is_switched_off_cuts_its_links_and_comes_back_on_its_port(run):
    port = run.ready["modbus"]["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await run.ask("modbus off"))["event"] == "modbus off"
    await cut(reader, writer)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await run.ask("modbus on")
    async with modbus(run) as bus:
        assert (await block(bus, 2))["clock"] > 0
    address = ("127.0.0.1", int(run.ready["opcua"].rstrip("/").rpartition(":")[2]))
    reader, writer = await asyncio.open_connection(*address)
    assert (await run.ask("opcua off"))["event"] == "opcua off"
    await cut(reader, writer)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    await run.ask("opcua on")
    async with Client(run.ready["opcua"]) as client:
        space = await client.get_namespace_index("urn:tanchang:simulators:cooker3")
        assert await client.get_node(f"ns={space};s=clock").read_value() > 0
    error = await run.ask("jump")
    assert error["event"] == "error"
    assert "write one of go, stop" in error["remedy"]


async def test_an_attached_plant_ends_with_its_parent_and_a_free_one_with_sigterm(tmp_path):
    async with plant(tmp_path / "attached", "--attached") as run:
        run.process.stdin.close()
        assert await asyncio.wait_for(run.process.wait(), 20) == 0
    async with plant(tmp_path / "free") as run:
        run.process.stdin.close()
        run.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(run.process.wait(), 20) == 0


async def test_a_port_in_use_is_told_with_its_remedy(tmp_path):
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    taken = str(server.sockets[0].getsockname()[1])
    for ports in (("--opcua-port", taken, "--modbus-port", "0"), ("--opcua-port", "0", "--modbus-port", taken)):
        command = ["-m", "simulators", "cooker3", "--folder", str(tmp_path), *ports]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=LINE_FILE.parents[2],
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaints = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 1
        assert "remedy: end what holds the port" in complaints.decode()
        assert "Traceback" not in complaints.decode()
    server.close()
    await server.wait_closed()
