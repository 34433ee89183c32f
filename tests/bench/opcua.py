"""What reading OPC UA costs a client: CPU-seconds per million values, our driver's beside asyncua's and node-opcua's.

The low rate comes from asyncua's server, the high one from a server of our own that sends prebuilt Publish responses
after a real handshake. Each client has a fresh server and a process of its own, which alone is measured. That nothing
is lost is counted at 2,000 values/s from the real servers, asyncua's and node-opcua's.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.demo.stage import Process, running
from tests.bench.result import Result, Target

SECONDS = 8.0
COST, RATE, MISSED, LOST = "CPU s per 1M", "values/s", "missed share", "values lost"
HERE = Path(__file__).parent
HAS_NODE = shutil.which("node") is not None and (HERE.parent / "peers" / "node_modules" / "node-opcua").exists()
CLIENTS = {"tanchang": "ours", "peer: asyncua callbacks": "callbacks", "peer: node-opcua": "node"}


@dataclass(frozen=True, slots=True)
class Load:
    """What a server offers: so many tags on so many nodes, all new every so many ms."""

    name: str
    module: str
    tags: int
    nodes: int
    every_ms: int


LOW = Load("1k tags/100 ms, asyncua server", "tests.bench.opcua_server", 1000, 1000, 100)
LOW_REPLAY = Load("1k tags/100 ms, prebuilt responses", "tests.bench.opcua_replay", 1000, 1, 100)
HIGH_REPLAY = Load("10k tags/50 ms, prebuilt responses", "tests.bench.opcua_replay", 10_000, 1, 50)


COUNTING = ("200 tags counting every 100 ms", 200, 100)


@asynccontextmanager
async def _node(name: str, script: str, arguments: Sequence[str], log: Path) -> AsyncIterator[Process]:
    """A program for node that has ended when the block is left."""
    pipe = asyncio.subprocess.PIPE
    with log.open("ab") as stderr:
        command = ["node", str(HERE / script), *arguments]
        child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=stderr)
    process = Process(name, child, log)
    try:
        yield process
    finally:
        await process.end()


async def _measured(load: Load, client: str, keys: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            arguments = [str(load.tags), str(load.every_ms)]
            server = await stack.enter_async_context(running("server", load.module, arguments, folder / "server.log"))
            url = (await server.event("ready"))["url"]
            arguments = [str(n) for n in (load.tags, load.nodes, load.every_ms, SECONDS)]
            log = folder / "client.log"
            if client == "node":
                program = _node("client", "opcua_client.js", [url, str(keys), *arguments], log)
            else:
                program = running("client", "tests.bench.opcua_client", [client, url, *arguments], log)
            done = await (await stack.enter_async_context(program)).event("done")
    offered = load.tags * 1000 / load.every_ms * done["seconds"]
    missed = max(0.0, 1 - done["values"] / offered)
    return {COST: done["cpu"] / done["values"] * 1e6, RATE: done["values"] / done["seconds"], MISSED: missed}


async def _complete(stack_name: str, keys: Path) -> dict[str, float]:
    """What our driver gets, and what it loses, of a real server whose tags all count."""
    _, tags, every_ms = COUNTING
    numbers = [str(tags), str(every_ms)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            if stack_name == "node-opcua":
                program = _node("server", "opcua_server.js", [str(keys), *numbers], folder / "server.log")
            else:
                program = running("server", "tests.bench.opcua_server", numbers, folder / "server.log")
            server = await stack.enter_async_context(program)
            url = (await server.event("ready"))["url"]
            arguments = ["complete", url, str(tags), *numbers, str(SECONDS)]
            reader = await stack.enter_async_context(
                running("client", "tests.bench.opcua_client", arguments, folder / "client.log")
            )
            done = await reader.event("done")
            lost = await reader.event("lost")
    return {RATE: done["values"] / done["seconds"], LOST: lost["values"]}


async def measure() -> Result:
    """Every client under each load, one after the other, then the counts; node-opcua's rows where it is installed."""
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        keys = Path(name)
        for load in (LOW, LOW_REPLAY, HIGH_REPLAY):
            for client, word in CLIENTS.items():
                if word != "node" or HAS_NODE:
                    figures[f"{client}, {load.name}"] = await _measured(load, word, keys / "client")
        for server in ("asyncua", "node-opcua") if HAS_NODE else ("asyncua",):
            figures[f"tanchang, {COUNTING[0]}, {server} server"] = await _complete(server, keys / "server")
    return Result("opcua", figures, _targets(figures))


def _targets(figures: dict[str, dict[str, float]]) -> list[Target]:
    ours = {load: figures[f"tanchang, {load.name}"] for load in (LOW, LOW_REPLAY, HIGH_REPLAY)}
    peer = {load: figures[f"peer: asyncua callbacks, {load.name}"] for load in ours}
    ratio = {load: ours[load][COST] / peer[load][COST] for load in ours}
    lost = {row: columns[LOST] for row, columns in figures.items() if LOST in columns}
    return [
        Target("CPU-seconds per 1M values, 1k tags/100 ms", ours[LOW_REPLAY][COST], 1.0),
        Target("ours / callbacks, 1k tags/100 ms", ratio[LOW_REPLAY], 1 / 15),
        Target("ours / callbacks, 1k tags/100 ms, asyncua server", ratio[LOW], 1 / 15),
        Target("CPU-seconds per 1M values, 10k tags/50 ms", ours[HIGH_REPLAY][COST], 0.3),
        Target("ours / callbacks, 10k tags/50 ms", ratio[HIGH_REPLAY], 1 / 50),
        Target("share of 200k values/s that did not come", ours[HIGH_REPLAY][MISSED], 0.01),
        *(Target(f"values lost: {row.removeprefix('tanchang, ')}", value, 0) for row, value in lost.items()),
    ]
