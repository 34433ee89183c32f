"""The demo itself: start all, let the plant run, stop it, drain, compare. Exit code 0 only where all agree."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.configuration.duration import seconds
from agent.demo import books, tamper
from agent.demo.balance import Evidence, balance
from agent.demo.stage import DemoError, Process, free_port, line_file, running
from agent.demo.witness import Board, Subscriber
from agent.linefile import load
from gateway.broker import start_broker
from gateway.mqtt import Broker
from gateway.topic import TREE

TEMPLATE = "lines/cooker3.toml"
DRAIN = 45.0  # wall seconds the last parts may take to arrive everywhere
QUIET = 2.0  # wall seconds without a new record that mean: all is through
TOLD_TO_END = 143  # exit code of a demo ended by SIGTERM, as a shell would put it
DOWN = 3.0  # wall seconds a killed agent stays down


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for; times in wall seconds, `duration` None for a demo to look at."""

    duration: float | None
    speed: float
    seed: int
    report: Path | None
    data: Path | None
    kill_at: float | None
    tamper: tuple[str, str] | None


def settings(arguments: Mapping[str, Any]) -> Settings:
    """Checked settings; DemoError in the user's words."""
    try:
        duration = seconds(arguments["duration"]) if arguments["duration"] else None
        kill_at = seconds(arguments["kill_agent_at"]) if arguments["kill_agent_at"] else None
        false = tamper.parse(arguments["tamper"]) if arguments["tamper"] else None
    except ValueError as error:
        raise DemoError(str(error)) from error
    speed = arguments["speed"] or (60.0 if duration else 10.0)
    return Settings(duration, speed, arguments["seed"], arguments["report"], arguments["data"], kill_at, false)


class Demo:
    """One run: the processes, their addresses and the two witnesses."""

    def __init__(self, wanted: Settings, folder: Path, stack: AsyncExitStack) -> None:
        self.wanted = wanted
        self.folder = folder
        self.stack = stack
        self.path = folder / "line.toml"
        self.plant: Process
        self.agent: Process
        self.subscriber: Subscriber
        self.board: Board
        self.addresses: dict[str, str] = {}

    async def start(self) -> None:
        """Broker, plant (held still), agent, tour, witnesses; then the plant goes."""
        broker = await self.stack.enter_async_context(start_broker(self.folder / "broker"))
        ready = await self._start_plant()
        template = files("firmware_configs").joinpath(TEMPLATE).read_text(encoding="utf-8")
        panel = free_port(None if self.wanted.duration else 8080)
        self.path.write_text(line_file(template, ready, broker.port, panel), encoding="utf-8")
        self.line = load(self.path)
        self.tree = f"{TREE}/{self.line.site}/{self.line.area}/{self.line.line}"
        address = Broker(broker.host, broker.port)
        how = self.wanted.tamper[1] if self.wanted.tamper and self.wanted.tamper[0] == "message" else None
        self.subscriber = Subscriber(address, self.tree, tamper.interference(how))
        await self._witness(self.subscriber.run())
        await self._start_agent()
        await self._start_tour(broker.port)
        await self.board.shows(_all_observed)
        await self.plant.tell("go")
        self.addresses |= {"panel": f"http://127.0.0.1:{panel}/", "broker": f"mqtt://{broker.host}:{broker.port}"}
        await self.subscriber.order(self.tree, ready["orders"])

    async def _start_plant(self) -> Mapping[str, Any]:
        arguments = ["cooker3", "--seed", str(self.wanted.seed), "--speed", str(self.wanted.speed), "--hold"]
        arguments += ["--attached", "--folder", str(self.folder / "plant"), "--opcua-port", "0", "--modbus-port", "0"]
        log = self.folder / "plant.log"
        self.plant = await self.stack.enter_async_context(running("plant", "simulators", arguments, log))
        return await self.plant.event("ready")

    async def _start_agent(self) -> None:
        arguments = ["run", str(self.path), "--data", str(self.folder / "data"), "--attached"]
        self.agent = await Process.start("agent", "agent.cli", arguments, self.folder / "agent.log")
        self.stack.push_async_callback(self.agent.end)
        await self.agent.event("ready")

    async def _start_tour(self, broker_port: int) -> None:
        path = f"{self.line.site}/{self.line.area}/{self.line.line}"
        port = free_port(None if self.wanted.duration else 8090)
        arguments = ["--broker", f"127.0.0.1:{broker_port}", "--line", path, "--listen", f"127.0.0.1:{port}"]
        arguments += ["--capability", "demo", "--attached"]
        log = self.folder / "tour.log"
        tour = await self.stack.enter_async_context(running("tour", "gateway.tour", arguments, log))
        ready = await tour.event("ready")
        self.addresses |= {"board": ready["board"], "overlay": ready["overlay"], "9:16": ready["overlay_tall"]}
        self.board = Board(ready["ws"])
        await self._witness(self.board.run())

    async def _witness(self, listening: Any) -> None:
        task = asyncio.create_task(listening)

        async def stop() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        self.stack.push_async_callback(stop)

    async def kill_agent(self) -> None:
        """Kill -9, and a start like any other."""
        self.agent.child.kill()
        await self.agent.child.wait()
        await asyncio.sleep(DOWN)
        await self._start_agent()

    async def drain(self) -> Mapping[str, Any]:
        """Freeze the plant and wait until nothing new arrives; the plant's truth."""
        await self.plant.tell("stop")
        stopped = await self.plant.event("stopped")
        truth: dict[str, Any] = json.loads(await asyncio.to_thread(Path(stopped["truth"]).read_text))
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                await self._until_through(truth["images"])
        return truth

    async def _until_through(self, images: int) -> None:
        while True:
            before = self.subscriber.last_seq
            await asyncio.sleep(QUIET)
            if self.subscriber.last_seq == before and self.subscriber.count("inspection") >= images:
                return

    async def judge(self) -> dict[str, Any]:
        """Drain, end the agent, and compare what each witness holds."""
        truth = await self.drain()
        displayed = self.board.counts()
        await self.agent.end()
        path = self.folder / "data" / "ledger.db"
        what, how = self.wanted.tamper or ("", "")
        if what == "record":
            await asyncio.to_thread(books.falsify, path, how)
        if what == "display":
            displayed = tamper.display(displayed, how)
        records = await asyncio.to_thread(books.envelopes, path)
        tags = {m.name: m.state.tag for m in self.line.machine}
        sampling = {name: self._sampling(tag) for name, tag in tags.items()}
        devices = {name: tag.partition(".")[0] for name, tag in tags.items()}
        return balance(Evidence(truth, records, self.subscriber.taken, displayed, sampling, devices, self.wanted.speed))

    def _sampling(self, reference: str) -> float:
        device, _, name = reference.partition(".")
        return next(t.every for d in self.line.devices if d.name == device for t in d.tags if t.name == name)


