"""What a soak calls growth."""

import random

import pytest

from tests.soak.growth import Reading, rows, settled


def run(hours, mb_per_hour=0.0, fds_per_hour=0.0, start_mb=100.0):
    chance = random.Random(1)
    every = hours * 3600 / 500
    return [
        Reading(
            n * every,
            start_mb + mb_per_hour * n * every / 3600 + chance.uniform(-0.5, 0.5),
            round(40 + fds_per_hour * n * every / 3600),
        )
        for n in range(500)
    ]


def test_eight_hours_that_stand_still_hold():
    assert [row.holds for row in rows(run(8))] == [True, True]


def test_two_megabytes_an_hour_and_a_file_an_hour_are_growth():
    assert [row.holds for row in rows(run(8, mb_per_hour=2.0, fds_per_hour=1.5))] == [False, False]


def test_the_slope_is_that_of_the_readings():
    assert rows(run(8, mb_per_hour=2.0))[0].value == pytest.approx(2.0, abs=0.1)


def test_what_grows_before_it_is_warm_is_no_growth():
    warm = run(8)
    cold = [Reading(one.time, 50.0, 10) for one in warm if one.time < 3000]
    assert all(row.holds for row in rows(cold + warm[len(cold) :]))


def test_five_minutes_that_leak_a_file_a_second_are_growth():
    assert not rows(run(1 / 12, fds_per_hour=3600))[1].holds


def test_a_run_of_seconds_tells_no_slope():
    with pytest.raises(ValueError, match="too short"):
        settled([Reading(0.0, 1.0, 1)])
