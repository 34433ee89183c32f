"""The plant's Modbus TCP server: two machines and a power meter behind one address."""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.live import Live

MACHINES = {1: "press1", 2: "assembly1"}
METER = 10
READ_HOLDING, READ_INPUT = 3, 4
POWER, ENERGY = 52, 342  # input registers, as on a common three-phase meter


class ModbusServer:
    """Serves units 1, 2 and 10 of a live plant on loopback; `off` and `on` close and open its listener.

    `refusal` is the exception code every request is answered with, None for none.
    A unit's registers are set at the moment of reading, in one step: no block is ever torn.
    """

    def __init__(self, live: Live, port: int) -> None:
        self.port = port
        self.refusal: int | None = None
        self._live = live
        self._server: ModbusTcpServer | None = None

    async def on(self) -> None:
        """Listen; `port` is then the real one, and stays the same."""
        if self._server is not None:
            return
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        names = {
            "VendorName": "tanchang simulators",
            "ProductCode": self._live.plant.scenario.name,
            "MajorMinorRevision": "1",
            "UserApplicationName": f"speed={self._live.clock.speed:g}",
        }
        identity = ModbusDeviceIdentification(info_name=names)  # type: ignore[no-untyped-call]  # pymodbus has no types here
        server = ModbusTcpServer(
            [*(self._machine(unit, name) for unit, name in MACHINES.items()), self._meter()],
            identity=identity,
            address=("127.0.0.1", self.port),
        )
        await server.serve_forever(background=True)
        self.port = cast("asyncio.Server", server.transport).sockets[0].getsockname()[1]
        self._server = server

    async def off(self) -> None:
        """Close the listener and every connection."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # nor here
            self._server = None

    def _machine(self, unit: int, name: str) -> SimDevice:
        async def refresh(
            code: int, _start: int, _address: int, _count: int, registers: list[int], _new: object
        ) -> ExcCodes | None:
            if self.refusal is not None:
                return ExcCodes(self.refusal)
            if code != READ_HOLDING:
                return ExcCodes.ILLEGAL_FUNCTION
            registers[0:10] = machine_registers(self._live, name)
            return None

        return SimDevice(unit, [SimData(0, count=10, datatype=DataType.REGISTERS)], action=refresh)

    def _meter(self) -> SimDevice:
        async def refresh(
            code: int, _start: int, _address: int, _count: int, registers: list[int], _new: object
        ) -> ExcCodes | None:
            if self.refusal is not None:
                return ExcCodes(self.refusal)
            if code != READ_INPUT:
                return ExcCodes.ILLEGAL_FUNCTION
            self._live.catch_up()
            registers[0:2] = _words(">f", self._live.plant.power)
            registers[ENERGY - POWER : ENERGY - POWER + 2] = _words(">f", self._live.plant.energy)
            return None

        blocks = [
            SimData(POWER, count=2, datatype=DataType.REGISTERS),
            SimData(ENERGY, count=2, datatype=DataType.REGISTERS),
        ]
        return SimDevice(METER, blocks, action=refresh)


def machine_registers(live: Live, name: str) -> list[int]:
    """HR0 clock u64 (ms since 1970), HR4 good, HR5 scrap, HR6 light, HR7 reason, HR8 cycle f32 (s): one instant."""
    now = live.catch_up() + live.clock_error.get("modbus", 0)
    good, scrap, light, reason = (
        int(live.plant.values[f"{name}.{word}"]) for word in ("good", "scrap", "light", "reason")
    )
    cycle = _words(">f", float(live.plant.values[f"{name}.cycle"]))
    return [*_words(">Q", now // 1_000_000), good, scrap, light, reason, *cycle]


def _words(form: str, value: int | float) -> list[int]:
    raw = struct.pack(form, value)
    return list(struct.unpack(f">{len(raw) // 2}H", raw))
