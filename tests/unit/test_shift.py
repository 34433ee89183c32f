"""Calendars tile time and know the true length of every night."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import PlainDateTime

from agent.model import Window
from agent.shift import HOUR, Calendar, Shift, hour_window, planned, shift_window

ZONES = ("Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kolkata")
MINUTE = 60_000_000_000

moments = st.one_of(
    st.integers(1_700_000_000_000_000_000, 1_900_000_000_000_000_000),
    # Around both changes of 2026 in Berlin and Lord Howe.
    *(
        st.integers(at // MINUTE // 15 - 40, at // MINUTE // 15 + 40).map((15 * MINUTE).__mul__)
        for at in (1774746000_000000000, 1792890000_000000000, 1775314800_000000000, 1791041400_000000000)
    ),
)
walls = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30)))


def ns(text: str, zone: str) -> int:
    return PlainDateTime.parse_iso(text).assume_tz(zone).timestamp(unit="nanosecond")


@st.composite
def calendars(draw):
    """A day cut into shifts that tile it, each with a break."""
    cuts = sorted(draw(st.sets(walls, min_size=1, max_size=4)))
    return [
        Shift(f"s{n}", start, cuts[(n + 1) % len(cuts)], breaks=((start, start.replace(minute=start.minute + 10)),))
        for n, start in enumerate(cuts)
    ]


@given(zone=st.sampled_from(ZONES), moment=moments)
def test_hours_tile_time(zone, moment):
    window = hour_window(zone, moment)
    assert window.start <= moment < window.end
    assert window.end - window.start <= HOUR
    assert hour_window(zone, window.start) == window
    assert hour_window(zone, window.end - 1) == window
    assert hour_window(zone, window.end).start == window.end
    assert hour_window(zone, window.start - 1).end == window.start


@given(zone=st.sampled_from(ZONES), moment=moments, shifts=calendars())
def test_shifts_tile_time(zone, moment, shifts):
    window = shift_window(Calendar(shifts), zone, moment)
    assert window is not None
    assert window.start <= moment < window.end
    assert shift_window(Calendar(shifts), zone, window.start) == window
    assert shift_window(Calendar(shifts), zone, window.end - 1) == window
    following = shift_window(Calendar(shifts), zone, window.end)
    assert following is not None
    assert following.start == window.end


@given(zone=st.sampled_from(ZONES), moment=moments, shifts=calendars(), length=st.integers(1, 60 * 24 * 3))
def test_planned_time_is_disjoint_ordered_and_inside(zone, moment, shifts, length):
    window = Window("hour", "any", moment, moment + length * MINUTE)
    at = window.start
    for start, end in planned(Calendar(shifts), zone, window):
        assert at <= start < end <= window.end
        at = end


@given(zone=st.sampled_from(ZONES), moment=moments, shifts=calendars())
def test_planned_time_adds_up_over_neighbouring_windows(zone, moment, shifts):
    first = hour_window(zone, moment)
    second = hour_window(zone, first.end)
    both = Window("hour", "two", first.start, second.end)

    def total(window: Window) -> int:
        return sum(end - start for start, end in planned(Calendar(shifts), zone, window))

    assert total(first) + total(second) == total(both)


@pytest.mark.parametrize(
    ("evening", "hours"), [("2026-03-28T23:30", 7), ("2026-10-24T23:30", 9), ("2026-07-01T23:30", 8)]
)
def test_a_night_in_which_the_clocks_change_has_its_true_length(evening, hours):
    night = Shift("night", time(22), time(6))
    window = shift_window(Calendar([night]), "Europe/Berlin", ns(evening, "Europe/Berlin"))
    assert window is not None
    assert (window.label, window.kind) == ("night", "shift")
    assert window.end - window.start == hours * HOUR
    assert planned(Calendar([night]), "Europe/Berlin", window) == ((window.start, window.end),)


def test_a_break_the_clocks_skip_in_part_never_runs_backwards():
    night = Shift("night", time(22), time(6), breaks=((time(2, 15), time(3, 10)),))
    window = shift_window(Calendar([night]), "Europe/Berlin", ns("2026-03-28T23:30", "Europe/Berlin"))
    assert window is not None
    (a, b), (c, d) = planned(Calendar([night]), "Europe/Berlin", window)
    assert (b - a, c - b, d - c) == (4 * HOUR, 10 * MINUTE, 2 * HOUR + 50 * MINUTE)


def test_a_shift_past_midnight_belongs_to_the_day_it_starts_on():
    friday_night = Shift("night", time(22), time(6), days=frozenset({4}))
    saturday = shift_window(Calendar([friday_night]), "Asia/Shanghai", ns("2026-11-21T05:59", "Asia/Shanghai"))
    assert saturday is not None
    assert saturday.start == ns("2026-11-20T22:00", "Asia/Shanghai")
    assert shift_window(Calendar([friday_night]), "Asia/Shanghai", ns("2026-11-20T05:59", "Asia/Shanghai")) is None
    assert shift_window(Calendar([friday_night]), "Asia/Shanghai", ns("2026-11-21T06:00", "Asia/Shanghai")) is None


def test_breaks_behind_midnight_are_cut_out():
    night = Shift("night", time(20), time(8), breaks=((time(23, 30), time(0, 30)), (time(4), time(4, 15))))
    window = shift_window(Calendar([night]), "Asia/Shanghai", ns("2026-11-21T02:00", "Asia/Shanghai"))
    assert window is not None
    spans = planned(Calendar([night]), "Asia/Shanghai", window)
    assert [(end - start) // MINUTE for start, end in spans] == [210, 210, 225]


def test_nothing_is_planned_without_a_shift():
    window = hour_window("Asia/Shanghai", 1_790_000_000_000_000_000)
    assert planned(Calendar([]), "Asia/Shanghai", window) == ()
    assert shift_window(Calendar([]), "Asia/Shanghai", window.start) is None


def test_a_shift_of_equal_ends_is_a_whole_day():
    window = shift_window(Calendar([Shift("all", time(6), time(6))]), "Asia/Shanghai", 1_790_000_000_000_000_000)
    assert window is not None
    assert window.end - window.start == 24 * HOUR


def test_an_hour_the_clocks_repeat_is_two_windows_of_one_label():
    first = hour_window("Europe/Berlin", 1792890000_000000000 - 30 * MINUTE)
    second = hour_window("Europe/Berlin", 1792890000_000000000 + 30 * MINUTE)
    assert first.label == second.label == "02:00"
    assert first.end == second.start == 1792890000_000000000


DAY, NIGHT = Shift("day", time(8), time(20)), Shift("night", time(20), time(8))
HOLIDAY = {date(2026, 10, 1): ()}


def test_no_shift_starts_on_a_holiday_and_the_night_before_it_runs_to_its_end():
    assert shift_window(Calendar([DAY, NIGHT], HOLIDAY), "Asia/Shanghai", ns("2026-10-01T07:59", "Asia/Shanghai")) == (
        shift_window(Calendar([DAY, NIGHT]), "Asia/Shanghai", ns("2026-09-30T20:00", "Asia/Shanghai"))
    )
    for moment in ("2026-10-01T08:00", "2026-10-01T20:00", "2026-10-02T07:59"):
        assert shift_window(Calendar([DAY, NIGHT], HOLIDAY), "Asia/Shanghai", ns(moment, "Asia/Shanghai")) is None
    assert (
        shift_window(Calendar([DAY, NIGHT], HOLIDAY), "Asia/Shanghai", ns("2026-10-02T08:00", "Asia/Shanghai"))
        is not None
    )


def test_a_changed_plan_takes_the_place_of_the_day_s_shifts_whatever_their_weekdays():
    sunday = {date(2026, 10, 11): (Shift("extra", time(9), time(12), days=frozenset({0})),)}
    weekdays = [Shift("day", time(8), time(20), days=frozenset(range(6)))]
    window = shift_window(Calendar(weekdays, sunday), "Asia/Shanghai", ns("2026-10-11T10:00", "Asia/Shanghai"))
    assert window is not None
    assert (window.label, window.end - window.start) == ("extra", 3 * HOUR)
    week = Window("week", "w", ns("2026-10-05T00:00", "Asia/Shanghai"), ns("2026-10-12T00:00", "Asia/Shanghai"))
    spans = planned(Calendar(weekdays, sunday), "Asia/Shanghai", week)
    assert [(end - start) // HOUR for start, end in spans] == [12] * 6 + [3]


@given(zone=st.sampled_from(ZONES), moment=moments, shifts=calendars())
def test_a_plan_that_changes_to_itself_changes_nothing(zone, moment, shifts):
    window = hour_window(zone, moment)
    days = {date.fromordinal(n): shifts for n in range(719000, 719000 + 40_000) if n % 3 == 0}
    assert planned(Calendar(shifts, days), zone, window) == planned(Calendar(shifts), zone, window)
    assert shift_window(Calendar(shifts, days), zone, moment) == shift_window(Calendar(shifts), zone, moment)
