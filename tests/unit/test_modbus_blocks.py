"""Requests cover every tag once, within what a unit and a gap allow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.blocks import Block, halves, plan
from drivers.modbus.datatype import REGISTERS
from drivers.modbus.device import ModbusTag


def tags(*places: str) -> list[ModbusTag]:
    return [
        ModbusTag.model_validate({"name": "t", "address": a, "datatype": d}) for a, d in (p.split() for p in places)
    ]


ANY_TAG = st.one_of(
    st.builds("HR{} {}".format, st.integers(0, 400), st.sampled_from(["u16", "i16", "u32", "u64", "f32"])),
    st.builds("IR{} {}".format, st.integers(0, 400), st.sampled_from(["u16", "f32"])),
    st.builds("C{} bool".format, st.integers(0, 5000)),
    st.builds("DI{} bool".format, st.integers(0, 5000)),
)


@given(st.lists(ANY_TAG, min_size=1, max_size=40), st.integers(0, 40), st.integers(4, 125))
def test_every_tag_is_covered_once_and_whole_within_the_limits(places: list[str], gap: int, limit: int) -> None:
    own = tags(*places)
    blocks = plan(own, range(len(own)), gap, limit)
    assert sorted(index for block in blocks for index in block.tags) == list(range(len(own)))
    for block in blocks:
        scale = 16 if block.space.is_bits else 1
        assert block.count <= min(limit * scale, 2000)
        reached = block.start
        for index in block.tags:
            space, start = own[index].place
            assert space == block.space
            assert block.start <= start
            assert start + REGISTERS[own[index].datatype] <= block.end
            assert start - reached <= gap * scale
            reached = max(reached, start + REGISTERS[own[index].datatype])
        assert reached == block.end


@given(st.lists(ANY_TAG, min_size=2, max_size=40), st.integers(0, 40))
def test_halves_hold_the_same_tags_and_read_nothing_more(places: list[str], gap: int) -> None:
    own = tags(*places)
    for block in plan(own, range(len(own)), gap, 125):
        if len(block.tags) > 1:
            first, second = halves(own, block)
            assert first.tags + second.tags == block.tags
            assert min(first.start, second.start) == block.start
            assert max(first.end, second.end) == block.end


def test_neighbours_share_a_request_and_a_wide_gap_parts_them() -> None:
    own = tags("HR0 u64", "HR4 u16", "HR8 f32", "HR27 u16", "IR0 u16")
    assert [(b.space, b.start, b.count, b.tags) for b in plan(own, range(5), gap=16, max_registers=125)] == [
        (3, 0, 10, (0, 1, 2)),
        (3, 27, 1, (3,)),
        (4, 0, 1, (4,)),
    ]
    assert len(plan(own, range(4), gap=17, max_registers=125)) == 1


def test_the_block_with_the_clock_leads() -> None:
    own = tags("HR0 u16", "HR500 u64", "C0 bool")
    assert plan(own, range(3), 16, 125, first=1)[0].tags == (1,)


def test_only_wanted_tags_are_read() -> None:
    own = tags("HR0 u16", "HR1 u16", "HR2 u16")
    assert plan(own, [2, 0], 16, 125) == (Block(own[0].place[0], 0, 3, (0, 2)),)
