"""What polled reads cost a client: CPU-seconds per million values read, our driver's beside asyncua's `read_values`.

Both read 10,000 tags, 1,000 nodes a request and one request after the other, of a server of our own that sends prebuilt
responses after a real handshake, and of asyncua's, whose pace leaves the client cold between requests. Each client has
a fresh server and a process of its own, which alone is measured:
`python -m tests.bench.opcua_poll ours|read_values URL TAGS SECONDS`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from asyncua.client.client import Client

from agent.demo.stage import running
from drivers.catalog import create, device_type
from tests.bench.result import Result, Target

NAMESPACE = "urn:tanchang:bench"
TAGS, AT_ONCE, CHANGE_MS, SECONDS = 10_000, 1000, 500, 4.0
WARM_UP = 2
SERVERS: Sequence[tuple[str, str, Sequence[str], float]] = (
    ("prebuilt responses", "tests.bench.opcua_poll_server", (str(AT_ONCE),), 1 / 25),
    ("asyncua server", "tests.bench.opcua_server", (str(AT_ONCE), str(CHANGE_MS)), 1 / 10),
)
"""What a server is called and started with, and the share of the peer's cost that ours is held to."""
COST, RATE = "CPU s per 1M", "values/s"


async def ours(url: str, tags: int, seconds: float) -> None:
    """Our driver in its polling mode: a batch a poll, whatever of it is news."""
    tag = [{"name": f"t{n}", "node": f"s=t{n % AT_ONCE}", "every": "10ms"} for n in range(tags)]
    table = {"name": "bench", "driver": "opcua", "url": url, "namespace": NAMESPACE, "security": "none"}
    driver = create(device_type("opcua").model_validate(table | {"mode": "poll", "timeout": "60s", "tag": tag}))
    await driver.connect(driver.device.tags)
    await _span(driver.read, tags, seconds)
    await driver.close()


async def read_values(url: str, tags: int, seconds: float) -> None:
    """The peer."""
    async with Client(url, timeout=60) as client:
        index = await client.get_namespace_index(NAMESPACE)
        nodes = [client.get_node(f"ns={index};s=t{n}") for n in range(AT_ONCE)]

        async def read() -> None:
            for _ in range(0, tags, AT_ONCE):
                await client.read_values(nodes)

        await _span(read, tags, seconds)


async def _span(read: Callable[[], Awaitable[object]], tags: int, seconds: float) -> None:
    """Tell what reads cost for so many seconds."""
    for _ in range(WARM_UP):
        await read()
    cpu, wall, reads = time.process_time(), time.monotonic(), 0
    while time.monotonic() < wall + seconds:
        await read()
        reads += 1
    cost, took = time.process_time() - cpu, time.monotonic() - wall
    print(json.dumps({"event": "done", "cpu": cost, "seconds": took, "values": reads * tags}), flush=True)


async def _measured(client: str, module: str, arguments: Sequence[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(running("server", module, arguments, folder / "server.log"))
            own = [client, (await server.event("ready"))["url"], str(TAGS), str(SECONDS)]
            reader = await stack.enter_async_context(
                running("client", "tests.bench.opcua_poll", own, folder / "client.log")
            )
            done = await reader.event("done")
    return {COST: done["cpu"] / done["values"] * 1e6, RATE: done["values"] / done["seconds"]}


async def measure() -> Result:
    """Ours and the library's, one after the other."""
    figures: dict[str, dict[str, float]] = {}
    targets = []
    for name, module, arguments, bound in SERVERS:
        figures[f"tanchang, polled, {name}"] = own = await _measured("ours", module, arguments)
        figures[f"peer: asyncua read_values, {name}"] = peer = await _measured("read_values", module, arguments)
        targets.append(Target(f"ours / read_values, CPU per value, {name}", own[COST] / peer[COST], bound))
    return Result("opcua_poll", figures, targets)


if __name__ == "__main__":
    who, where, *rest = sys.argv[1:]
    asyncio.run({"ours": ours, "read_values": read_values}[who](where, int(rest[0]), float(rest[1])))
