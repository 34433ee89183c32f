"""What a Modbus unit answers, as columns: blocks asked together, split where refused, read again where torn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.model import BAD_NO_DATA
from drivers.contract import NotConnectedError
from drivers.modbus.blocks import Block, halves, plan
from drivers.modbus.decode import Layout, layout
from drivers.modbus.device import ModbusDevice, ModbusTag
from drivers.modbus.frame import GATEWAY_REFUSED, Refusal, read_reply, read_request
from drivers.modbus.guard import MOST_READS, Row, agree, guarded
from drivers.modbus.port import Seat

ADDRESS_REFUSED = {
    1: 0x803D_0000,  # illegal function -> BadNotSupported
    2: 0x8034_0000,  # illegal data address -> BadNodeIdUnknown
    3: 0x803C_0000,  # illegal data value -> BadOutOfRange
}
DEVICE_FAILURE = 0x808B_0000
MOST_LAYOUTS = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """Equally long columns, a row for each tag; `text` by row."""

    index: NDArray[np.uint32]
    value: NDArray[np.float64]
    status: NDArray[np.uint32]
    text: dict[int, str]

    def row(self, place: int) -> Row:
        """Value, status and text of a row."""
        return float(self.value[place]), int(self.status[place]), self.text.get(place)


class Reader:
    """Reads tags of one unit. How refused blocks fell apart is remembered; `first` is a tag that is read first."""

    def __init__(self, device: ModbusDevice, tags: Sequence[ModbusTag], seat: Seat, first: int | None) -> None:
        self._device, self._tags, self._seat, self._first = device, tags, seat, first
        self._plans: dict[tuple[int, ...], tuple[Block, ...]] = {}
        self._layouts: dict[tuple[Block, ...], tuple[NDArray[np.uint32], Layout]] = {}
        self._guarded = guarded(tags, device.guard)

    async def read(self, due: tuple[int, ...]) -> Rows:
        """The due tags. NotConnectedError where the unit does not answer, or with what no reply can be."""
        device = self._device
        blocks = self._plans.get(due) or plan(self._tags, due, device.gap, device.max_registers, first=self._first)
        good, refused = await self._ask_and_split(blocks)
        if len(good) + len(refused) > len(blocks):
            kept = [*good, *refused]
            blocks = tuple(sorted(kept, key=lambda b: (self._first not in b.tags, b.space, b.start)))
        self._plans[due] = blocks
        rows = self._decoded(good)
        if self._guarded and self._guarded & set(due):
            await self._confirm(rows, tuple(block for block in good if self._guarded & set(block.tags)))
        return _with_refused(rows, refused)

    async def _ask_and_split(self, blocks: Sequence[Block]) -> tuple[dict[Block, bytes], dict[Block, int]]:
        """Payloads, and the statuses of what stays refused; a block with a bad address is halved and asked again."""
        good: dict[Block, bytes] = {}
        refused: dict[Block, int] = {}
        while blocks:
            replies = await self._seat.ask([read_request(block) for block in blocks], self._device.timeout)
            smaller: list[Block] = []
            for block, reply in zip(blocks, replies, strict=True):
                try:
                    good[block] = read_reply(block, reply)
                except Refusal as refusal:
                    if self._must_split(refusal, block):
                        smaller += halves(self._tags, block)
                    else:
                        refused[block] = ADDRESS_REFUSED.get(refusal.code, DEVICE_FAILURE)
                except ValueError as error:
                    await self._seat.leave()
                    raise NotConnectedError(
                        f"{self._device.address} sent a reply that does not fit its request ({error}); "
                        "check what else answers at this address"
                    ) from error
            blocks = smaller
        return good, refused

    def _must_split(self, refusal: Refusal, block: Block) -> bool:
        """Whether only part of the block is to blame; NotConnectedError where the unit is not there at all."""
        if refusal.code in GATEWAY_REFUSED:
            raise self._seat.unreachable() from refusal
        return refusal.code in ADDRESS_REFUSED and len(block.tags) > 1

    def _decoded(self, good: dict[Block, bytes]) -> Rows:
        """All blocks at once."""
        blocks = tuple(good)
        if blocks not in self._layouts:
            if len(self._layouts) >= MOST_LAYOUTS:
                self._layouts.clear()
            index = np.array([tag for block in blocks for tag in block.tags], np.uint32)
            self._layouts[blocks] = index, layout(self._tags, blocks, self._device.word_order)
        index, how = self._layouts[blocks]
        return Rows(index, *how.values(b"".join(good.values())))

    async def _confirm(self, rows: Rows, blocks: tuple[Block, ...]) -> None:
        """Read guarded tags again until two reads in a row agree; those that never do are BadNoData."""
        place = {int(tag): row for row, tag in enumerate(rows.index)}
        open_ = self._guarded & place.keys()
        before = {tag: rows.row(place[tag]) for tag in open_}
        for _ in range(MOST_READS - 1):
            good, _ = await self._ask_and_split([block for block in blocks if open_ & set(block.tags)])
            again = self._decoded(good)
            now = {int(tag): again.row(row) for row, tag in enumerate(again.index) if tag in open_}
            for tag in open_ & now.keys():
                if agree(self._tags[tag], before[tag], now[tag]):
                    _put(rows, place[tag], now[tag])
                    open_ -= {tag}
            before |= now
            if not open_:
                return
        for tag in open_:
            _put(rows, place[tag], (np.nan, BAD_NO_DATA, None))


def _put(rows: Rows, place: int, row: Row) -> None:
    rows.value[place], rows.status[place], word = row
    rows.text.pop(place, None)
    if word is not None:
        rows.text[place] = word


def _with_refused(rows: Rows, refused: dict[Block, int]) -> Rows:
    if not refused:
        return rows
    tags = [tag for block in refused for tag in block.tags]
    statuses = [status for block, status in refused.items() for _ in block.tags]
    return Rows(
        np.concatenate([rows.index, np.array(tags, np.uint32)]),
        np.concatenate([rows.value, np.full(len(tags), np.nan)]),
        np.concatenate([rows.status, np.array(statuses, np.uint32)]),
        rows.text,
    )
