"""The four stacks the south side is held against: each a process that counts (tests/peers), and its device table."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from drivers.catalog import device_type
from drivers.contract import Device
from tests.bench.modbus import missing as no_libmodbus

PEERS = Path(__file__).parents[1] / "peers"
STACKS = ("asyncua", "node_opcua", "pymodbus", "libmodbus")
TAGS = ("light", "good", "serial", "check")
PLACES = {"light": "HR0 u16", "good": "HR1 u32", "serial": "HR3 u32", "check": "HR5 u32"}
COUNT_MS = 200  # between two counts of a server
EVERY = "100ms"
READY_S = 120.0


def missing() -> str | None:
    """Why the four cannot be run here."""
    if shutil.which("node") is None or not (PEERS / "node_modules" / "node-opcua").is_dir():
        return "node-opcua is not there: run `make faults`, which installs it"
    return no_libmodbus()


class Server:
    """One life of a counting server; `life` is part of every serial number it tells."""

    def __init__(self, child: Process, port: int, life: int) -> None:
        self.child, self.port, self.life = child, port, life

    @classmethod
    async def start(cls, stack: str, folder: Path, life: int, shift: int) -> Server:
        """Run it until it listens; `shift` is by how much the index of its namespace has moved."""
        with (folder / f"{stack}.log").open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                *_words(stack, folder, life, shift), stdin=PIPE, stdout=PIPE, stderr=log, cwd=PEERS.parents[1]
            )
        server = cls(child, 0, life)
        server.port = int(await server._told("port"))
        return server

    async def say(self, word: str) -> None:
        """A word on its standard input."""
        assert self.child.stdin is not None
        self.child.stdin.write(f"{word}\n".encode())
        await self.child.stdin.drain()

    async def halt(self) -> int:
        """Stop it counting: what it has counted."""
        await self.say("halt")
        return int(await self._told("good"))

    async def kill(self) -> None:
        """End it without a word, as a power cut does."""
        if self.child.returncode is None:
            self.child.send_signal(signal.SIGKILL)
        await self.child.wait()

    async def _told(self, name: str) -> float:
        assert self.child.stdout is not None
        async with asyncio.timeout(READY_S):
            while line := await self.child.stdout.readline():
                if line.startswith(b"{") and name in (told := json.loads(line)):
                    return float(told[name])
        raise RuntimeError(f"the server ended before it told its {name}; its log is in its folder")


def device(stack: str, port: int) -> Device:
    """The device table behind a port, with the driver's default timeout."""
    if stack in ("asyncua", "node_opcua"):
        tags = [{"name": name, "node": f"s={name}", "datatype": "u32", "every": EVERY} for name in TAGS]
        link: dict[str, Any] = {"url": f"opc.tcp://127.0.0.1:{port}/", "namespace": "urn:tanchang:counting"}
        table = {"name": "plc", "driver": "opcua", "security": "none", "tag": tags} | link
        return device_type("opcua").model_validate(table)
    tags = [
        {"name": name, "address": place.split()[0], "datatype": place.split()[1], "every": EVERY}
        for name, place in PLACES.items()
    ]
    table = {"name": "plc", "driver": "modbus", "host": "127.0.0.1", "port": port, "tag": tags}
    return device_type("modbus").model_validate(table)


def compiled(folder: Path) -> Path:
    """The libmodbus server, compiled into a folder where it is not there yet."""
    program = folder / "counting_modbus"
    if not program.exists():
        source = str(PEERS / "counting_modbus.c")
        subprocess.run(["cc", "-O2", "-Wall", "-o", str(program), source, "-lmodbus"], check=True)
    return program


def _words(stack: str, folder: Path, life: int, shift: int) -> list[str]:
    """The command line of a server."""
    numbers = [str(life), str(shift), str(COUNT_MS)]
    if stack == "asyncua":
        return [sys.executable, "-m", "tests.peers.counting_opcua", *numbers]
    if stack == "node_opcua":
        return ["node", str(PEERS / "counting_opcua.js"), str(folder / "pki"), *numbers]
    if stack == "pymodbus":
        return [sys.executable, "-m", "tests.peers.counting_modbus", str(life), str(COUNT_MS)]
    return [str(compiled(folder)), str(life), str(COUNT_MS)]
