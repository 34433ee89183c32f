"""Addresses as plants write them, and device tables that say what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus.address import Space, parse
from drivers.modbus.device import ModbusDevice
from drivers.modbus.identity import origin

GOOD = {"name": "good", "address": "HR4", "datatype": "u16"}
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
    "text", ["", "HR", "hr0", "HR65536", "40000", "4x0", "465537", "20001", "HR-1", "%MW0", "HR0.5"]
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
    ],
)
def test_a_tag_that_cannot_be_is_refused_in_plain_words(tag: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        device(tag)


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
