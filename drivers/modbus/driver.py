"""Modbus: polls one unit in blocks, at the pace of its tags, and tells what changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import numpy as np

from agent.model import Batch, Origin
from drivers.contract import Driver, MisconfiguredError, NotConnectedError, Tag
from drivers.modbus.blocks import plan
from drivers.modbus.device import ModbusDevice, ModbusTag
from drivers.modbus.frame import GATEWAY_REFUSED, Refusal, read_request
from drivers.modbus.identity import identity_reply, identity_request, origin
from drivers.modbus.link import HungUpError
from drivers.modbus.port import PORTS, Ports, Seat, UnitSilentError
from drivers.modbus.reader import Reader, Rows
from drivers.polling import Pacing, Seen

OUT_OF_RANGE = 0x803C_0000
LATEST_MS = np.iinfo(np.int64).max // 1_000_000
IDENTITY_OBJECTS = 16
IDENTITY_SHARE = 0.45  # of the timeout, for each of two requests


class ModbusDriver(Driver[ModbusDevice]):
    """One unit at a shared port. `now` is a monotonic clock in seconds, `utc` the gateway's in ns."""

    device_type = ModbusDevice

    def __init__(
        self,
        device: ModbusDevice,
        now: Callable[[], float] = time.monotonic,
        utc: Callable[[], int] = time.time_ns,
        ports: Ports = PORTS,
    ) -> None:
        super().__init__(device)
        self._now, self._utc, self._ports = now, utc, ports
        self._seat: Seat | None = None
        self._tags: tuple[ModbusTag, ...] = ()
        self._clock: int | None = None
        self._time = 0
        self._token = 0

    async def connect(self, tags: Sequence[Tag]) -> Origin:
        self._tags = tuple(tag for tag in tags if isinstance(tag, ModbusTag))
        if len(self._tags) != len(tags) or not tags:
            raise MisconfiguredError(f"device {self.device.name} needs Modbus tags; write at least one with an address")
        names = [tag.name for tag in self._tags]
        self._clock = names.index(self.device.clock) if self.device.clock in names else None
        self._time = 0
        await self.close()
        self._seat = seat = self._ports.seat(
            self.device.endpoint, self.device.unit, self.device.outstanding, self.frames
        )
        await seat.open()
        who = await self._identify(seat)
        self._reader = Reader(self.device, self._tags, seat, self._clock)
        self._seen = Seen(len(tags), moving=self._clock)
        self._pacing = Pacing([tag.every for tag in self._tags], self._now())
        return who

    async def read(self) -> Batch:
        if self._seat is None or not self._seat.is_open:
            raise NotConnectedError(f"the link to {self.device.address} is not open; connect first")
        await asyncio.sleep(max(0.0, self._pacing.due_at() - self._now()))
        due = self._pacing.take(self._now())
        if self._clock is not None and self._clock not in due:
            due = (self._clock, *due)
        return self._batch(await self._reader.read(due))

    async def acknowledge(self, token: int) -> None:
        """Nothing to release: a Modbus unit keeps no values for us."""

    async def close(self) -> None:
        if self._seat is not None:
            await self._seat.leave()

    async def _identify(self, seat: Seat, *, again: bool = False) -> Origin:
        """Who answers; nobody we know where the device does not say, though it answers what it is asked after that."""
        if seat.hangs_up:
            return Origin()
        objects: dict[int, str] = {}
        following: int | None = 0
        try:
            for _ in range(IDENTITY_OBJECTS):
                if following is None:
                    break
                reply = await self._ask_patiently(seat, identity_request(following))
                if reply is None:
                    return Origin()
                part, following = identity_reply(reply)
                objects |= part
        except (Refusal, ValueError) as error:
            if isinstance(error, Refusal) and error.code in GATEWAY_REFUSED:
                raise seat.unreachable() from error
            return Origin()
        except HungUpError:
            if again:
                await seat.reopen()
                return Origin()
            await seat.open()  # it may have been cut for another reason: only who answers a read, and hangs up again
            await self._read_anything(seat, self.device.timeout * IDENTITY_SHARE)
            return await self._identify(seat, again=True)
        return origin(objects)

    async def _ask_patiently(self, seat: Seat, request: bytes) -> bytes | None:
        """The answer to a request some devices pass over in silence: a slow one answers in turn, before a read.

        None where only the read is answered; NotConnectedError where neither is.
        """
        share = self.device.timeout * IDENTITY_SHARE
        answer = asyncio.create_task(seat.ask([request], share if self.device.is_bus else self.device.timeout))
        try:
            await asyncio.wait({answer}, timeout=share)
            if not answer.done():
                await self._read_anything(seat, share, answer)
            return answer.result()[0] if answer.done() else None
        except UnitSilentError:
            if self.device.is_bus and answer.done():
                await self._read_anything(seat, share, answer)
                return None
            raise
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)

    async def _read_anything(self, seat: Seat, timeout: float, answer: asyncio.Task[list[bytes]] | None = None) -> None:
        """Pass where the unit answers a read, or the request before it after all; whatever it answers."""
        (block,) = plan(self._tags, [0], 0, self.device.max_registers)
        try:
            await seat.ask([read_request(block)], timeout)
        except UnitSilentError:
            if answer is None or not answer.done() or answer.exception() is not None:
                raise

    def _batch(self, rows: Rows) -> Batch:
        """The rows that tell something new, at the device's own time where it has a clock."""
        now = self._device_time(rows)
        told = np.flatnonzero(self._seen.news(rows.index, rows.value, rows.status, rows.text))
        self._token += 1
        return Batch(
            index=rows.index[told],
            value=rows.value[told],
            source_time=np.full(len(told), now, np.int64),
            status=rows.status[told],
            time=now,
            token=self._token,
            text={place: rows.text[row] for place, row in enumerate(told.tolist()) if row in rows.text},
        )

    def _device_time(self, rows: Rows) -> int:
        """The clock tag's time in ns, its last good one where it is bad, the gateway's where there is none."""
        if self._clock is None:
            return self._utc()
        row = int(np.flatnonzero(rows.index == self._clock)[0])
        if 0 < rows.value[row] <= LATEST_MS:
            self._time = int(rows.value[row]) * 1_000_000
        else:
            rows.value[row], rows.status[row] = np.nan, rows.status[row] or OUT_OF_RANGE
        return self._time or self._utc()
