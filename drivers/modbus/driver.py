"""Modbus TCP: polls one unit in blocks, at the pace of its tags, and tells what changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.model import Batch, Origin
from drivers.contract import Driver, MisconfiguredError, NotConnectedError, Tag
from drivers.modbus.blocks import Block, halves, plan
from drivers.modbus.decode import Layout, layout
from drivers.modbus.device import ModbusDevice, ModbusTag
from drivers.modbus.frame import Refusal, read_reply, read_request
from drivers.modbus.identity import identity_reply, identity_request, origin
from drivers.modbus.link import Link
from drivers.polling import Pacing, Seen

ADDRESS_REFUSED = {
    1: 0x803D_0000,  # illegal function -> BadNotSupported
    2: 0x8034_0000,  # illegal data address -> BadNodeIdUnknown
    3: 0x803C_0000,  # illegal data value -> BadOutOfRange
}
GATEWAY_REFUSED = (10, 11)
DEVICE_FAILURE = 0x808B_0000
OUT_OF_RANGE = 0x803C_0000
LATEST_MS = np.iinfo(np.int64).max // 1_000_000
IDENTITY_OBJECTS = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request told: a row for each tag of its block, `text` by row."""

    block: Block
    value: NDArray[np.float64]
    status: NDArray[np.uint32]
    text: dict[int, str]


class ModbusDriver(Driver[ModbusDevice]):
    """One unit over one connection. `now` is a monotonic clock in seconds, `utc` the gateway's in ns."""

    device_type = ModbusDevice

    def __init__(
        self,
        device: ModbusDevice,
        now: Callable[[], float] = time.monotonic,
        utc: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(device)
        self._now, self._utc = now, utc
        self._link = Link(device.host, device.port, device.unit)
        self._tags: tuple[ModbusTag, ...] = ()
        self._plans: dict[tuple[int, ...], tuple[Block, ...]] = {}
        self._layouts: dict[Block, Layout] = {}
        self._clock: int | None = None
        self._time = 0
        self._token = 0

    async def connect(self, tags: Sequence[Tag]) -> Origin:
        self._tags = tuple(tag for tag in tags if isinstance(tag, ModbusTag))
        if len(self._tags) != len(tags) or not tags:
            raise MisconfiguredError(f"device {self.device.name} needs Modbus tags; write at least one with an address")
        names = [tag.name for tag in self._tags]
        self._clock = names.index(self.device.clock) if self.device.clock in names else None
        self._plans, self._layouts, self._time = {}, {}, 0
        await self._link.close()
        await self._link.open()
        who = await self._identify() or Origin()
        if not self._link.is_open:
            await self._link.open()
        self._seen = Seen(len(tags), moving=self._clock)
        self._pacing = Pacing([tag.every for tag in self._tags], self._now())
        return who

    async def read(self) -> Batch:
        if not self._link.is_open:
            raise NotConnectedError(f"the link to {self.device.address} is not open; connect first")
        await asyncio.sleep(max(0.0, self._pacing.due_at() - self._now()))
        due = self._pacing.take(self._now())
        if self._clock is not None and self._clock not in due:
            due = (self._clock, *due)
        return self._batch(await self._poll(due))

    async def acknowledge(self, token: int) -> None:
        """Nothing to release: a Modbus unit keeps no values for us."""

    async def close(self) -> None:
        await self._link.close()

    async def _identify(self) -> Origin | None:
        """Who answers; None where the device does not say, though it answers what it is asked after that."""
        objects: dict[int, str] = {}
        following: int | None = 0
        try:
            for _ in range(IDENTITY_OBJECTS):
                if following is None:
                    break
                part, following = identity_reply(await self._ask_patiently(identity_request(following)))
                objects |= part
        except (Refusal, ValueError, NotConnectedError):
            return None
        return origin(objects)

    async def _ask_patiently(self, request: bytes) -> bytes:
        """The answer to a request some devices pass over in silence: a slow one answers in turn, before a read."""
        answer = asyncio.create_task(self._link.ask(request, self.device.timeout))
        try:
            await asyncio.wait({answer}, timeout=self.device.timeout / 2)
            if not answer.done():
                (block,) = plan(self._tags, [0], 0, self.device.max_registers)
                await self._link.ask(read_request(block), self.device.timeout / 2)
            if not answer.done():
                raise NotConnectedError("no answer, though a later request has one")
            return answer.result()
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)

    async def _poll(self, due: tuple[int, ...]) -> list[Reading]:
        """Read the due tags; how a refused block fell apart is remembered until the next connect."""
        blocks = self._plans.get(due) or plan(
            self._tags, due, self.device.gap, self.device.max_registers, first=self._clock
        )
        readings = [reading for block in blocks for reading in await self._read_block(block)]
        self._plans[due] = tuple(reading.block for reading in readings)
        return readings

    async def _read_block(self, block: Block) -> list[Reading]:
        """One reading, or one for each part where the unit refuses the whole."""
        try:
            payload = read_reply(block, await self._link.ask(read_request(block), self.device.timeout))
        except Refusal as refusal:
            if refusal.code in GATEWAY_REFUSED:
                raise NotConnectedError(
                    f"the gateway at {self.device.address} cannot reach the unit; check the unit number and its cable"
                ) from refusal
            if refusal.code in ADDRESS_REFUSED and len(block.tags) > 1:
                first, second = halves(self._tags, block)
                return await self._read_block(first) + await self._read_block(second)
            return [_refused(block, ADDRESS_REFUSED.get(refusal.code, DEVICE_FAILURE))]
        except ValueError as error:
            await self._link.close()
            raise NotConnectedError(
                f"{self.device.address} sent a reply that does not fit its request ({error}); "
                "check what else answers at this address"
            ) from error
        if block not in self._layouts:
            self._layouts[block] = layout(self._tags, [block], self.device.word_order)
        return [Reading(block, *self._layouts[block].values(payload))]

    def _batch(self, readings: Sequence[Reading]) -> Batch:
        """The rows that tell something new, at the device's own time where it has a clock."""
        index = np.array([tag for reading in readings for tag in reading.block.tags], np.uint32)
        value = np.concatenate([reading.value for reading in readings])
        status = np.concatenate([reading.status for reading in readings])
        starts = np.cumsum([0, *(len(reading.value) for reading in readings)])
        text = {
            int(start) + row: word for start, r in zip(starts, readings, strict=False) for row, word in r.text.items()
        }
        now = self._device_time(index, value, status)
        rows = np.flatnonzero(self._seen.news(index, value, status, text))
        self._token += 1
        return Batch(
            index=index[rows],
            value=value[rows],
            source_time=np.full(len(rows), now, np.int64),
            status=status[rows],
            time=now,
            token=self._token,
            text={place: text[row] for place, row in enumerate(rows.tolist()) if row in text},
        )

    def _device_time(self, index: NDArray[np.uint32], value: NDArray[np.float64], status: NDArray[np.uint32]) -> int:
        """The clock tag's time in ns, its last good one where it is bad, the gateway's where there is none."""
        if self._clock is None:
            return self._utc()
        row = int(np.flatnonzero(index == self._clock)[0])
        if 0 < value[row] <= LATEST_MS:
            self._time = int(value[row]) * 1_000_000
        else:
            value[row], status[row] = np.nan, status[row] or OUT_OF_RANGE
        return self._time or self._utc()


def _refused(block: Block, status: int) -> Reading:
    size = len(block.tags)
    return Reading(block, np.full(size, np.nan), np.full(size, status, np.uint32), {})
