"""Measures the gateway every few seconds, in a thread, and how late the loop is; the panel shows the last look."""

from __future__ import annotations

import asyncio
import platform
import shutil
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from agent.health.growth import growth, hours_left
from agent.health.timekeeping import timekeeping
from agent.ledger import Ledger
from agent.model import DeviceNow
from agent.storage.store import FILE
from gateway.panel.health import Clock, Disk, Health, Loop, Memory, Processor, Store

LOOK_S = 2.0
TICK_S = 0.25
DISK_LOOK_S = 30.0
MINUTE_S, GROWTH_S = 60.0, 3600.0
LIBRARIES = ("asyncua", "pymodbus", "paho-mqtt", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class Measured:
    """What is read of the system at once, off the loop."""

    processor: Processor
    memory: Memory
    disk: tuple[int, int]
    clock: Clock
    ledger_bytes: int


class Vitals:
    """The gateway's health. `devices` tell how long their last batch took to be on disk."""

    def __init__(self, ledger: Ledger, devices: Callable[[], Sequence[DeviceNow]]) -> None:
        self._ledger, self._devices = ledger, devices
        self._process = psutil.Process()
        self._began = time.monotonic()
        self._lags: deque[float] = deque(maxlen=int(MINUTE_S / TICK_S))
        self._commits: deque[float] = deque(maxlen=int(MINUTE_S / LOOK_S))
        self._free: deque[tuple[float, int]] = deque(maxlen=int(GROWTH_S / DISK_LOOK_S))
        self._versions = versions()
        self._last: Health | None = None

    def now(self) -> Health | None:
        """The last look, None before the first."""
        return self._last

    async def run(self) -> None:
        """Look every few seconds, for good."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feel(), name="loop lag")
            while True:
                self._take(await asyncio.to_thread(self._measure), time.monotonic())
                await asyncio.sleep(LOOK_S)

    async def _feel(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            self._lags.append(max(0.0, loop.time() - due))

    def _measure(self) -> Measured:
        process, memory, disk = self._process, psutil.virtual_memory(), shutil.disk_usage(self._ledger.folder)
        cores = psutil.cpu_count() or 1
        kept = timekeeping()
        return Measured(
            Processor(cores, psutil.cpu_percent(), process.cpu_percent()),
            Memory(memory.total, memory.available, process.memory_info().rss),
            (disk.total, disk.free),
            Clock(kept.synchronised, kept.offset_s, kept.error_s),
            size(self._ledger.folder),
        )

    def _take(self, seen: Measured, mono: float) -> None:
        total, free = seen.disk
        if not self._free or mono - self._free[-1][0] >= DISK_LOOK_S:
            self._free.append((mono, free))
        per_hour = growth(self._free)
        self._commits += [max(took)] if (took := [one.latency_ms for one in self._devices() if one.latency_ms]) else []
        self._last = Health(
            time.time(),
            time.clock_gettime(time.CLOCK_BOOTTIME),
            mono - self._began,
            seen.processor,
            seen.memory,
            Disk(total, free, per_hour, hours_left(free, per_hour)),
            seen.clock,
            Store(
                self._ledger.durable,
                seen.ledger_bytes,
                self._ledger.max_bytes,
                statistics.median(self._commits) if self._commits else None,
                max(self._commits, default=None),
            ),
            Loop(1000 * statistics.median(self._lags or (0.0,)), 1000 * max(self._lags, default=0.0)),
            self._versions,
        )


def size(folder: Path) -> int:
    """Bytes of a ledger and its write-ahead log."""
    return sum(path.stat().st_size for name in (FILE, f"{FILE}-wal") if (path := folder / name).exists())


def versions() -> dict[str, str]:
    """What runs here: ours, the language, the system, and what talks to machines and brokers."""
    own = {"tanchang": metadata.version("tanchang"), "Python": platform.python_version()}
    sqlite = {"SQLite": ".".join(metadata.version("apsw").split(".")[:3])}  # apsw is numbered after its SQLite
    return (
        own
        | {platform.system(): f"{platform.release()} {platform.machine()}"}
        | sqlite
        | {name: metadata.version(name) for name in LIBRARIES}
    )
