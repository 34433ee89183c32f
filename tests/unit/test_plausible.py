"""What one reading tells of a tag: bad with a remedy, doubtful with the reason, or good."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from agent.commands.plausible import Grade, judge
from agent.linefile import load
from agent.model import UNCERTAIN

LINE = load(Path(__file__).parents[2] / "firmware_configs" / "lines" / "cooker3.toml")
NOW = 1_795_305_600_000_000_000
CLOCK_MS = NOW / 1e6


def seen(place, value, status=0, text=None):
    device_name, _, tag_name = place.partition(".")
    device = next(device for device in LINE.devices if device.name == device_name)
    tag = next(tag for tag in device.tags if tag.name == tag_name)
    return judge(LINE, device, tag, (float(value), status, text), NOW)


@pytest.mark.parametrize(
    ("place", "value", "grade", "remark"),
    [
        ("press1.light", 4, Grade.GOOD, ""),
        ("press1.light", 5, Grade.DOUBTFUL, "machine press1 knows no lamp 5: it would be UNKNOWN; list it in state"),
        ("press1.good", 65535, Grade.GOOD, ""),
        ("press1.good", -1, Grade.BAD, "no whole number from 0 on"),
        ("press1.good", 1.5, Grade.BAD, "no whole number from 0 on"),
        ("press1.clock", CLOCK_MS, Grade.GOOD, "2026-11-22T00:00:00+00:00"),
        ("press1.clock", CLOCK_MS - 3_600_000, Grade.DOUBTFUL, "3600 s behind this gateway's clock"),
        ("press1.clock", CLOCK_MS + 120_000, Grade.DOUBTFUL, "120 s ahead of this gateway's clock"),
        ("press1.clock", 0, Grade.BAD, "no date of this century"),
        ("press1.clock", 1.8e19, Grade.BAD, "no date of this century"),
        ("press1.clock", math.nan, Grade.BAD, "no date of this century"),
        ("press1.cycle", 16.2, Grade.GOOD, ""),
        ("press1.cycle", 0.0, Grade.GOOD, ""),
        ("press1.cycle", -2.3e-41, Grade.DOUBTFUL, "try another word_order"),
        ("press1.cycle", math.nan, Grade.DOUBTFUL, "no number; check datatype and word order"),
        ("cell1.diecast1_light", 99, Grade.DOUBTFUL, "machine diecast1 knows no lamp 99"),
    ],
)
def test_a_value_is_believed_or_not(place, value, grade, remark):
    told = seen(place, value)
    assert told.grade is grade
    assert remark in told.remark
    assert bool(told.remark) == bool(remark)


def test_quality_goes_before_value_and_brings_a_remedy():
    absent = seen("press1.good", math.nan, 0x8034_0000)
    assert (absent.grade, absent.value) == (Grade.BAD, "-")
    assert "BadNodeIdUnknown 0x80340000: the device has nothing at this address" in absent.remark
    assert seen("press1.good", math.nan, 0x8123_0000).grade is Grade.BAD
    assert seen("press1.cycle", 16.0, UNCERTAIN).grade is Grade.DOUBTFUL
    assert "uncertain (0x40000000)" in seen("press1.cycle", 16.0, UNCERTAIN).remark


def test_a_value_carries_its_unit():
    assert seen("meter1.power", 31_000.5).value == "31000.5 W"