def _all_observed(document: Mapping[str, Any]) -> bool:
    machines = document["machines"]
    return bool(machines) and all(m["state"] != "UNKNOWN" for m in machines)


def _has_figure(document: Mapping[str, Any]) -> bool:
    return any(figure["value"] is not None for figure in document["figures"].values() if figure)


async def _run(wanted: Settings, folder: Path) -> int:
    running = asyncio.current_task()
    assert running is not None
    # Whoever ends the demo ends what it started: a cancelled task leaves through the stack.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    async with AsyncExitStack() as stack:
        demo = Demo(wanted, folder, stack)
        async with asyncio.timeout(120):
            await demo.start()
        for name, address in demo.addresses.items():
            print(f"{name:<8} {address}", flush=True)
        if wanted.duration is None:
            print(f"simulated, {wanted.speed:g} plant seconds in a second; Ctrl-C ends it", flush=True)
            await demo.agent.child.wait()
            raise DemoError(f"the agent ended by itself; its log is {demo.agent.log}")
        async with asyncio.timeout(30):
            await demo.board.shows(_has_figure)
        await _let_run(demo, wanted.duration)
        report = await demo.judge()
    return _tell(report, wanted.report)


async def _let_run(demo: Demo, duration: float) -> None:
    end = asyncio.get_running_loop().time() + duration
    if demo.wanted.kill_at is not None:
        await asyncio.sleep(demo.wanted.kill_at)
        await demo.kill_agent()
    await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))


def _tell(report: Mapping[str, Any], path: Path | None) -> int:
    if path is not None:
        path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for difference in report["differences"]:
        print(f"difference: {difference}")
    word = "balanced" if report["balanced"] else "NOT balanced"
    print(f"{word}: {report['finished']} parts finished, {report['lost']} lost, {report['double']} double")
    return 0 if report["balanced"] else 1


def demo(wanted: Settings) -> int:
    """Run one demo; 0 where everything agreed, 1 where something did not."""
    try:
        if wanted.data is not None:
            wanted.data.mkdir(parents=True, exist_ok=True)
            return asyncio.run(_run(wanted, wanted.data.resolve()))
        with tempfile.TemporaryDirectory(prefix="tanchang-demo-") as name:
            return asyncio.run(_run(wanted, Path(name)))
    except asyncio.CancelledError:
        return TOLD_TO_END
