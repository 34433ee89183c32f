"""Turns of hot samples: what is unpacked is what was packed, no damage passes for it; thinned blocks keep the last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import SECOND, Batch
from agent.storage import samples
from agent.storage.hot import PART, HotBlock, Standing, pack, standing_in, turns, unpack

NUMBER = st.integers(0, 2**31)
BLOCK = st.builds(HotBlock, NUMBER, NUMBER, NUMBER, NUMBER, st.binary(max_size=3 * PART), NUMBER)
TURN = st.integers(1, 2**40)


@given(TURN, st.lists(BLOCK, max_size=5))
def test_a_turn_comes_back_as_it_was_in_parts_that_fit_a_slot(turn, blocks):
    parts = pack(turn, blocks)
    assert all(len(part) <= PART for part in parts)
    assert unpack(turn, parts) == blocks


@given(TURN, st.lists(BLOCK, min_size=1, max_size=3), st.data())
def test_a_flipped_bit_a_lost_part_or_another_turn_is_found(turn, blocks, data):
    parts = pack(turn, blocks)
    place = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 8 * len(parts[place]) - 1))
    hurt = bytearray(parts[place])
    hurt[bit // 8] ^= 1 << bit % 8
    for wrong in ([*parts[:place], bytes(hurt), *parts[place + 1 :]], parts[:place] + parts[place + 1 :]):
        with pytest.raises(ValueError, match="hot samples"):
            unpack(turn, wrong)
    with pytest.raises(ValueError, match="hot samples"):
        unpack(turn + 1, parts)


def test_a_turn_that_is_not_there_is_damaged_and_what_is_cold_is_passed_over():
    rows = [(turn, 0, pack(turn, [])[0]) for turn in (1, 2, 3, 5)]
    assert list(turns(Standing(1, 5), rows)) == [(2, []), (3, []), (4, None), (5, [])]


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.lists(NUMBER, max_size=5))
def test_how_far_the_turns_are_reads_as_it_was_written(cold, last, merged):
    standing = Standing(cold, last, tuple(merged))
    assert standing_in(standing.text) == standing


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200), st.booleans()), min_size=1, max_size=60))
def test_a_thinned_block_keeps_the_last_row_of_each_tag_and_minute_texts_included(rows):
    rows = sorted(rows, key=lambda row: (row[0], row[1]))
    index = np.array([row[0] for row in rows], np.uint32)
    time = np.array([row[1] * SECOND for row in rows], np.int64)
    text = {place: f"w{place}" for place, row in enumerate(rows) if row[2]}
    value = np.array([np.nan if row[2] else place for place, row in enumerate(rows)], np.float64)
    batch = Batch(index, value, time, np.zeros(len(rows), np.uint32), int(time.max()), 1, text)
    last = {(row[0], row[1] // 60): place for place, row in enumerate(rows)}
    thinned = samples.thinned(samples.encode([batch]))
    if thinned is None:
        assert len(last) == len(rows)
        return
    number, body = thinned
    kept = samples.decode(body)
    places = list(last.values())
    assert number == len(kept.index) == len(places) < len(rows)
    np.testing.assert_array_equal(kept.value, value[places])
    np.testing.assert_array_equal(kept.source_time, time[places])
    assert kept.text == {place: text[row] for place, row in enumerate(places) if row in text}
    assert samples.thinned(body) is None
