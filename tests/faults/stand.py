"""What stands around an agent under fault: PLC, relay, broker and consumer outlive it, or are killed themselves."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from agent.demo.stage import Process
from gateway.broker import program, start_broker
from tests.faults.account import account, first_raw
from tests.faults.part import Found
from tests.faults.plc import TREE, Plc, line_file
from tests.faults.witness import Witness
from tests.system.uplink_rig import Gate


def missing() -> str | None:
    """Why the stand cannot be set up here."""
    return None if program("mosquitto") else "needs mosquitto"


class Stand:
    """A PLC, the real agent in a process of its own, a relay, mosquitto and the witness.

    `faults` are the moments at which the agent could not look. With `acknowledged` the consumer says what it holds.
    """

    def __init__(self, seed: int, folder: Path, *, acknowledged: bool = False) -> None:
        self._consumer = "witness" if acknowledged else None
        self.chance = random.Random(seed)
        self.folder = folder
        self.plc = Plc(seed)
        self.gate = Gate(0)
        self.witness = Witness(f"{TREE}/_ack/{self._consumer}" if acknowledged else None)
        self.faults: list[float] = []
        self.agent: Process
        self._broker = AsyncExitStack()
        self._broker_pid = 0

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """All of it runs within the block."""
        async with self.plc.serving(), self.gate.standing():
            try:
                await self.start_broker()
                (self.folder / "line.toml").write_text(
                    line_file(self.plc.port, self.gate.port, self._consumer), encoding="utf-8"
                )
                await self.start_agent()
                await self.looked()
                yield
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self._tail()}") from error
            finally:
                if self.agent.child.returncode is None:
                    self.agent.child.kill()
                    await self.agent.child.wait()
                await self._broker.aclose()

    async def start_agent(self) -> None:
        """As a supervisor starts it: at once, again and again. It ends with this process, however that ends."""
        arguments = ["run", str(self.folder / "line.toml"), "--data", str(self.folder / "data"), "--attached"]
        self.agent = await Process.start("agent", "agent.cli", arguments, self.folder / "agent.log")

    async def kill_agent(self) -> float:
        """Kill -9 and start again; seconds from the start to the first record nobody was told before."""
        self.faults.append(time.time())
        self.agent.child.kill()
        await self.agent.child.wait()
        known, began = len(self.witness.taken), time.monotonic()
        await self.start_agent()
        await self.witness.until(lambda: len(self.witness.taken) > known, "nothing new after a kill")
        return time.monotonic() - began

    async def start_broker(self, late_s: float | None = None) -> None:
        """A broker that remembers nothing, and the consumer.

        The consumer is there first, for what a broker without subscribers takes nobody ever gets; one that
        acknowledges may come late.
        """
        broker = await self._broker.enter_async_context(start_broker(self.folder / "broker", "mosquitto"))
        self.gate.target, self._broker_pid = broker.port, broker.pid
        if late_s is not None:
            self.gate.open = True
            await asyncio.sleep(late_s)
        await self._broker.enter_async_context(self.witness.listening(broker.port))
        self.gate.open = True

    async def kill_broker(self, down_s: float = 0.0, late_s: float | None = None) -> None:
        """Kill -9: all that it held in memory is gone. A new one takes its place."""
        self.shut()
        os.kill(self._broker_pid, signal.SIGKILL)
        await self._broker.aclose()
        await asyncio.sleep(down_s)
        await self.start_broker(late_s)

    def shut(self) -> None:
        """The link to the broker is cut and none comes up."""
        self.gate.open = False
        self.gate.cut()

    async def some_new(self, number: int) -> None:
        """Until so many more records were taken."""
        wanted = len(self.witness.taken) + number
        await self.witness.until(lambda: len(self.witness.taken) >= wanted, f"{number} more records")

    async def looked(self) -> None:
        """Until each counter was read: of what was before nobody ever knew."""
        made, taken = self.plc.made, self.witness.taken
        await self.witness.until(lambda: len(first_raw(taken)) == len(made), "a first record of each counter")

    def _tail(self) -> str:
        """How the agent stands, for whoever looks for a cause."""
        end = self.agent.child.returncode
        how = "runs" if end is None else f"ended with {end}"
        return f"the agent {how}; its log ends:\n{self.agent.log.read_text(errors='replace')[-1000:]}"

    async def settled(self) -> Found:
        """The PLC makes no more; once all it made has arrived the agent is ended, and all accounts are compared."""
        witness, plc = self.witness, self.plc
        await plc.stop()
        first = first_raw(witness.taken)
        made = {key: number - plc.baseline(first[key]) for key, number in plc.made.items()}
        await witness.until(lambda: all(witness.sums.get(key, 0) >= made[key] for key in made), f"parts made: {made}")
        await self.agent.end()
        assert self.agent.child.returncode == 0, f"the agent ended with {self.agent.child.returncode}"
        return account(self.folder / "data", witness.told, witness.taken, made, self.faults)
