"""What starting costs: import time and memory of the command line and of agents; process start to first value.

The peer is the eager way: one process that imports the project's libraries at the top of its main module.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from agent.demo.stage import Process, free_port, line_file, running
from gateway.broker import start_broker
from tests.bench.result import Result, Target

ROOT = Path(__file__).parents[2]
LINE_FILE = ROOT / "firmware_configs" / "lines" / "cooker3.toml"
EAGER = "import asyncua, pymodbus.client, onnxruntime, fastapi, sqlite_utils, paho.mqtt.client, pydantic"
MEMORY = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
REPEATS = 5


def _fresh_process(code: str) -> dict[str, float]:
    """Best wall seconds of several fresh processes, and their memory."""
    seconds, memory = [], 0.0
    for _ in range(REPEATS):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", f"{code}\n{MEMORY}"], capture_output=True, check=True, cwd=ROOT)
        seconds.append(time.perf_counter() - began)
        memory = float(done.stdout.split()[-1])
    return {"seconds": min(seconds), "RSS MB": memory}


async def _agent(models: bool) -> dict[str, float]:
    """Seconds from process start to the first value at the broker, and memory 5 s later."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            broker = await stack.enter_async_context(start_broker(folder))
            arguments = ["cooker3", "--attached", "--folder", str(folder), "--opcua-port", "0", "--modbus-port", "0"]
            plant = await stack.enter_async_context(running("plant", "simulators", arguments, folder / "plant.log"))
            ready = await plant.event("ready")
            text = line_file(LINE_FILE.read_text(encoding="utf-8"), ready, broker.port, free_port())
            if not models:
                text = _without(text, "[[camera]]", "[[product]]")
                text = _without(_without(text, "[[product]]", "[schedule]"), "[schedule]", None)
                text = _without(text, "[panel]", "[[shift]]")
            path = folder / "line.toml"
            path.write_text(text, encoding="utf-8")
            began = time.perf_counter()
            agent = await Process.start(
                "agent", "agent.cli", ["run", str(path), "--data", str(folder / "data")], folder / "agent.log"
            )
            try:
                await agent.event("first_value")
                seconds = time.perf_counter() - began
                await asyncio.sleep(5)
                memory = psutil.Process(agent.child.pid).memory_info().rss / 2**20
            finally:
                await agent.end()
    return {"seconds": seconds, "RSS MB": memory}


def _without(text: str, start: str, end: str | None) -> str:
    """The TOML text less the tables from one header to the next named one."""
    head, _, rest = text.partition(f"\n{start}")
    tail = rest[rest.index(f"\n{end}") :] if end else ""
    return head + tail


async def measure() -> Result:
    """Each row in a fresh process."""
    command_line = await asyncio.to_thread(_fresh_process, "import agent.cli; agent.cli.parser()")
    eager = await asyncio.to_thread(_fresh_process, EAGER)
    bare = await _agent(models=False)
    full = await _agent(models=True)
    figures = {
        "command line": command_line,
        "agent, no models, no panel": bare,
        "agent, models and panel": full,
        "peer: eager imports": eager,
    }
    targets = [
        Target("command line / eager imports, seconds", command_line["seconds"] / eager["seconds"], 0.25),
        Target("process start to first value, seconds", max(bare["seconds"], full["seconds"]), 5.0),
        Target("RSS with OPC UA, no models, no panel, MB", bare["RSS MB"], 80.0),
        Target("RSS with models and panel, MB", full["RSS MB"], 170.0),
    ]
    return Result("start", figures, targets)
