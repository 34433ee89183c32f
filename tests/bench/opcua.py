"""What reading OPC UA costs a client: CPU-seconds per million values, our driver's beside asyncua's callbacks.

The low rate comes from asyncua's server, the high one from a server of our own that sends prebuilt Publish responses
after a real handshake. Each client has a fresh server and a process of its own, which alone is measured.
"""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.demo.stage import running
from tests.bench.result import Result, Target

SECONDS = 8.0
COST, RATE, MISSED = "CPU s per 1M", "values/s", "missed share"


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


async def _measured(load: Load, client: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            arguments = [str(load.tags), str(load.every_ms)]
            server = await stack.enter_async_context(running("server", load.module, arguments, folder / "server.log"))
            url = (await server.event("ready"))["url"]
            arguments = [client, url, *(str(n) for n in (load.tags, load.nodes, load.every_ms, SECONDS))]
            reader = await stack.enter_async_context(
                running("client", "tests.bench.opcua_client", arguments, folder / "client.log")
            )
            done = await reader.event("done")
    offered = load.tags * 1000 / load.every_ms * done["seconds"]
    missed = max(0.0, 1 - done["values"] / offered)
    return {COST: done["cpu"] / done["values"] * 1e6, RATE: done["values"] / done["seconds"], MISSED: missed}


async def measure() -> Result:
    """Ours and the callbacks under each load, one after the other."""
    figures: dict[str, dict[str, float]] = {}
    ours: dict[str, dict[str, float]] = {}
    peer: dict[str, dict[str, float]] = {}
    for load in (LOW, LOW_REPLAY, HIGH_REPLAY):
        figures[f"tanchang, {load.name}"] = ours[load.name] = await _measured(load, "ours")
        figures[f"peer: asyncua callbacks, {load.name}"] = peer[load.name] = await _measured(load, "callbacks")
    low, high = LOW_REPLAY.name, HIGH_REPLAY.name
    targets = [
        Target("CPU-seconds per 1M values, 1k tags/100 ms", ours[low][COST], 1.0),
        Target("ours / callbacks, 1k tags/100 ms", ours[low][COST] / peer[low][COST], 1 / 15),
        Target("ours / callbacks, 1k tags/100 ms, asyncua server", ours[LOW.name][COST] / peer[LOW.name][COST], 1 / 15),
        Target("CPU-seconds per 1M values, 10k tags/50 ms", ours[high][COST], 0.3),
        Target("ours / callbacks, 10k tags/50 ms", ours[high][COST] / peer[high][COST], 1 / 50),
        Target("share of 200k values/s that did not come", ours[high][MISSED], 0.01),
    ]
    return Result("opcua", figures, targets)
