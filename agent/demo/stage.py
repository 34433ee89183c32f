"""The processes of a demo: each started here, watched, and ended by its own handle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

STARTUP = 30.0  # wall seconds any of them may take to say that it is ready
QUIET_PORTS = range(20_000, 32_768)  # below those that systems give to links that go out


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


class Process:
    """A child that tells what happens to it in JSON lines on standard output."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.child = child
        self.log = log

    @classmethod
    async def start(cls, name: str, module: str, arguments: Sequence[str], log: Path) -> Process:
        """Run `python -m module arguments` with its standard error appended to `log`."""
        with log.open("ab") as stderr:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                limit=1 << 20,
            )
        return cls(name, child, log)

    async def event(self, name: str) -> Mapping[str, Any]:
        """The next event of that name; DemoError with the end of its log if it dies or stays silent."""
        assert self.child.stdout is not None
        try:
            async with asyncio.timeout(STARTUP):
                while line := await self.child.stdout.readline():
                    with contextlib.suppress(ValueError):
                        event = json.loads(line)
                        if isinstance(event, dict) and event.get("event") == name:
                            return event
        except TimeoutError:
            pass
        tail = self.log.read_text(errors="replace")[-2000:]
        raise DemoError(f"{self.name} did not become {name}; its log {self.log} ends:\n{tail}")

    async def tell(self, command: str) -> None:
        """Write one command line to its standard input."""
        assert self.child.stdin is not None
        self.child.stdin.write(f"{command}\n".encode())
        await self.child.stdin.drain()

    async def end(self, with_signal: int = signal.SIGTERM) -> None:
        """Signal it and wait; killed if it does not go within 15 s."""
        if self.child.returncode is not None:
            return
        self.child.send_signal(with_signal)
        try:
            async with asyncio.timeout(15):
                await self.child.wait()
        except TimeoutError:
            self.child.kill()
            await self.child.wait()


@asynccontextmanager
async def running(name: str, module: str, arguments: Sequence[str], log: Path) -> AsyncIterator[Process]:
    """A process that has ended when the block is left."""
    process = await Process.start(name, module, arguments, log)
    try:
        yield process
    finally:
        await process.end()


def free_port(preferred: int | None = None) -> int:
    """A loopback port nobody listens on: the preferred one if it is free, else one that no outgoing link is given."""
    for port in [*([] if preferred is None else [preferred]), *random.sample(QUIET_PORTS, 100)]:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise DemoError("no free port on loopback; end some programs")


def line_file(template: str, plant: Mapping[str, Any], broker_port: int, panel_port: int) -> str:
    """The demo's line file with this run's addresses in place of the standard ones."""
    return (
        template.replace("opc.tcp://127.0.0.1:4840/", plant["opcua"])
        .replace("port = 5020", f"port = {plant['modbus']['port']}")
        .replace("port = 1883", f"port = {broker_port}")
        .replace('listen = "127.0.0.1:8080"', f'listen = "127.0.0.1:{panel_port}"\nguests = true')
        .replace('folder = "cam1"', f"folder = {json.dumps(plant['camera'])}")
    )
