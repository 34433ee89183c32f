"""Lets a schedule of faults loose on the plant's servers, and keeps the book of what was done when."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from simulators.faults import Fault
from simulators.live import Live
from simulators.modbus import MACHINES, ModbusServer
from simulators.opcua import FOLDERS, OpcuaServer
from simulators.proxy import FaultProxy, Mode

MACHINES_OF = {"opcua": FOLDERS, "modbus": tuple(MACHINES.values())}


class Breaker:
    """Two proxies in front of two servers, and one fault at a time; `told` hears when each is in force and when over.

    `book` has an entry for each fault done so far: plant times in ns, `to_ns` None while it lasts.
    """

    def __init__(self, live: Live, faults: Iterator[Fault], told: Callable[..., None], ports: tuple[int, int]) -> None:
        self.book: list[dict[str, Any]] = []
        self.fronts = {
            name: FaultProxy("127.0.0.1", 0, listen=port) for name, port in zip(MACHINES_OF, ports, strict=True)
        }
        self._live, self._faults, self._told = live, faults, told
        self._servers: dict[str, OpcuaServer | ModbusServer] = {}
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen where clients will call, before there is a server behind."""
        for front in self.fronts.values():
            await front.__aenter__()

    def stand_before(self, opcua: OpcuaServer, modbus: ModbusServer) -> None:
        """Lead the clients to these servers, which listen."""
        self._servers = {"opcua": opcua, "modbus": modbus}
        for name, server in self._servers.items():
            self.fronts[name].target = ("127.0.0.1", server.port)

    def go(self) -> None:
        """Go on with the schedule."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="faults")

    async def stop(self) -> None:
        """Lift the fault there is and let peace be until `go`."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """Close the listeners and every link."""
        await self.stop()
        for front in self.fronts.values():
            await front.__aexit__(None, None, None)

    async def _follow(self) -> None:
        for fault in self._faults:
            await asyncio.sleep(fault.pause_s)
            await self.inflict(fault)

    async def inflict(self, fault: Fault) -> None:
        """Let one fault strike and pass; it is lifted when this is cancelled too."""
        entry: dict[str, Any] = {"target": fault.target, "kind": fault.kind, "code": fault.code, "step_s": fault.step_s}
        entry |= {"from_ns": self._live.catch_up(), "to_ns": None}
        self.book.append(entry)
        strike = asyncio.create_task(self._strike(fault))  # never half done: a listener must be off before it is on
        try:
            await asyncio.shield(strike)
            self._told("fault", set=True, target=fault.target, kind=fault.kind, time_ns=entry["from_ns"])
            if fault.kind == "freeze":
                _stand_still(fault.for_s)
            else:
                await asyncio.sleep(fault.for_s)
        finally:
            await strike
            await self._lift(fault)
            entry["to_ns"] = self._live.catch_up()
            self._told("fault", set=False, target=fault.target, kind=fault.kind, time_ns=entry["to_ns"])

    async def _strike(self, fault: Fault) -> None:
        match fault.kind:
            case "freeze":
                pass
            case "exception":
                self._modbus.refusal = fault.code
            case "step" if fault.step_s is not None:
                self._live.clock_error[fault.target] = round(fault.step_s * 1e9)
            case "vanish":
                await self._opcua.vanish()
            case "cut":
                await self.fronts[fault.target].switch("rst")
                await self.fronts[fault.target].switch("refuse")
            case "reboot" | "reset" | "shift":
                await self.fronts[fault.target].switch("refuse")
                await self._servers[fault.target].off()
                if fault.kind == "reset":
                    self._live.reset(MACHINES_OF[fault.target])
                if fault.kind == "reset" and fault.target == "opcua":
                    await self._opcua.boot()
                if fault.kind == "shift":
                    await self._opcua.shift()
            case _:
                await self.fronts[fault.target].switch(cast("Mode", fault.kind))

    async def _lift(self, fault: Fault) -> None:
        match fault.kind:
            case "freeze":
                return
            case "exception":
                self._modbus.refusal = None
                return
            case "step":
                del self._live.clock_error[fault.target]
                return
            case "vanish":
                await self._opcua.appear()
                return
            case "reboot" | "reset" | "shift":
                await self._servers[fault.target].on()
        await self.fronts[fault.target].switch("pass")

    @property
    def _opcua(self) -> OpcuaServer:
        return cast("OpcuaServer", self._servers["opcua"])

    @property
    def _modbus(self) -> ModbusServer:
        return cast("ModbusServer", self._servers["modbus"])


def _stand_still(seconds: float) -> None:
    """Hold the event loop: links stay open, the system still accepts new ones, nobody answers."""
    time.sleep(seconds)
