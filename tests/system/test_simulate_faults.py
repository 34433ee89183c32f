"""A plant with a schedule of faults: each strikes as its name says, passes, and stands in the truth."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from asyncua.client.client import Client

from simulators.breaker import Breaker
from simulators.clock import Clock
from simulators.faults import Fault
from simulators.live import Live
from simulators.modbus import ModbusServer, machine_registers
from simulators.opcua import PRODUCT_URI, OpcuaServer
from simulators.plant import Plant
from simulators.scenario import COOKER3

ROOT = Path(__file__).parents[2]
GOOD = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 4, 1)  # unit 1, HR4
ANSWER = struct.Struct(">HHHBBBH")


async def ask(port: int) -> bytes:
    """The whole answer to GOOD over a link of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(GOOD)
        head = await reader.readexactly(9)
        return head + (b"" if head[7] & 0x80 else await reader.readexactly(2))
    finally:
        writer.close()


@pytest.fixture
async def live() -> Live:
    """An hour of parts, standing still."""
    live = Live(Plant(7, 0, COOKER3), Clock(3_600_000_000_000, 1.0, time.monotonic_ns))
    live.catch_up()
    return live


@pytest.fixture
async def breaker(live) -> AsyncGenerator[Breaker]:
    """Before a Modbus server alone: the OPC UA server takes seconds to start, and the program's test has it."""
    server = ModbusServer(live, 0)
    breaker = Breaker(live, iter(()), lambda *_, **__: None, (0, 0))
    await breaker.open()
    await server.on()
    breaker.stand_before(OpcuaServer(live, 0), server)
    yield breaker
    await breaker.close()
    await server.off()


async def while_there_is(
    breaker: Breaker, kind: str, code: int | None = None, step_s: float | None = None
) -> tuple[int, asyncio.Task[None]]:
    """The Modbus port, the fault in force and its task, which lasts until it is cancelled."""
    told = asyncio.Event()
    breaker._told = lambda *_, **__: told.set()
    task = asyncio.create_task(breaker.inflict(Fault(0.0, 3600.0, "modbus", kind, code, step_s)))
    await told.wait()
    return breaker.fronts["modbus"].port, task


async def passed(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("kind", ["cut", "reboot", "reset"])
async def test_while_the_cable_is_out_or_the_plc_boots_nobody_is_there(breaker, live, kind):
    before = ANSWER.unpack(await ask(breaker.fronts["modbus"].port))[6]
    assert before == live.plant.values["press1.good"] > 0
    reader, writer = await asyncio.open_connection("127.0.0.1", breaker.fronts["modbus"].port)
    writer.write(GOOD)
    await reader.readexactly(ANSWER.size)
    port, task = await while_there_is(breaker, kind)
    if kind == "cut":
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
    else:
        assert await reader.read(1) == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await ask(port)
    await passed(task)
    assert ANSWER.unpack(await ask(port))[6] == (0 if kind == "reset" else before)


@pytest.mark.parametrize("kind", ["hole", "half"])
async def test_a_request_into_a_hole_has_no_answer_and_the_link_stays(breaker, kind):
    port, task = await while_there_is(breaker, kind)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GOOD)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.15)
    await passed(task)
    writer.write(GOOD)
    assert (await reader.readexactly(ANSWER.size))[:2] == b"\0\x07"
    writer.close()


async def test_an_exception_answers_every_request_until_it_is_lifted(breaker):
    port, task = await while_there_is(breaker, "exception", 6)
    assert (await ask(port))[7:] == bytes([0x83, 6])
    await passed(task)
    assert len(await ask(port)) == ANSWER.size
    (entry,) = breaker.book
    assert (entry["target"], entry["kind"], entry["code"]) == ("modbus", "exception", 6)
    assert entry["from_ns"] <= entry["to_ns"]


async def test_a_torn_reply_ends_in_the_middle_and_garbage_is_no_reply(breaker):
    port, task = await while_there_is(breaker, "torn")
    with pytest.raises(asyncio.IncompleteReadError):
        await ask(port)
    await passed(task)
    port, task = await while_there_is(breaker, "garbage")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GOOD)
    assert (await reader.readexactly(ANSWER.size))[:7] != GOOD[:5] + b"\x05\x01"
    writer.close()
    await passed(task)
    assert len(await ask(port)) == ANSWER.size


async def test_a_clock_that_is_set_wrong_is_wrong_until_it_is_set_right(breaker, live):
    _, task = await while_there_is(breaker, "step", step_s=-600.0)
    assert machine_clock(live) == live.plant.now - 600 * 10**9
    await passed(task)
    assert machine_clock(live) == live.plant.now


def machine_clock(live) -> int:
    (milliseconds,) = struct.unpack(">Q", struct.pack(">4H", *machine_registers(live, "press1")[:4]))
    return milliseconds * 1_000_000


async def test_nodes_move_to_another_namespace_index_and_a_machines_nodes_vanish_and_return(live):
    server = OpcuaServer(live, 0)
    await server.open()
    uri = f"{PRODUCT_URI}:{COOKER3.name}"
    try:
        before = await seen(server.port, uri)
        assert before["trim1.good"] == before["clock"] == "Good"
        await server.vanish("trim1")
        assert await seen(server.port, uri) == before | {"trim1.good": "BadNodeIdUnknown"}
        await server.tell()
        await server.off()
        await server.shift()
        await server.on()
        after = await seen(server.port, uri)
        assert after == before | {"space": before["space"] + 1}
    finally:
        await server.close()


async def seen(port: int, uri: str) -> dict:
    """The index of the namespace, and whether its nodes can be read, as a client finds them that looks it up."""
    async with Client(f"opc.tcp://127.0.0.1:{port}/") as client:
        space = await client.get_namespace_index(uri)
        found: dict = {"space": space}
        for name in ("clock", "trim1.good", "testpack1.good"):
            value = await client.get_node(f"ns={space};s={name}").read_data_value(raise_on_bad_status=False)
            found[name] = value.StatusCode.name
        return found


async def test_the_program_tells_each_fault_and_stop_brings_peace(tmp_path):
    command = [sys.executable, "-m", "simulators", "cooker3", "--folder", str(tmp_path), "--attached"]
    command += ["--opcua-port", "0", "--modbus-port", "0", "--faults", "11", "--fault-pace", "0.1", "--speed", "60"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT)

    async def heard(name: str) -> dict:
        async with asyncio.timeout(40):
            while True:
                event = json.loads(await process.stdout.readline())
                told.append(event)
                if event["event"] == name:
                    return event

    told: list[dict] = []
    ready = await heard("ready")
    while sum(event["event"] == "fault" for event in told) < 6:
        await heard("fault")
    process.stdin.write(b"modbus off\nstop\n")
    assert "leave out --faults" in (await heard("error"))["remedy"]
    await heard("stopped")
    truth = json.loads((tmp_path / "truth.json").read_text())
    over = [(event["target"], event["kind"]) for event in told if event["event"] == "fault" and not event["set"]]
    assert [(entry["target"], entry["kind"]) for entry in truth["faults"]] == over
    for entry in truth["faults"]:
        assert truth["start_ns"] <= entry["from_ns"] <= entry["to_ns"] <= truth["end_ns"]
    answer = ANSWER.unpack(await ask(ready["modbus"]["port"]))
    assert answer[6] == truth["machines"]["press1"]["raw_end"]["good"]
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0
