"""A broker for the demo: mosquitto where the system has it, else the NATS server a package brings."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["mosquitto", "nats"]

HOST = "127.0.0.1"
START_S = 10.0
STOP_S = 5.0

# Debian keeps mosquitto where only root's PATH looks.
SYSTEM = ("/usr/sbin", "/usr/local/sbin")

MOSQUITTO = """listener {port} {host}
allow_anonymous true
user {user}
persistence true
persistence_location {folder}/
max_queued_messages 0
"""
NATS = """server_name: tanchang-demo
host: {host}
port: -1
jetstream {{ store_dir: {folder_text} }}
mqtt {{ host: {host}, port: {port} }}
"""


class NoBrokerError(Exception):
    """No broker can be started here; the text says what to install."""


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker of ours, on loopback."""

    host: str
    port: int
    kind: Kind
    pid: int


@asynccontextmanager
async def start_broker(folder: Path, kind: Kind | None = None, port: int = 0) -> AsyncGenerator[RunningBroker]:
    """Run a broker that keeps its files in `folder`; ends it by its own handle. NoBrokerError without a program.

    `kind` None takes the best there is; `port` 0 a free one.
    """
    found: Kind = kind or ("mosquitto" if program("mosquitto") else "nats")
    path = program(found)
    if path is None:
        raise NoBrokerError(f"no {found} here: install mosquitto, or pip install 'tanchang[demo]'")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    port = port or _free_port()
    with (folder / "broker.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*_command(found, path, folder, port), stdout=log, stderr=log)
    try:
        await _listening(process, port, folder)
        yield RunningBroker(HOST, port, found, process.pid)
    finally:
        await _end(process)


def program(kind: Kind) -> str | None:
    """Where the broker's program is: beside this Python, on PATH, or where the system keeps it."""
    name = {"mosquitto": "mosquitto", "nats": "nats-server"}[kind]
    beside = str(Path(sys.executable).parent)
    return shutil.which(name) or next(filter(None, (shutil.which(name, path=p) for p in (beside, *SYSTEM))), None)


def _command(kind: Kind, path: str, folder: Path, port: int) -> Sequence[str]:
    settings = folder / f"{kind}.conf"
    text = {"mosquitto": MOSQUITTO, "nats": NATS}[kind]
    quoted = '"' + str(folder / "nats").replace("\\", "/") + '"'
    settings.write_text(
        text.format(host=HOST, port=port, folder=folder, folder_text=quoted, user=getpass.getuser()), encoding="utf-8"
    )
    return (path, "-c", str(settings))


def _free_port() -> int:
    """A port that is free now; whoever takes it first has it."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _listening(process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
    """Return once the broker takes connections; NoBrokerError if it ends or stays silent."""
    try:
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return
    except TimeoutError as error:
        raise NoBrokerError(f"the broker does not listen on {HOST}:{port}: see {folder / 'broker.log'}") from error
    raise NoBrokerError(f"the broker ended at once: see {folder / 'broker.log'}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
