"""How fast a disk fills and what the kernel says of its clock, apart from any disk and any clock."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.health.growth import HOUR, LEAST_S, growth, hours_left
from agent.health.timekeeping import Timekeeping, read, timekeeping

FREE = 8 << 30


@given(st.integers(-(1 << 30), 1 << 30), st.integers(21, 120), st.floats(0, 1e6))
def test_the_growth_is_the_one_there_is_whenever_one_looks(per_hour: int, looks: int, start: float) -> None:
    seen = [(start + 30.0 * k, FREE - round(per_hour * 30.0 * k / HOUR)) for k in range(looks)]
    found = growth(seen)
    assert found is not None
    assert abs(found - per_hour) < 200  # whole bytes


@given(st.integers(1 << 20, 1 << 30), st.integers(2, 9))
def test_a_log_that_swells_and_shrinks_hides_no_growth(per_hour: int, period: int) -> None:
    swell = 4 << 20
    seen = [(30.0 * k, FREE - round(per_hour * 30.0 * k / HOUR) - swell * (k % period) // period) for k in range(120)]
    found = growth(seen)
    assert found is not None
    assert abs(found - per_hour) < 4 << 20


def test_nothing_is_said_before_ten_minutes_were_looked_at() -> None:
    assert growth([]) is None
    assert growth([(0.0, FREE), (LEAST_S, FREE)]) is None
    assert growth([(30.0 * k, FREE) for k in range(20)]) is None
    assert growth([(30.0 * k, FREE) for k in range(21)]) == 0.0


@pytest.mark.parametrize(("per_hour", "hours"), [(None, None), (0.0, None), (-5.0, None), (FREE / 24, 24.0)])
def test_hours_are_left_only_where_it_fills(per_hour: float | None, hours: float | None) -> None:
    assert hours_left(FREE, per_hour) == hours


def test_the_kernel_s_words_about_its_clock() -> None:
    assert read(0x40, 5, 16_000_000) == Timekeeping(synchronised=False)
    told = read(0x2001, -250_000, 12_000)
    assert (told.synchronised, told.offset_s, told.error_s) == (True, -0.00025, 0.012)
    assert math.isclose(read(0x0001, 300, 12_000).offset_s or 0, 0.0003)
    assert timekeeping().synchronised in (True, False, None)
