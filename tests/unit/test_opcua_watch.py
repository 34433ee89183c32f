"""A silent item is looked at; only one that differs and stays silent is dead."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.columns import Rows
from drivers.opcua.kept import Told
from drivers.opcua.watch import Watch

YES, NO = np.array([True]), np.array([False])


def handles(*numbers):
    return np.array(numbers, np.uint32)


def test_an_item_that_differs_and_stays_silent_is_dead_once():
    watch = Watch([10.0, 50.0], [2.0, 2.0], 0.0)
    assert watch.due(9.9, 9).tolist() == []
    assert watch.due(10.0, 9).tolist() == [0]
    watch.looked(handles(0), YES, 10.0)
    assert watch.dead(11.9) == ()
    assert watch.dead(12.0) == (0,)
    assert watch.dead(99.0) == ()


def test_what_tells_in_time_or_has_nothing_to_tell_is_alive():
    watch = Watch([10.0, 10.0], [2.0, 2.0], 0.0)
    watch.looked(handles(0), YES, 10.0)
    watch.looked(handles(1), NO, 10.0)
    watch.heard(handles(0), 11.0)
    assert watch.dead(99.0) == ()


def test_an_item_that_the_server_samples_slowly_has_more_time():
    watch = Watch([10.0], [2.0], 0.0)
    watch.slower({0: 5.0})
    watch.looked(handles(0), YES, 10.0)
    assert watch.dead(19.9) == ()
    assert watch.dead(20.0) == (0,)


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=8), st.integers(1, 3), st.data())
def test_every_silent_item_is_looked_at_within_two_of_its_times_however_few_at_once(within, most, data):
    watch, last, now = Watch(within, [1.0] * len(within), 0.0), [0.0] * len(within), 0.0
    step = min(within) / (2 * len(within))
    for _ in range(200):
        now += step
        found = watch.due(now, most)
        assert len(found) <= most
        for handle in found.tolist():
            last[handle] = now
        watch.looked(found, np.zeros(len(found), np.bool_), now)
        assert all(now - at <= 2 * span + 2 * step for at, span in zip(last, within, strict=True))


def test_what_differs_is_value_text_or_quality():
    told = Told(4)
    columns = np.array([1.0, np.nan, 2.0, np.nan]), np.arange(4, dtype=np.int64), np.zeros(4, np.uint32)
    told.note(Rows(handles(0, 1, 2, 3), *columns, {1: "a"}))
    again = np.array([1.0, np.nan, 2.0, np.nan]), np.arange(4, dtype=np.int64), np.zeros(4, np.uint32)
    assert told.differs(Rows(handles(0, 1, 2, 3), *again, {1: "a"})).tolist() == [False] * 4
    again[0][0] = 5.0
    again[2][2] = 0x80340000
    assert told.differs(Rows(handles(0, 1, 2, 3), *again, {1: "b"})).tolist() == [True, True, True, False]
