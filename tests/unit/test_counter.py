"""Raw PLC totals become parts: nothing lost, nothing twice, never negative."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.counter import NOTHING, CounterState, most, step
from agent.model import SECOND

MODULUS = 2**16
RATE = 0.1


def at(seconds: float) -> int:
    return int(seconds * SECOND)


def test_the_first_reading_is_a_baseline_and_counts_nothing():
    state, count = step(None, 412, MODULUS, at(0), RATE)
    assert (count.delta, count.note) == (0, "baseline")
    assert state == CounterState(412, 0, 0, at(0))


def test_a_wrapping_register_counts_on():
    state, count = step(CounterState(65535, 7, 0, at(0)), 1, MODULUS, at(20), RATE)
    assert (count.delta, count.note, state.total, state.epoch) == (2, "wrap", 9, 0)


def test_parts_of_a_reply_that_was_long_on_its_way_are_counted():
    late = CounterState(82, 82, 0, at(10.0))  # its reply was held up for 1 s, the next one came at once
    assert step(late, 94, MODULUS, at(10.002), 6.0)[1].note == "suspect"
    state, count = step(late, 94, MODULUS, at(10.002), 6.0, None, SECOND * 2)
    assert (count.delta, count.note, state.total, state.epoch) == (12, None, 94, 0)


def test_a_reset_starts_an_epoch_and_says_what_may_be_missing():
    state, count = step(CounterState(412, 100, 0, at(0)), 3, MODULUS, at(60), RATE)
    assert (count.delta, count.note) == (3, "reset")
    assert (count.low, count.high) == (0, most(at(60), RATE) - 3)
    assert (state.epoch, state.total, state.before, state.counted) == (1, 3, 100, 103)


def test_parts_made_while_the_agent_was_down_arrive_as_a_restart():
    state, count = step(CounterState(10, 5, 0, at(0)), 40, MODULUS, at(600), RATE, "restart")
    assert (count.delta, count.note, count.high, state.total) == (30, "restart", 0, 35)


def test_a_down_time_longer_than_the_register_turns_is_bounded_in_whole_turns():
    _, count = step(CounterState(10, 5, 0, at(0)), 40, 256, at(6000), RATE, "restart")
    assert (count.delta, count.low, count.high) == (30, 0, 3 * 256)


def test_an_impossible_jump_is_suspect_once_and_a_glitch_leaves_no_trace():
    state, count = step(CounterState(100, 50, 0, at(0)), 5100, MODULUS, at(10), RATE)
    assert (count.delta, count.note) == (0, "suspect")
    state, count = step(state, 5100, MODULUS, at(12), RATE)
    assert (count.delta, count.note) == (0, None)
    state, count = step(state, 101, MODULUS, at(14), RATE)
    assert (count.delta, count.note) == (1, None)
    assert state == CounterState(101, 51, 0, at(14))


def test_a_jump_confirmed_by_progress_starts_an_epoch():
    state, _ = step(CounterState(100, 50, 0, at(0)), 5100, MODULUS, at(10), RATE)
    state, count = step(state, 5101, MODULUS, at(26), RATE)
    assert (count.delta, count.note, count.high) == (1, "reset", most(at(10), RATE))
    assert (state.raw, state.epoch, state.total, state.counted) == (5101, 1, 1, 51)


def test_a_late_value_changes_nothing():
    before = CounterState(100, 50, 0, at(10))
    assert step(before, 99, MODULUS, at(9), RATE) == (before, NOTHING)


@given(
    st.integers(0, MODULUS - 1),
    st.lists(st.tuples(st.integers(0, MODULUS - 1), st.integers(-5, 4000)), max_size=40),
    st.sampled_from([256, MODULUS, 2**32]),
)
def test_deltas_add_up_to_the_total_of_their_epoch_whatever_comes(first, readings, modulus):
    state, _ = step(None, first % modulus, modulus, 0, RATE)
    sums, everything, now = {0: 0}, 0, 0
    for raw, elapsed in readings:
        now += at(elapsed)
        state, count = step(state, raw % modulus, modulus, now, RATE)
        assert count.delta >= 0
        assert 0 <= count.low <= count.high
        sums[state.epoch] = sums.get(state.epoch, 0) + count.delta
        everything += count.delta
        assert state.total == sums[state.epoch]
        assert state.counted == everything


@given(st.integers(0, MODULUS - 1), st.lists(st.integers(0, 3), max_size=200), st.integers(1, 5))
def test_a_plausible_machine_is_counted_to_the_part_through_wraps_and_duplicates(first, made, repeats):
    state, _ = step(None, first, 256, 0, 1.0) if first < 256 else step(None, first % 256, 256, 0, 1.0)
    true, now = state.raw, 0
    for parts in made:
        true, now = true + parts, now + at(2)
        for _ in range(repeats):
            state, _ = step(state, true % 256, 256, now, 1.0)
    assert (state.total, state.epoch) == (sum(made), 0)


@given(
    old=st.integers(0, 2000),
    before=st.integers(0, 60),
    since=st.integers(0, 60),
    idle=st.integers(0, 3600),
    down=st.integers(1, 3600),
    keeps=st.booleans(),
)
def test_a_device_that_started_meanwhile_is_never_counted_twice_and_the_bounds_hold_what_it_may_have_lost(
    old, before, since, idle, down, keeps
):
    boot = before / RATE + idle + down
    now = boot + since / RATE + idle
    raw = old + before + since if keeps else since
    state = CounterState(old, 7, 0, at(0))
    after, count = step(state, raw, MODULUS, at(now), RATE, "late", boot=at(boot))
    made = before + since
    assert count.delta <= made <= count.delta + count.high
    assert count.low == 0
    assert after.counted - state.counted == count.delta
    assert after.total == (count.delta if after.epoch else 7 + count.delta)


def test_a_plc_that_passed_its_old_count_after_a_boot_says_what_it_may_have_missed():
    state, count = step(CounterState(5, 5, 0, at(0)), 9, MODULUS, at(600), RATE, "late", boot=at(300))
    assert (count.delta, count.note, count.low, count.high) == (4, "reset", 0, 5 + most(at(300), RATE))
    assert (state.epoch, state.total) == (0, 9)


def test_a_total_that_cannot_have_been_made_since_the_boot_was_kept_by_the_plc():
    _, count = step(CounterState(412, 5, 0, at(0)), 415, MODULUS, at(600), RATE, "late", boot=at(300))
    assert (count.delta, count.high) == (3, 0)


def test_after_a_boot_a_small_register_that_shows_less_was_reset_and_did_not_turn():
    state, count = step(CounterState(250, 5, 0, at(0)), 3, 256, at(600), RATE, "late", boot=at(300))
    assert (count.delta, count.note, state.epoch) == (3, "reset", 1)
    assert step(CounterState(250, 5, 0, at(0)), 3, 256, at(600), RATE, "late")[1].delta == 9


def test_a_boot_before_the_last_reading_changes_nothing():
    state = CounterState(5, 5, 0, at(100))
    assert step(state, 9, MODULUS, at(600), RATE, boot=at(50)) == step(state, 9, MODULUS, at(600), RATE)
