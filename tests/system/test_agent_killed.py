"""An agent killed in the middle of a series goes on where it stopped: the server's queue is replayed, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.demo.stage import Process, running
from agent.ledger import LedgerError, Reader
from agent.model import Kind

ROOT = Path(__file__).parents[2]
PATIENCE_S = 45
LINE = """
site = "s"
area = "a"
line = "l"
takt = "1s"
timezone = "UTC"

[[shift]]
name = "day"
from = "00:00"
to = "12:00"

[[shift]]
name = "night"
from = "12:00"
to = "00:00"

[[device]]
name = "plc"
driver = "opcua"
url = "opc.tcp://127.0.0.1:{port}/"
namespace = "urn:tanchang:counting"
security = "none"
tag = [
  {{ name = "light", node = "s=light", datatype = "u32", every = "50ms" }},
  {{ name = "good", node = "s=good", datatype = "u32", every = "50ms" }},
]

[[machine]]
name = "press1"
max_rate = 50
good = "plc.good"
state = {{ tag = "plc.light", executing = [4] }}
"""


@dataclass
class Server:
    """A server that counts, on one of two stacks."""

    child: asyncio.subprocess.Process
    port: int

    async def halt(self) -> int:
        """Stop counting; what the count is then."""
        assert self.child.stdin is not None
        self.child.stdin.write(b"halt\n")
        return int((await told(self.child))["good"])


async def told(child: asyncio.subprocess.Process) -> dict[str, int]:
    """The next line of JSON that a child prints."""
    assert child.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := await child.stdout.readline():
            with contextlib.suppress(ValueError):
                return dict(json.loads(line))
    raise AssertionError("the server ended")


@asynccontextmanager
async def counting(stack: str, folder: Path) -> AsyncIterator[Server]:
    commands: dict[str, Sequence[str]] = {
        "asyncua": [sys.executable, "-m", "tests.peers.counting_opcua", "1", "0", "100"],
        "node-opcua": ["node", "tests/peers/counting_opcua.js", str(folder), "1", "0", "100"],
    }
    with (folder / "server.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            *commands[stack],
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield Server(child, (await told(child))["port"])
    finally:
        child.kill()
        await child.wait()


async def until_recorded(data: Path, least: int) -> None:
    """Wait until the count on disk has come so far."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(LedgerError), contextlib.closing(Reader(data)) as reader:
                if reader.samples("plc", "good").value.max(initial=-1) >= least:
                    return
            await asyncio.sleep(0.05)


async def ended(agent: Process, how: signal.Signals) -> None:
    agent.child.send_signal(how)
    async with asyncio.timeout(PATIENCE_S):
        await agent.child.wait()


@pytest.mark.parametrize("stack", ["asyncua", "node-opcua"])
async def test_every_value_the_server_held_while_the_agent_was_dead_is_on_disk_once(tmp_path: Path, stack: str) -> None:
    data = tmp_path / "data"
    async with counting(stack, tmp_path) as server:
        (tmp_path / "line.toml").write_text(LINE.format(port=server.port))
        arguments = ["run", str(tmp_path / "line.toml"), "--data", str(data)]
        async with running("agent", "agent.cli", arguments, tmp_path / "agent.log") as agent:
            await agent.event("first_value")
            await until_recorded(data, 10)
            await ended(agent, signal.SIGKILL)
        async with running("agent", "agent.cli", arguments, tmp_path / "agent.log") as agent:
            await agent.event("first_value")
            last = await server.halt()
            await until_recorded(data, last)
            await ended(agent, signal.SIGTERM)
    with contextlib.closing(Reader(data)) as reader:
        found = reader.samples("plc", "good")
        gaps = [record.body for record in reader.records(Kind.GAP)]
        counters = reader.counters()
    values = found.value.astype(int).tolist()
    assert values == list(range(values[0], last + 1))
    assert counters["press1", "good"].counted == last - values[0]
    assert [gap["cause"] for gap in gaps] == ["agent_down"]
    assert all(gap["from"] == gap["to"] for gap in gaps)
