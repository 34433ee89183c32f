"""The simulated plant as a program: JSON lines out, one word commands in, servers and camera in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulators.breaker import Breaker
from simulators.camera import Camera
from simulators.clock import Clock
from simulators.faults import schedule
from simulators.live import Live
from simulators.modbus import ModbusServer
from simulators.opcua import OpcuaServer
from simulators.plant import Plant
from simulators.scenario import SCENARIOS
from simulators.truth import truth

PACE_S = 0.1  # how often OPC UA clients are told, in wall time
ORDERS = 12  # announced at the start


@dataclass(frozen=True, slots=True)
class Options:
    """The command line. `start` is plant time; ports 0 are chosen by the system.

    `faults` is the seed of the fault schedule, None for peace; `fault_pace` the mean of its
    faults and pauses in wall seconds.
    """

    scenario: str
    seed: int
    speed: float
    start: datetime | None
    folder: Path
    hold: bool
    attached: bool
    opcua_port: int
    modbus_port: int
    faults: int | None
    fault_pace: float


async def simulate(options: Options) -> None:
    """Run until told to quit."""
    start = options.start or datetime.now(ZoneInfo("Asia/Shanghai")).replace(hour=8, minute=0, second=0, microsecond=0)
    plant = Plant(options.seed, round(start.timestamp()) * 1_000_000_000, SCENARIOS[options.scenario])
    live = Live(plant, Clock(plant.start, options.speed, time.monotonic_ns))
    await Program(options, live).run()


class Program:
    """One run: opens everything, keeps telling, obeys commands, closes everything."""

    def __init__(self, options: Options, live: Live) -> None:
        self._options, self._live = options, live
        self._opcua = OpcuaServer(live, options.opcua_port)
        self._modbus = ModbusServer(live, options.modbus_port)
        self._camera = Camera(live, options.folder / "cam1", options.seed)
        self._words: asyncio.Queue[str] = asyncio.Queue()
        self._breaker: Breaker | None = None
        if options.faults is not None:
            ports = (options.opcua_port, options.modbus_port)
            self._breaker = Breaker(live, schedule(options.faults, options.fault_pace), self._say, ports)
            self._opcua.port = self._modbus.port = 0

    async def run(self) -> None:
        """Open, obey until `quit`, close."""
        self._camera.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._words.put_nowait, "quit")
        _listen(loop, self._words, quits=self._options.attached)
        try:
            await self._open()
            if not self._options.hold:
                self._go()
            self._say_ready()
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._keep(self._opcua.tell)),
                    group.create_task(self._keep(self._camera.take)),
                ]
                await self._obey()
                for task in tasks:
                    task.cancel()
        finally:
            if self._breaker is not None:
                await self._breaker.close()
            await self._modbus.off()
            await self._opcua.close()

    async def _open(self) -> None:
        """Start both servers; a port in use ends the program with what to do about it."""
        try:
            if self._breaker is not None:
                await self._breaker.open()
                self._opcua.public = self._breaker.fronts["opcua"].port
            await self._modbus.on()
            await self._opcua.open()
            if self._breaker is not None:
                self._breaker.stand_before(self._opcua, self._modbus)
        except (OSError, RuntimeError) as error:
            ports = f"OPC UA {self._options.opcua_port}, Modbus {self._options.modbus_port}"
            raise SystemExit(
                f"simulators: cannot listen ({ports}): {error}\n"
                "  remedy: end what holds the port, or choose others with --opcua-port and --modbus-port, 0 for any"
            ) from error

    async def _keep(self, job: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await job()
            due = max(due + PACE_S, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _obey(self) -> None:
        while (word := await self._words.get()) != "quit":
            match word:
                case "go":
                    self._go()
                case "stop":
                    if self._breaker is not None:
                        await self._breaker.stop()
                    self._live.clock.stop()
                    await self._opcua.tell()
                    await self._camera.take()
                    self._say("stopped", truth=str(self._write_truth()), time=_iso(self._live.plant.now))
                case "truth":
                    self._live.catch_up()
                    await self._camera.take()
                    self._say("truth", truth=str(self._write_truth()), time=_iso(self._live.plant.now))
                case "modbus off" | "modbus on" | "opcua off" | "opcua on" if self._breaker is not None:
                    remedy = "leave out --faults to switch it yourself"
                    self._say("error", message=f"{word}: the schedule of faults has the servers", remedy=remedy)
                    continue
                case "modbus off":
                    await self._modbus.off()
                case "modbus on":
                    await self._modbus.on()
                case "opcua off":
                    await self._opcua.off()
                case "opcua on":
                    await self._opcua.on()
                case _:
                    self._say("error", message=f"no command {word!r}", remedy=f"write one of {', '.join(COMMANDS)}")
                    continue
            if word.endswith(("on", "off")) or word == "go":
                self._say(word)

    def _go(self) -> None:
        self._live.clock.go()
        if self._breaker is not None:
            self._breaker.go()

    def _say_ready(self) -> None:
        plant, options = self._live.plant, self._options
        ports = {"opcua": self._opcua.port, "modbus": self._modbus.port}
        if self._breaker is not None:
            ports = {name: front.port for name, front in self._breaker.fronts.items()}
        orders: list[dict[str, Any]] = [asdict(order) for order in plant.orders(ORDERS)]
        self._say(
            "ready",
            scenario=options.scenario,
            seed=options.seed,
            speed=options.speed,
            opcua=f"opc.tcp://127.0.0.1:{ports['opcua']}/",
            modbus={"host": "127.0.0.1", "port": ports["modbus"]},
            camera=str(self._camera.folder),
            start=_iso(plant.start),
            orders=[order | {"due": _iso(order["due"])} for order in orders],
        )

    def _say(self, event: str, **more: Any) -> None:
        print(json.dumps({"event": event, **more}), flush=True)

    def _write_truth(self) -> Path:
        """Write truth.json as of the plant's now, whole or not at all."""
        path = self._options.folder / "truth.json"
        part = path.with_suffix(".part")
        told = truth(self._live.plant, self._options.seed, self._options.speed, self._camera.taken)
        if self._breaker is not None:
            told["faults"] = self._breaker.book
        part.write_text(json.dumps(told))
        part.replace(path)
        return path


COMMANDS = ("go", "stop", "truth", "modbus off", "modbus on", "opcua off", "opcua on", "quit")


def _iso(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _listen(loop: asyncio.AbstractEventLoop, words: asyncio.Queue[str], *, quits: bool) -> None:
    """Carry stdin's lines to the loop from a thread: a pipe, a terminal and a file all work; its end quits if asked."""

    def carry() -> None:
        rest = b""
        with contextlib.suppress(RuntimeError):  # the loop has ended before stdin
            while piece := os.read(0, 4096):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line.strip():
                        loop.call_soon_threadsafe(words.put_nowait, " ".join(line.decode(errors="replace").split()))
            if quits:
                loop.call_soon_threadsafe(words.put_nowait, "quit")

    threading.Thread(target=carry, name="stdin", daemon=True).start()
