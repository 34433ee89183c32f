"""What is kept of a subscription outlives the process as it was."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Batch
from drivers.contract import Bookmark
from drivers.opcua import bookmark
from drivers.opcua.columns import Rows
from drivers.opcua.kept import LAST_SEQUENCE, Kept, after
from drivers.opcua.ticket import Ticket, as_text, from_text


def rows(values, text):
    size = len(values)
    times = np.arange(size, dtype=np.int64) * 7
    return Rows(np.arange(size, dtype=np.uint32), np.array(values), times, np.full(size, 3, np.uint32), text)


def kept(told, sequence=5):
    return Kept(
        ticket=None,
        meaning="m",
        subscription=9,
        silence_s=1.5,
        sequence=sequence,
        ready=(),
        unacknowledged=(),
        refused=frozenset({1}),
        told=told,
        time=77,
        tries=0,
    )


@given(st.lists(st.floats(), min_size=1, max_size=50), st.data())
def test_what_is_written_is_read_again_with_what_was_told_since(values, data):
    text = data.draw(st.dictionaries(st.integers(0, len(values) - 1), st.text(), max_size=3))
    whole = bookmark.whole(kept(rows(values, text)), "ticket")
    index = np.array([0], np.uint32)
    since = Batch(index, np.array([np.nan]), np.array([8]), np.array([0], np.uint32), 1, 1, {0: "later"})
    back, ticket = bookmark.kept(Bookmark(whole, bookmark.place(9, 40, 38, 99), [since], 123))
    assert (back.meaning, back.subscription, back.silence_s, back.refused) == ("m", 9, 1.5, frozenset({1}))
    assert (ticket, back.sequence, back.time, back.observed) == ("ticket", 40, 99, 123)
    assert back.unacknowledged == ((9, 38), (9, 39))
    assert np.array_equal(back.told.value[1:], np.array(values[1:]), equal_nan=True)
    assert back.told.text == {**text, 0: "later"}
    assert back.told.status.tolist() == [0] + [3] * (len(values) - 1)


@given(st.integers(1, LAST_SEQUENCE), st.integers(0, 50))
def test_what_is_on_disk_and_not_acknowledged_is_counted_over_the_end_of_the_numbers(oldest, many):
    sequence = oldest
    for _ in range(many):
        sequence = after(sequence)
    whole = bookmark.whole(kept(rows([1.0], {})), "")
    back, _ = bookmark.kept(Bookmark(whole, bookmark.place(9, sequence, oldest, 0), [], 0))
    assert len(back.unacknowledged) == many
    assert all(1 <= number <= LAST_SEQUENCE and number != sequence for _, number in back.unacknowledged)


def test_a_place_in_another_subscription_is_no_bookmark():
    whole = bookmark.whole(kept(rows([1.0], {})), "")
    with pytest.raises(ValueError, match="another subscription"):
        bookmark.kept(Bookmark(whole, bookmark.place(8, 2, 1, 0), [], 0))


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_no_bookmark_is_refused_whatever_it_is(whole, place):
    with pytest.raises(ValueError, match="bookmark"):
        bookmark.kept(Bookmark(whole, place, [], 0))


@given(st.text(max_size=40) | st.lists(st.text(max_size=8), min_size=2, max_size=4).map(json.dumps))
def test_what_is_no_ticket_is_a_value_error_and_nothing_else(text):
    with suppress(ValueError):
        assert isinstance(from_text(text), Ticket)


def test_a_ticket_comes_back_as_it_was():
    policy = ua.UserTokenPolicy(PolicyId="anonymous", TokenType=ua.UserTokenType.Anonymous)
    ticket = Ticket(ua.NodeId(ua.String("token"), ua.Int16(3)), bytes(range(32)), [policy])
    assert from_text(as_text(ticket)) == ticket
    nameless = Ticket(ua.NodeId(ua.Int32(5), ua.Int16(0)), None, [])
    assert from_text(as_text(nameless)) == nameless
