"""What a device has, by way of the panel, from real servers: bounded, one at a time, and nothing but reading."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import httpx
import pytest

from agent.explorer import MOST_NODES, Looks
from drivers.contract import Device
from drivers.modbus.device import ModbusDevice, ModbusTag
from drivers.opcua.device import OpcuaDevice, OpcuaTag
from gateway.panel.explorer import LookError
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.contract.twins import START_MS, ModbusTwin, OpcuaTwin, OwnLoop, Twin
from tests.system.panel_bench import sample_bench
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView

DEVICES = ("plc1", "cell1")


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModbusTwin, OpcuaTwin]]:
    """A Modbus unit and an OPC UA server."""
    with OwnLoop() as loop:
        found = ModbusTwin(loop), OpcuaTwin(loop, tmp_path_factory.mktemp("opcua"))
        for twin in found:
            loop.call(twin.open())
        yield found
        for twin in found:
            loop.call(twin.close())


@pytest.fixture
async def devices(twins: tuple[Twin, Twin]) -> list[Device]:
    for twin in twins:
        await twin.write(clock=START_MS, good=7, light=4, temperature=20.5)
    found = [twin.device(twin.port) for twin in twins]
    return [device.model_copy(update={"name": name}) for device, name in zip(found, DEVICES, strict=True)]


@asynccontextmanager
async def asking(folder: Path, looks: Looks) -> AsyncIterator[httpx.AsyncClient]:
    known = people(folder / "access")
    bench = sample_bench(folder, looks)
    async with (
        serving(create(LINE, SampleView(folder), access=known.access, bench=bench)) as address,
        httpx.AsyncClient(
            base_url=f"http://{address}/api/v1", headers=known.headers(Role.ENGINEER), trust_env=False, timeout=30
        ) as client,
    ):
        yield client


async def test_a_server_is_walked_level_by_level_and_a_node_becomes_a_tag(devices: list[Device]) -> None:
    looks = Looks(devices)
    below = (await looks.nodes("cell1", "")).nodes
    assert "Server" in [one.name for one in below]
    found = {one.name: one for one in below if one.is_variable}
    for one in [one for one in below if not one.is_variable and one.name != "Server"]:
        found |= {child.name: child for child in (await looks.nodes("cell1", one.node)).nodes if child.is_variable}
    good = next(one for name, one in found.items() if "good" in name)
    assert float(good.value) == 7
    assert good.node.startswith("ns=")
    assert f'node = "{good.node.partition(";")[2]}"' in good.tag
    assert f'datatype = "{good.datatype}"' in good.tag
    status = (await looks.nodes("cell1", "i=2253")).nodes
    assert {"ServerStatus", "ServerCapabilities"} <= {one.name for one in status}


async def test_the_line_copied_is_a_tag_of_the_line_file(devices: list[Device]) -> None:
    looks = Looks(devices)
    registers = await looks.registers("plc1", "HR6", 2)
    for tag in registers[0].tags.values():
        ModbusTag.model_validate(tomllib.loads(f"tag = [{tag}]")["tag"][0])
    level = await looks.nodes("cell1", "i=2256")
    told = [OpcuaTag.model_validate(tomllib.loads(f"tag = [{one.tag}]")["tag"][0]) for one in level.nodes if one.tag]
    assert told


async def test_a_long_level_is_cut_and_says_so(devices: list[Device], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.explorer.MOST_NODES", 2)
    level = await Looks(devices).nodes("cell1", "i=2253")
    assert (len(level.nodes), level.more) == (2, True)
    assert MOST_NODES == 200


async def test_registers_are_told_in_all_word_orders(devices: list[Device]) -> None:
    found = await Looks(devices).registers("plc1", "HR4", 4)
    assert [one.address for one in found] == ["HR4", "HR5", "HR6", "HR7"]
    assert (found[0].u16, found[1].u16) == (7, 4)
    assert found[2].floats["ABCD"] == "20.5"
    assert found[3].floats == {}


async def test_what_cannot_be_looked_at_says_why(devices: list[Device]) -> None:
    looks = Looks(devices)
    with pytest.raises(LookError, match="node id"):
        await looks.nodes("cell1", "ns=2;x=1")
    with pytest.raises(LookError, match="does not tell"):
        await looks.nodes("cell1", "ns=1;s=nowhere")
    with pytest.raises(LookError, match="no register HR60000"):
        await looks.registers("plc1", "HR60000", 1)
    with pytest.raises(LookError, match="a bit"):
        await looks.registers("plc1", "C0", 1)
    for device, call in (("plc1", looks.nodes("plc1", "")), ("cell1", looks.registers("cell1", "HR0", 1))):
        with pytest.raises(KeyError, match=device):
            await call
    bus = cast("ModbusDevice", devices[0]).model_copy(update={"framing": "rtu"})
    (place,) = Looks([bus]).places()
    assert (place.look, place.why != "") == ("", True)
    with pytest.raises(LookError, match="one master"):
        await Looks([bus]).registers("plc1", "HR0", 1)
    gone = cast("OpcuaDevice", devices[1]).model_copy(update={"url": "opc.tcp://127.0.0.1:1/"})
    with pytest.raises(LookError, match=r"127\.0\.0\.1:1"):
        await Looks([gone]).nodes("cell1", "")


class Slow(Looks):
    """Looks as long as the test wants."""

    def __init__(self, devices: list[Device]) -> None:
        super().__init__(devices)
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def registers(self, device: str, address: str, count: int):
        self.begun.set()
        await self.go_on.wait()
        return await super().registers(device, address, count)


async def test_one_look_at_a_time_and_each_refusal_has_its_status(tmp_path: Path, devices: list[Device]) -> None:
    looks = Slow(devices)
    async with asking(tmp_path, looks) as client:
        assert [one["look"] for one in (await client.get("/explorer")).json()["devices"]] == ["registers", "nodes"]
        ask = {"address": "HR4", "count": 2}
        first = asyncio.create_task(client.post("/explorer/plc1/registers", json=ask))
        await looks.begun.wait()
        second = await client.post("/explorer/cell1/nodes", json={})
        assert (second.status_code, second.headers["retry-after"]) == (429, "2")
        looks.go_on.set()
        assert [one["u16"] for one in (await first).json()["registers"]] == [7, 4]
        assert (await client.post("/explorer/cell1/nodes", json={})).status_code == 200
        assert (await client.post("/explorer/nowhere/nodes", json={})).status_code == 404
        assert (await client.post("/explorer/plc1/registers", json={"address": "X"})).status_code == 409
        assert (await client.post("/explorer/plc1/registers", json={"address": "HR0", "count": 33})).status_code == 422
