"""Refused nodes are asked for again, ever less often, for ever; and what is kept of a broken link."""

from __future__ import annotations

import numpy as np

from drivers.opcua.columns import Notification, Rows
from drivers.opcua.kept import LAST_SEQUENCE, Told, after, in_turn
from drivers.opcua.wanted import Wanted

GONE = 0x8034_0000


def test_a_refused_node_is_asked_for_after_1_2_4_and_then_every_60_s_until_it_is_there():
    wanted = Wanted()
    wanted.answered({0: 0, 7: GONE}, now=0.0)
    asked, now = [], 0.0
    while now < 250.0:
        now += 0.5
        for handle in wanted.due(now):
            asked.append(now)
            wanted.answered({handle: GONE}, now)
    assert asked == [1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0, 243.0]
    wanted.answered({7: 0}, 250.0)
    assert wanted.refused == frozenset()
    assert wanted.due(1e9) == ()
    wanted.answered({7: GONE}, 300.0)
    assert wanted.due(301.0) == (7,)


def message(sequence, **changes):
    return Notification(3, sequence, 0, **changes)


def test_messages_are_in_turn_up_to_the_first_that_is_missing_and_the_numbers_wrap_to_1():
    assert after(LAST_SEQUENCE) == 1
    arrived = [message(LAST_SEQUENCE), message(1), message(3)]
    assert in_turn(arrived, LAST_SEQUENCE) == ((arrived[0], arrived[1]), 2)
    assert in_turn([message(5, is_keep_alive=True)], 5) == ((), 5)
    assert in_turn([message(5, ended=GONE)], 5) == ((), 5)


def rows(handles, values, text=None):
    size = len(handles)
    columns = np.array(values, float), np.full(size, 9), np.zeros(size, np.uint32)
    return Rows(np.array(handles, np.uint32), *columns, text or {})


def test_what_was_last_told_of_every_handle_is_restated_with_its_text():
    told = Told(3)
    told.note(rows([0, 1, 0], [1, np.nan, 2], {1: "shut"}))
    told.note(rows([2], [5]))
    restated = told.all()
    assert restated.handle.tolist() == [0, 1, 2]
    assert restated.value.tolist()[::2] == [2, 5]
    assert restated.text == {1: "shut"}
    told.note(rows([1], [4]))
    assert (told.all().text, told.all().value.tolist()) == ({}, [2, 4, 5])


def test_a_number_of_the_same_moment_and_quality_was_told_before_and_nothing_else_was():
    told = Told(4)
    told.note(rows([0, 1, 2, 3], [1, 2, np.nan, 4]))
    later = rows([3, 2, 1, 0], [4, np.nan, 5, 1])
    later.source_time[3] += 1
    assert told.again(later).tolist() == [True, False, False, False]
    later.status[0] = GONE
    assert not told.again(later).any()
