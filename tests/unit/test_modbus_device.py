"""Addresses as plants write them, and device tables that say what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.modbus.address import Base, Space, parse
from drivers.modbus.device import ModbusDevice
from drivers.modbus.identity import origin

GOOD = {"name": "good", "address": "HR4", "datatype": "u16"}
BASES: tuple[Base, Base] = (0, 1)
CLOCK = {"name": "clock", "address": "HR0", "datatype": "u64"}


def device(*tags: dict[str, Any], **more: Any) -> ModbusDevice:
    return ModbusDevice.model_validate({"name": "m", "driver": "modbus", "host": "plc", "tag": tags} | more)


@pytest.mark.parametrize(
    ("text", "space", "offset"),
    [
        ("HR0", Space.HOLDING_REGISTER, 0),
        ("IR52", Space.INPUT_REGISTER, 52),
        ("C0", Space.COIL, 0),
        ("DI65535", Space.DISCRETE_INPUT, 65535),
        ("40001", Space.HOLDING_REGISTER, 0),
        ("400001", Space.HOLDING_REGISTER, 0),
        ("4x0001", Space.HOLDING_REGISTER, 0),
        ("465536", Space.HOLDING_REGISTER, 65535),
        ("30053", Space.INPUT_REGISTER, 52),
        ("10001", Space.DISCRETE_INPUT, 0),
        ("00001", Space.COIL, 0),
    ],
)
def test_an_address_is_read_as_plants_write_it(text: str, space: Space, offset: int) -> None:
    assert parse(text) == (space, offset)


@pytest.mark.parametrize(
    "text", ["", "HR", "hr0", "HR65536", "40000", "4x0", "465537", "20001", "HR-1", "%MX0", "HR0.5", "0x10000g"]
)
def test_what_is_no_address_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="write 'HR0'"):
        parse(text)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (GOOD | {"datatype": "bool"}, "HR4 takes datatype a number type"),
        (GOOD | {"address": "C4"}, "C4 takes datatype 'bool'"),
        (GOOD | {"address": "HR65535", "datatype": "u32"}, "runs past the end"),
        (GOOD | {"every": "1ms"}, "write a time from '10ms'"),
        (GOOD | {"every": 5}, "with its unit"),
        ({"name": "b", "address": "C0", "datatype": "bool", "scale": 2.0}, "no scale"),
        (GOOD | {"bit": 3}, "a bit is a 'bool'"),
        (GOOD | {"datatype": "bool", "bit": 16}, "less than or equal to 15"),
        (GOOD | {"datatype": "text"}, "needs its length"),
        (GOOD | {"length": 4}, "nothing else has one"),
        (GOOD | {"sentinels": [65536]}, "raw bits"),
        (GOOD | {"sentinels": [1.5]}, "raw bits"),
        (GOOD | {"datatype": "f32", "sentinels": [-9999]}, "-9999.0"),
        (GOOD | {"datatype": "text", "length": 20, "max": 1}, "max"),
    ],
)
def test_a_tag_that_cannot_be_is_refused_in_plain_words(tag: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        device(tag)


@pytest.mark.parametrize(
    ("text", "base", "bits", "place"),
    [
        ("%MW100", None, False, (Space.HOLDING_REGISTER, 100)),
        ("%M7", None, True, (Space.COIL, 7)),
        ("IR0x10", None, False, (Space.INPUT_REGISTER, 16)),
        ("4x12", None, False, (Space.HOLDING_REGISTER, 11)),
        ("0x1000", 0, False, (Space.HOLDING_REGISTER, 0x1000)),
        ("0x1000", 1, False, (Space.HOLDING_REGISTER, 0x0FFF)),
        ("0xFFFF", 0, True, (Space.COIL, 0xFFFF)),
        ("0x10000", 1, False, (Space.HOLDING_REGISTER, 0xFFFF)),
        ("100", 0, False, (Space.HOLDING_REGISTER, 100)),
        ("100", 1, True, (Space.COIL, 99)),
        ("40001", 0, False, (Space.HOLDING_REGISTER, 0)),
        ("HR5", 1, False, (Space.HOLDING_REGISTER, 5)),
    ],
)
def test_a_form_that_says_its_base_keeps_it_and_the_others_take_the_devices(
    text: str, base: Base | None, bits: bool, place: tuple[Space, int]
) -> None:
    assert parse(text, base, bits=bits) == place


@pytest.mark.parametrize("text", ["100", "0x1000", "0", "0x0001"])
def test_an_address_without_a_base_is_never_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="address_base = 0 or address_base = 1"):
        parse(text)
    with pytest.raises(ValidationError, match="address_base = 0 or address_base = 1"):
        device(GOOD | {"address": text})


@given(st.integers(0, 0xFFFF))
def test_all_forms_of_a_register_are_one_place(offset: int) -> None:
    forms = [f"HR{offset}", f"%MW{offset}", f"HR{offset:#x}", f"4x{offset + 1:04}", f"4{offset + 1:05}"]
    forms += [f"4{offset + 1:04}"] if offset < 9999 else []
    assert {parse(form) for form in forms} == {(Space.HOLDING_REGISTER, offset)}
    assert {parse(f"{offset + base:#x}", base) for base in BASES} == {(Space.HOLDING_REGISTER, offset)}


def test_the_devices_base_is_for_tags_that_have_none_of_their_own() -> None:
    own = device(GOOD | {"address": "100"}, GOOD | {"name": "b", "address": "100", "address_base": 0}, address_base=1)
    assert [tag.place[1] for tag in own.tag] == [99, 100]


def test_a_number_may_stand_for_an_address() -> None:
    assert device(GOOD | {"address": 40005}).tag[0].place == (Space.HOLDING_REGISTER, 4)


@pytest.mark.parametrize(
    ("clock", "tags", "words"),
    [
        ("time", [CLOCK], "no tag 'time' in this device"),
        ("good", [CLOCK, GOOD], "must be ms since 1970 UTC in a 'u64'"),
        ("clock", [CLOCK | {"scale": 1000.0}], "without scale or offset"),
    ],
)
def test_a_clock_must_be_a_tag_that_can_be_one(clock: str, tags: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        device(*tags, clock=clock)


def test_a_counter_wraps_at_its_width_and_only_a_plain_unsigned_one_is_a_counter() -> None:
    own = device(GOOD, CLOCK, GOOD | {"name": "scaled", "scale": 10.0}, GOOD | {"name": "signed", "datatype": "i16"})
    assert [own.modulus(name) for name in ("good", "clock", "scaled", "signed")] == [2**16, 2**64, None, None]


def test_a_binary_coded_counter_wraps_in_decimal() -> None:
    own = device(GOOD | {"datatype": "bcd16"}, GOOD | {"name": "wide", "datatype": "bcd32"})
    assert [own.modulus("good"), own.modulus("wide")] == [10_000, 100_000_000]


def test_a_text_longer_than_a_request_is_refused() -> None:
    with pytest.raises(ValidationError, match="takes 10 registers and a request 8"):
        device({"name": "lot", "address": "HR0", "datatype": "text", "length": 20}, max_registers=8)


def test_only_our_simulators_are_simulated_whatever_others_say() -> None:
    assert origin({0: "tanchang simulators", 1: "cooker3", 6: "speed=60"}).simulated
    assert origin({0: "tanchang simulators", 6: "speed=0.5"}).speed == 0.5
    real = origin({0: "Schneider Electric", 1: "M221", 6: "speed=60"})
    assert (real.simulated, real.speed) == (False, 1.0)


def test_one_wrong_tag_is_one_mistake_and_no_tag_is_one_too() -> None:
    for tags in ([GOOD | {"every": "soon"}], []):
        with pytest.raises(ValidationError) as caught:
            device(*tags)
        assert caught.value.error_count() == 1
