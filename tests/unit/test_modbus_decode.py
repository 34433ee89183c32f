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
from drivers.modbus.datatype import WordOrder
from drivers.modbus.decode import layout
from drivers.modbus.device import ModbusTag

FORMS = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "f32": "f"}


def values(
    payload: bytes, tags: Sequence[ModbusTag], order: WordOrder = "ABCD"
) -> tuple[list[float], list[int], dict[int, str]]:
    """The decoded columns of tags that all stand in one block."""
    (block,) = plan(tags, range(len(tags)), gap=16, max_registers=125)
    value, status, text = layout(tags, [block], order).values(payload)
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


ORDERS: tuple[WordOrder, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
WIDE = FORMS | {"i64": "q", "f64": "d"}


def laid_out(octets: bytes, order: WordOrder) -> bytes:
    """What a device of this order sends for a big-endian value: registers reversed, octets of each swapped, or both."""
    registers = [octets[n : n + 2] for n in range(0, len(octets), 2)]
    if len(registers) == 1:
        return octets
    if order in ("CDAB", "DCBA"):
        registers.reverse()
    return b"".join(pair[::-1] if order in ("BADC", "DCBA") else pair for pair in registers)


@given(st.sampled_from(sorted(WIDE)), st.sampled_from(ORDERS), st.data())
def test_every_type_in_every_order_comes_out_as_it_went_in(kind: str, order: WordOrder, data: st.DataObject) -> None:
    bits = 8 * struct.calcsize(">" + WIDE[kind])
    drawn: float
    if kind[0] == "f":
        drawn = data.draw(st.floats(width=32 if bits == 32 else 64, allow_nan=False, allow_infinity=False))
    else:
        drawn = data.draw(
            st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "i" else st.integers(0, 2**bits - 1)
        )
    payload = laid_out(struct.pack(">" + WIDE[kind], drawn), order)
    value, status, text = values(payload, [tag("HR0", kind, word_order=order)])
    assert status == [0]
    assert (int(text[0]) if text else value[0]) == drawn
    assert bool(text) == (isinstance(drawn, int) and abs(drawn) > 2**53)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("kind", "digits"), [("bcd16", "9071"), ("bcd32", "90712345")])
def test_a_binary_coded_decimal_reads_as_its_digits(kind: str, digits: str, order: WordOrder) -> None:
    payload = laid_out(bytes.fromhex(digits), order)
    assert values(payload, [tag("HR0", kind)], order)[:2] == ([int(digits)], [0])


def test_a_binary_coded_decimal_with_a_digit_above_nine_is_no_data() -> None:
    value, status, _ = values(bytes.fromhex("123a0042"), [tag("HR0", "bcd16"), tag("HR1", "bcd16")])
    assert np.isnan(value[0])
    assert (value[1], status) == (42, [BAD_NO_DATA, 0])


@given(st.integers(0, 0xFFFF))
def test_the_bits_of_a_register_are_counted_from_the_lowest(word: int) -> None:
    tags = [tag("HR0", "bool", bit=bit) for bit in range(16)] + [tag("HR0", "u16")]
    value, status, _ = values(struct.pack(">H", word), tags)
    assert value == [*(float(word >> bit & 1) for bit in range(16)), word]
    assert not any(status)


@given(st.text(st.characters(codec="gb18030", exclude_characters="\0"), max_size=12), st.sampled_from(ORDERS))
def test_a_text_comes_out_as_it_went_in(words: str, order: WordOrder) -> None:
    octets = words.encode("gb18030").ljust(50, b"\0")
    payload = b"".join(octets[n : n + 2][:: -1 if order in ("BADC", "DCBA") else 1] for n in range(0, 50, 2))
    value, status, text = values(payload, [tag("HR0", "text", length=50, encoding="gb18030")], order)
    assert np.isnan(value[0])
    assert (status, text) == ([0], {0: words.rstrip()})


def test_a_text_of_odd_length_leaves_the_last_octet_and_one_that_is_none_is_bad() -> None:
    assert values(b"lot7", [tag("HR0", "text", length=3)])[2] == {0: "lot"}
    assert values(b"\xff\xfe", [tag("HR0", "text", length=2)])[1] == [0x80070000]


@pytest.mark.parametrize(
    ("kind", "sentinel", "raw", "other"),
    [
        ("u16", 0xFFFF, "ffff", "fffe"),
        ("i16", 0x8000, "8000", "8001"),
        ("i16", -32768, "8000", "7fff"),
        ("f32", -9999.0, "c61c3c00", "3f800000"),
        ("f32", 0x7FC00000, "7fc00000", "3f800000"),
        ("u32", 0xFFFFFFFF, "ffffffff", "0000ffff"),
        ("u64", 0xFFFFFFFFFFFFFFFF, "ffffffffffffffff", "0000000000000001"),
        ("bcd16", 0x9999, "9999", "9998"),
    ],
)
def test_a_sentinel_is_no_data_and_its_neighbour_stays(kind: str, sentinel: float, raw: str, other: str) -> None:
    size = len(raw) // 4
    tags = [
        tag("HR0", kind, sentinels=[sentinel]),
        tag(f"HR{size}", kind, sentinels=[sentinel]),
        tag(f"HR{2 * size}", kind),
    ]
    value, status, text = values(bytes.fromhex(raw + other + (other if kind != "u64" else raw)), tags)
    assert np.isnan(value[0])
    assert status == [BAD_NO_DATA, 0, 0]
    assert 0 not in text


def test_blocks_put_together_are_read_in_one_go() -> None:
    tags = [tag("HR0", "u16"), tag("HR500", "f32"), tag("C9", "bool"), tag("C3", "bool"), tag("IR7", "i16")]
    blocks = plan(tags, range(5), gap=0, max_registers=125)
    held = {
        (3, 0): b"\x00\x07",
        (3, 500): struct.pack(">f", 2.5),
        (1, 3): b"\x01",
        (1, 9): b"\x01",
        (4, 7): b"\xff\xff",
    }
    payload = b"".join(held[block.space, block.start] for block in blocks)
    value, status, _ = layout(tags, blocks, "ABCD").values(payload)
    rows = [index for block in blocks for index in block.tags]
    assert dict(zip(rows, value.tolist(), strict=True)) == {0: 7, 1: 2.5, 2: 1, 3: 1, 4: -1}
    assert not status.any()
