"""Pollers and recorder on the simulated plant's real servers: what it made is what the ledger holds."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

from agent import wiring
from agent.ledger import Ledger, Reader
from agent.linefile import load
from agent.model import Kind, State
from agent.poller import Poller
from agent.recorder import Recorder
from drivers.catalog import create

ROOT = Path(__file__).parents[2]
LINE = ROOT / "firmware_configs" / "lines" / "cooker3.toml"


class LivePlant:
    """`python -m simulators cooker3` at 60 times the wall's speed, and the line file that fits its ports."""

    def __init__(self, folder):
        self.folder = folder

    async def __aenter__(self):
        options = ["--seed", "5", "--speed", "60", "--hold", "--attached", "--opcua-port", "0", "--modbus-port", "0"]
        command = [sys.executable, "-m", "simulators", "cooker3", *options, "--folder", str(self.folder)]
        self.process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=-1, stdout=-1)
        ready = json.loads(await self.process.stdout.readline())
        text = LINE.read_text(encoding="utf-8").replace("opc.tcp://127.0.0.1:4840/", ready["opcua"])
        path = self.folder / "line.toml"
        path.write_text(text.replace("port = 5020", f"port = {ready['modbus']['port']}"), encoding="utf-8")
        self.line = load(path)
        return self

    async def say(self, word):
        self.process.stdin.write(f"{word}\n".encode())
        await self.process.stdin.drain()
        return json.loads(await self.process.stdout.readline())

    async def __aexit__(self, *_):
        self.process.stdin.write(b"quit\n")
        await self.process.stdin.drain()
        await self.process.wait()


class Running:
    """The reading half of an agent; leaving it is a kill: nothing that waits is written."""

    def __init__(self, line, folder):
        self.line, self.folder = line, folder

    async def __aenter__(self):
        self.ledger = await Ledger.open(self.folder)
        rules = wiring.machine_rules(self.line, self.line.devices)
        devices, calendar = wiring.device_rules(self.line.devices), wiring.calendar(self.line)
        meter = wiring.meter(self.line, self.line.devices)
        self.recorder = Recorder(self.line.equipment, rules, devices, calendar, self.ledger, meter=meter)
        await self.recorder.restore()
        pollers = [Poller(one, partial(create, one), self.recorder, Random(1)) for one in self.line.devices]
        self.tasks = [asyncio.create_task(one.run()) for one in pollers]
        self.tasks.append(asyncio.create_task(self.recorder.run()))
        return self

    async def until(self, told):
        async with asyncio.timeout(30):
            while not told(self.recorder.now()):
                await self.recorder.changed()

    async def __aexit__(self, *_):
        await self.ledger.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def states(now):
    return {machine.name: machine.state.state for machine in now.machines}


def all_known(now):
    return State.UNKNOWN not in states(now).values()


def finished(number):
    return lambda now: now.machines[-1].good >= number


async def test_parts_balance_through_a_lost_server_and_a_killed_agent(tmp_path):
    async with LivePlant(tmp_path) as plant:
        async with Running(plant.line, tmp_path / "data") as agent:
            await agent.until(all_known)
            await plant.say("go")
            await agent.until(finished(3))
            await plant.say("modbus off")
            await agent.until(lambda now: states(now)["press1"] is states(now)["assembly1"] is State.UNKNOWN)
            assert states(agent.recorder.now())["diecast1"] is not State.UNKNOWN
            assert {one.code for one in agent.recorder.now().faults} == {"not_connected"}
            await plant.say("modbus on")
            await agent.until(all_known)
            await agent.until(lambda now: now.faults == ())
        async with Running(plant.line, tmp_path / "data") as agent:
            await agent.until(all_known)
            await agent.until(finished(10))
            stopped = await plant.say("stop")
            truth = read(stopped["truth"])
            made = {name: (one["good"], one["scrap"]) for name, one in truth["machines"].items()}
            await agent.until(lambda now: {one.name: (one.good, one.scrap) for one in now.machines} == made)
        reader = Reader(tmp_path / "data")
        reader.verify()
        counted = Counter()
        for one in reader.records(Kind.COUNT, limit=10**6):
            counted[one.machine, one.body["counter"]] += one.body["delta"]
        assert {name: (counted[name, "good"], counted[name, "scrap"]) for name in made} == made
        meter = [one.body["raw"] for one in reader.records(Kind.COUNT, "", limit=10**6)]
        assert 0 < counted["", "energy"] == meter[-1] - meter[0]
        assert meter[-1] <= truth["energy_kwh"] * 1000
        causes = {(one.body["what"], one.body["cause"]) for one in reader.records(Kind.GAP)}
        assert {("press1", "not_connected"), ("assembly1", "not_connected"), ("cell1", "agent_down")} <= causes
        assert all(one.simulated for one in reader.records(Kind.COUNT, limit=10**6))
        reader.close()
