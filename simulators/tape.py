"""`tanchang simulate record` and `replay` as programs: JSON lines out, ended by a signal or the end of stdin."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulators.record import Sheet, modbus_relay, opcua_listener
from simulators.recording import Recording, RecordingError, parse
from simulators.replay import ModbusReplay, OpcuaReplay

PACE_S = 0.02


async def record(
    target: str, out: Path, listen: int, security: str, most: int, every_s: float, *, attached: bool
) -> None:
    """Record until ended. Exits with what to do where the target cannot be recorded."""
    place = urlsplit(target)
    sheet = Sheet(out)
    ended = _ended(attached=attached)
    try:
        if place.scheme == "modbus" and place.hostname:
            async with modbus_relay(place.hostname, place.port or 502, listen, sheet) as port:
                _say("recording", call=f"modbus://127.0.0.1:{port}", file=str(out))
                await ended
        elif place.scheme == "opc.tcp":
            async with opcua_listener(target, security, most, every_s, sheet) as nodes:
                _say("recording", nodes=nodes, file=str(out))
                await ended
        else:
            raise SystemExit(f"simulators: cannot record {target!r}: write modbus://host:port or opc.tcp://host:port/")
    except OSError as error:
        raise SystemExit(
            f"simulators: {target} does not answer ({error})\n  remedy: check host, port and cable"
        ) from error
    finally:
        sheet.close()
    _say("recorded", rows=sheet.rows, file=str(out))


async def replay(files: Sequence[Path], speed: float, port: int, *, as_recorded: bool, attached: bool) -> None:
    """Serve each recording at a port of its own, from `port` on, all from the same moment, until ended."""
    recordings = [_read(path) for path in files]
    ended = _ended(attached=attached)
    began = time.time_ns()
    async with AsyncExitStack() as stack:
        players, urls = [], []
        for place, recording in enumerate(recordings):
            shift = 0 if as_recorded else began - int(recording.header["started"])
            player = _player(recording, speed, shift)
            urls.append(await stack.enter_async_context(player.open(port + place if port else 0)))
            players.append(player)
        _say("ready", simulated=True, urls=urls)
        start, length = time.monotonic_ns(), max(recording.length for recording in recordings)
        while not ended.done():
            t = round((time.monotonic_ns() - start) * speed)
            for player in players:
                await player.tell(t)
            if t >= length:
                _say("end")
                await ended
            await asyncio.wait({ended}, timeout=PACE_S)


def _player(recording: Recording, speed: float, shift: int) -> ModbusReplay | OpcuaReplay:
    if recording.header["protocol"] == "modbus":
        return ModbusReplay(recording, speed)
    return OpcuaReplay(recording, speed, shift)


def _read(path: Path) -> Recording:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecordingError) as error:
        raise SystemExit(f"simulators: {path}: {error}") from error


def _ended(*, attached: bool) -> asyncio.Future[None]:
    """Done when the program is told to end: by a signal or, where it is attached, by the end of its standard input."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    def hear() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin)
            end()

    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, end)
    if attached:
        loop.add_reader(sys.stdin, hear)
    return ended


def _say(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)
