"""The panel's server within the agent: on loopback until there is an admin, then where the line file says."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agent import faults
from agent.configuration.tables import PanelTable
from agent.model import Fault, Line
from gateway.listen import listening, server
from gateway.panel.access import Access
from gateway.panel.server import create
from gateway.panel.users import Users, UsersError
from gateway.panel.view import View
from gateway.panel.workbench import Workbench

LOOPBACK = "127.0.0.1"
log = logging.getLogger("agent.panel")


@asynccontextmanager
async def panel(
    group: asyncio.TaskGroup,
    table: PanelTable,
    line: Line,
    view: View,
    state: Path,
    report: Callable[[Fault], None],
    bench: Workbench | None = None,
) -> AsyncIterator[None]:
    """Listening when the block is entered, gone when it is left."""
    users = known(state / "access", report)
    access = Access(users, guests=table.guests)
    app = create(line, view, (table.host, *table.hosts), access=access, bench=bench)
    first = table.host if (users and users.claimed) or is_loopback(table.host) else LOOPBACK
    door = listening(first, table.port)
    port = door.getsockname()[1]
    if users and users.code is not None:
        print(invitation(users.code, port, state), file=sys.stderr, flush=True)
    stop = asyncio.Event()
    elsewhere = (lambda: opened(table.host, port)) if first != table.host else None
    task = group.create_task(_serve(app, door, access.claimed, stop, elsewhere), name="panel")
    # What is there by now stays: looking through it for garbage again and again holds the loop for a tenth of a second.
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        stop.set()
        await task


def known(folder: Path, report: Callable[[Fault], None]) -> Users | None:
    """The users; None where they cannot be read: then nobody logs in, and the line runs on."""
    try:
        return Users(folder)
    except UsersError as error:
        report(faults.fault("panel", "users_unreadable", str(error), 0))
        return None


def invitation(code: str, port: int, state: Path) -> str:
    """What the console says until there is an admin."""
    place = state / "access" / "first-admin.code"
    return f"panel: make the first admin at http://{LOOPBACK}:{port}/#access with the code {code} (also in {place})"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def opened(host: str, port: int) -> socket.socket:
    """A listening socket there; on loopback where that address is not to be had."""
    try:
        return listening(host, port)
    except OSError as error:
        log.error("the panel stays on loopback: %s:%s: %s: correct listen in [panel]", host, port, error)
        return listening(LOOPBACK, port)


async def _serve(
    app: Any,
    door: socket.socket,
    claimed: asyncio.Event,
    stop: asyncio.Event,
    elsewhere: Callable[[], socket.socket] | None,
) -> None:
    """Until `stop`; once there is an admin, `elsewhere`."""
    await _until(app, door, stop, *((claimed,) if elsewhere else ()))
    if elsewhere and not stop.is_set():
        await _until(app, elsewhere(), stop)


async def _until(app: Any, door: socket.socket, *over: asyncio.Event) -> None:
    """Serve until one of the events; what is being answered is answered."""
    serving = server(app)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serving.serve(sockets=[door]), name="panel serve")
        waits = [group.create_task(one.wait(), name="panel over") for one in over]
        await asyncio.wait({task, *waits}, return_when=asyncio.FIRST_COMPLETED)
        serving.should_exit = True
        for wait in waits:
            wait.cancel()
