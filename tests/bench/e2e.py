"""OPC UA values to disk and broker: CPU-seconds per million values and memory, ours beside a naive agent's.

Every tag changes once a second. The agent's own process alone is measured; the same server program feeds both,
each a fresh one.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from agent.demo.stage import Process, running
from gateway.broker import start_broker
from tests.bench.result import Result, Target

SIZES = (500, 2000)
SETTLE, SECONDS = 5.0, 20.0


def _line_file(url: str, tags: int, port: int) -> str:
    rows = "\n".join(f'  {{ name = "t{n}", node = "s=t{n}", datatype = "u32", every = "1s" }},' for n in range(tags))
    return f"""site = "bench"
area = "bench"
line = "bench"
takt = "1s"
[mqtt]
host = "127.0.0.1"
port = {port}
[[device]]
name = "server"
driver = "opcua"
url = "{url}"
namespace = "urn:tanchang:bench"
security = "none"
timeout = "10s"
tag = [
{rows}
]
[[machine]]
name = "machine1"
good = "server.t0"
state = {{ tag = "server.t1", executing = [4] }}
"""


async def _cost(process: Process) -> dict[str, float]:
    """CPU-seconds and memory of a process over the measured span."""
    watched = psutil.Process(process.child.pid)
    await asyncio.sleep(SETTLE)
    before = watched.cpu_times()
    await asyncio.sleep(SECONDS)
    after = watched.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return {"CPU s": cpu, "RSS MB": watched.memory_info().rss / 2**20}


async def _measured(tags: int, ours: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            broker = await stack.enter_async_context(start_broker(folder))
            server = await stack.enter_async_context(
                running("server", "tests.bench.opcua_server", [str(tags)], folder / "server.log")
            )
            url = (await server.event("ready"))["url"]
            if ours:
                path = folder / "line.toml"
                path.write_text(_line_file(url, tags, broker.port), encoding="utf-8")
                module, arguments, ready = (
                    "agent.cli",
                    ["run", str(path), "--data", str(folder / "data")],
                    "first_value",
                )
            else:
                module, ready = "tests.bench.naive_agent", "ready"
                arguments = [url, str(tags), str(broker.port), str(folder / "naive.sqlite3")]
            agent = await stack.enter_async_context(running("agent", module, arguments, folder / "agent.log"))
            await agent.event(ready)
            row = await _cost(agent)
    return {"CPU s per 1M values": row["CPU s"] / (tags * SECONDS) * 1e6, "RSS MB": row["RSS MB"]}


async def measure() -> Result:
    """Ours and the naive agent at each size, one after the other."""
    figures: dict[str, dict[str, float]] = {}
    for tags in SIZES:
        figures[f"tanchang, {tags} tags/s"] = await _measured(tags, ours=True)
        figures[f"peer: naive agent, {tags} tags/s"] = await _measured(tags, ours=False)
    ours, peer = figures["tanchang, 2000 tags/s"], figures["peer: naive agent, 2000 tags/s"]
    column = "CPU s per 1M values"
    targets = [
        Target("ours / naive agent at 2,000 tags/s, CPU", ours[column] / peer[column], 0.1),
        Target("CPU-seconds per 1M values at 2,000 tags/s", ours[column], 6.0),
        Target("RSS at 2,000 tags/s without models and panel, MB", ours["RSS MB"], 80.0),
    ]
    return Result("e2e", figures, targets)
