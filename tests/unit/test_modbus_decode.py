"""Payloads to columns: every datatype in every word order."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import BAD_NO_DATA
from drivers.modbus.blocks import plan
from drivers.modbus.decode import layout
from drivers.modbus.device import ModbusTag, WordOrder

FORMS = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "f32": "f"}


def values(
    payload: bytes, tags: Sequence[ModbusTag], order: WordOrder = "ABCD"
) -> tuple[list[float], list[int], dict[int, str]]:
    """The decoded columns of tags that all stand in one block."""
    (block,) = plan(tags, range(len(tags)), gap=16, max_registers=125)
    value, status, text = layout(tags, block, order).values(payload)
    assert block.tags == tuple(range(len(tags)))
    return value.tolist(), status.tolist(), text


def tag(address: str, datatype: str, **more: Any) -> ModbusTag:
    return ModbusTag.model_validate({"name": "t", "address": address, "datatype": datatype} | more)


@pytest.mark.parametrize(
    ("order", "payload"), [("ABCD", "3f800000"), ("CDAB", "00003f80"), ("BADC", "803f0000"), ("DCBA", "0000803f")]
)
def test_one_as_a_float_is_found_in_all_four_word_orders(order: WordOrder, payload: str) -> None:
    assert values(bytes.fromhex(payload), [tag("HR0", "f32")], order)[0] == [1.0]


@pytest.mark.parametrize(
    ("order", "payload"),
    [
        ("ABCD", "0102030405060708"),
        ("CDAB", "0708050603040102"),
        ("BADC", "0201040306050807"),
        ("DCBA", "0807060504030201"),
    ],
)
def test_a_u64_follows_the_same_letters_and_keeps_all_its_digits(order: WordOrder, payload: str) -> None:
    value, status, text = values(bytes.fromhex(payload), [tag("HR0", "u64")], order)
    assert np.isnan(value[0])
    assert (status, text) == ([0], {0: str(0x0102030405060708)})


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_a_single_register_is_never_swapped(order: WordOrder) -> None:
    assert values(b"\x01\x02\xff\xfe", [tag("HR0", "u16"), tag("HR1", "i16")], order)[0] == [258, -2]


@given(st.lists(st.sampled_from(sorted(FORMS)), min_size=1, max_size=20), st.data())
def test_any_mix_of_types_in_a_row_comes_out_as_it_went_in(types: list[str], data: st.DataObject) -> None:
    ranges = {"u16": (0, 2**16 - 1), "i16": (-(2**15), 2**15 - 1), "u32": (0, 2**32 - 1), "i32": (-(2**31), 2**31 - 1)}
    tags, payload, expected = [], b"", []
    for kind in types:
        drawn = (
            data.draw(st.floats(width=32, allow_nan=False, allow_infinity=False))
            if kind == "f32"
            else data.draw(st.integers(*ranges.get(kind, (0, 2**53))))
        )
        tags.append(tag(f"IR{len(payload) // 2}", kind))
        payload += struct.pack(">" + FORMS[kind], drawn)
        expected.append(drawn)
    assert values(payload, tags) == (expected, [0] * len(types), {})


def test_a_float_that_is_no_number_is_no_data() -> None:
    value, status, _ = values(bytes.fromhex("7fc000007f8000003f800000"), [tag(f"HR{n}", "f32") for n in (0, 2, 4)])
    assert np.isnan(value[:2]).all()
    assert status == [BAD_NO_DATA, BAD_NO_DATA, 0]


def test_scale_and_offset_are_applied() -> None:
    assert values(b"\x00\x0a", [tag("HR0", "u16", scale=0.1, offset=-40)])[0] == [-39]


def test_bits_are_read_from_the_lowest_of_each_octet() -> None:
    tags = [tag(f"C{n}", "bool") for n in (0, 1, 8, 9)]
    assert values(b"\x02\x01", tags)[0] == [0, 1, 1, 0]
