"""A torn value is told from a whole one by reading again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.device import ModbusTag
from drivers.modbus.guard import agree, guarded


def tag(datatype: str, **more: object) -> ModbusTag:
    return ModbusTag.model_validate({"name": "t", "address": "HR0", "datatype": datatype} | more)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5000))
def test_a_counter_torn_once_is_never_taken_beside_a_whole_reading(before: int, made: int) -> None:
    """One of two reads in a row is torn between `before` and `after`; the other is whole, from either side."""
    after = (before + made) % 2**32
    torn = {(before & 0xFFFF0000) | (after & 0xFFFF), (after & 0xFFFF0000) | (before & 0xFFFF)} - {before, after}
    own = tag("u32")
    for half in torn:
        assert not agree(own, (float(half), 0, None), (float(after), 0, None))
        assert not agree(own, (float(before), 0, None), (float(half), 0, None))


@pytest.mark.parametrize(
    ("datatype", "before", "now", "whole"),
    [
        ("u32", 5.0, 5.0, True),
        ("u32", 5.0, 9.0, True),
        ("u32", 9.0, 5.0, False),
        ("u32", 65535.0, 65536.0, False),
        ("i32", 5.0, 9.0, False),
        ("f32", 1.5, 1.5, True),
        ("f32", 1.5, 1.6, False),
        ("f64", math.nan, math.nan, True),
    ],
)
def test_equal_reads_agree_and_a_counter_may_go_on_within_its_lowest_register(
    datatype: str, before: float, now: float, whole: bool
) -> None:
    assert agree(tag(datatype), (before, 0, None), (now, 0, None)) is whole


def test_another_status_or_text_does_not_agree() -> None:
    own = tag("u64")
    assert not agree(own, (math.nan, 0, "9007199254740993"), (math.nan, 0, "9007199254740994"))
    assert not agree(own, (1.0, 0, None), (math.nan, 0x809B0000, None))


def test_a_tag_follows_its_device_unless_it_says_otherwise_and_a_single_register_cannot_be_torn() -> None:
    tags = [tag("u32"), tag("u32", guard="none"), tag("u16"), tag("f32", guard="double_read")]
    assert guarded(tags, "double_read") == {0, 3}
    assert guarded(tags, "none") == {3}
