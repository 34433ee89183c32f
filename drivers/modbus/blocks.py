"""Pure: which requests read which tags. Neighbours share a request, up to what a gap and a unit allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from drivers.modbus.address import Space
from drivers.modbus.device import ModbusTag

MAX_BITS = 2000
BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True)
class Block:
    """One request: `count` addresses of a space from `start` on, and the tags in it (index in the tag list)."""

    space: Space
    start: int
    count: int
    tags: tuple[int, ...]

    @property
    def end(self) -> int:
        """The address after the last one."""
        return self.start + self.count

    @property
    def octets(self) -> int:
        """How long the payload of its reply is."""
        return -(-self.count // 8) if self.space.is_bits else 2 * self.count


def plan(
    tags: Sequence[ModbusTag], wanted: Iterable[int], gap: int, max_registers: int, first: int | None = None
) -> tuple[Block, ...]:
    """The fewest blocks that cover the wanted tags in order of address; the one that has tag `first` leads.

    Up to `gap` registers (16 times as many bits) that nobody wants are read over, a value is never torn.
    """
    blocks: list[Block] = []
    for index in sorted(wanted, key=lambda i: tags[i].place):
        alone = _alone(tags, index)
        last = blocks[-1] if blocks else None
        joined = last and _joined(last, alone, gap, max_registers)
        if joined:
            blocks[-1] = joined
        else:
            blocks.append(alone)
    return tuple(sorted(blocks, key=lambda block: first not in block.tags))


def halves(tags: Sequence[ModbusTag], block: Block) -> tuple[Block, Block]:
    """The block of at least two tags as two, each no wider than its own tags."""
    middle = len(block.tags) // 2
    first, second = (_covering(tags, part) for part in (block.tags[:middle], block.tags[middle:]))
    return first, second


def _alone(tags: Sequence[ModbusTag], index: int) -> Block:
    space, start = tags[index].place
    return Block(space, start, tags[index].size, (index,))


def _joined(block: Block, other: Block, gap: int, max_registers: int) -> Block | None:
    scale = BITS_PER_REGISTER if block.space.is_bits else 1
    limit = min(MAX_BITS, max_registers * BITS_PER_REGISTER) if block.space.is_bits else max_registers
    end = max(block.end, other.end)
    if other.space != block.space or other.start - block.end > gap * scale or end - block.start > limit:
        return None
    return replace(block, count=end - block.start, tags=block.tags + other.tags)


def _covering(tags: Sequence[ModbusTag], part: Sequence[int]) -> Block:
    blocks = [_alone(tags, index) for index in part]
    start = min(block.start for block in blocks)
    return Block(blocks[0].space, start, max(block.end for block in blocks) - start, tuple(part))
