"""Registers in all word orders: the order by which a value was laid out shows it."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.glance import ORDERS, words


def laid_out(value: float, order: str) -> bytes:
    """A float in the registers of a device of that order; A is the most significant octet."""
    octets = dict(zip("ABCD", struct.pack(">f", value), strict=True))
    return bytes(octets[letter] for letter in order)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(ORDERS))
def test_the_order_of_the_device_shows_the_value(value: float, order: str) -> None:
    first, second = words(laid_out(value, order), 100)
    shown: dict[str, str] = {pair.order: pair.f32 for pair in first.pairs}
    assert shown[order] == f"{value:.7g}"
    assert (first.offset, second.offset, second.pairs) == (100, 101, ())


@given(st.binary(max_size=64))
def test_any_octets_are_numbers(octets: bytes) -> None:
    found = words(octets, 0)
    assert [one.u16 for one in found] == [octets[k] << 8 | octets[k + 1] for k in range(0, len(octets) - 1, 2)]
    assert all((one.i16 - one.u16) % 65536 == 0 for one in found)
    assert all(len(one.pairs) == (4 if place < len(found) - 1 else 0) for place, one in enumerate(found))


def test_a_float_that_is_none_is_a_word() -> None:
    assert words(b"\x7f\xc0\x00\x00", 0)[0].pairs[0].f32 == "NaN"
    assert words(b"\xff\x80\x00\x00", 0)[0].pairs[0].f32 == "-inf"
