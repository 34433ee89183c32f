"""A sample block gives back every row it was given."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Batch
from agent.storage.samples import decode, encode, merge

rows = st.tuples(
    st.integers(0, 5),
    st.one_of(st.floats(allow_nan=True), st.integers(0, 65535).map(float), st.just(-0.0), st.just(math.inf)),
    st.integers(-(2**62), 2**62),
    st.sampled_from([0, 0x8000_0000, 0x808A_0000, 0xFFFF_FFFF]),
)


def batch(columns, text, token):
    index, value, time, status = zip(*columns, strict=True) if columns else ((), (), (), ())
    return Batch(
        np.array(index, np.uint32),
        np.array(value, np.float64),
        np.array(time, np.int64),
        np.array(status, np.uint32),
        token * 1000,
        token,
        {row: word for row, word in text.items() if row < len(columns)},
    )


def table(batches):
    return [
        (
            int(one.index[row]),
            one.value[row].tobytes(),
            int(one.source_time[row]),
            int(one.status[row]),
            one.text.get(row),
        )
        for one in batches
        for row in range(len(one.index))
    ]


@given(
    st.lists(
        st.tuples(st.lists(rows, max_size=12), st.dictionaries(st.integers(0, 11), st.text(max_size=4), max_size=2)),
        min_size=1,
        max_size=5,
    )
)
def test_a_block_is_its_rows_by_tag_in_order_of_arrival(parts):
    batches = [batch(columns, text, token) for token, (columns, text) in enumerate(parts)]
    back = decode(encode(batches))
    assert table([back]) == sorted(table(batches), key=lambda row: row[0])
    assert (back.time, back.token) == (batches[-1].time, batches[-1].token)


def test_a_second_of_a_counting_line_takes_few_bytes():
    columns = [(tag, float(4000 + k), k * 100_000_000, 0) for k in range(10) for tag in range(200)]
    assert len(encode([batch(columns, {}, 1)])) < 2 * len(columns)


def test_something_else_is_refused():
    import zstandard

    with pytest.raises(ValueError, match="not a sample block"):
        decode(zstandard.compress(b"x" * 64))
    with pytest.raises(ValueError, match="not a sample block"):
        decode(b"neither compressed nor a block")


@given(
    st.lists(
        st.tuples(st.lists(rows, max_size=12), st.dictionaries(st.integers(0, 11), st.text(max_size=4), max_size=2)),
        min_size=1,
        max_size=5,
    )
)
def test_blocks_merged_are_the_block_of_all_their_rows(parts):
    batches = [batch(columns, text, token) for token, (columns, text) in enumerate(parts)]
    merged = decode(merge([encode([one]) for one in batches]))
    assert table([merged]) == table([decode(encode(batches))])


# as the first version wrote it
OLD = (
    "28b52ffd20b6450200f4027463733104000000020000000500060002040201000204010202fc000000ff07e80000807f7b2233223a202278"
    "227d0a00bbc4e000464086c00c70c0f20ee0602117646c004a"
)


def test_a_block_of_the_first_version_reads_as_it_was_written():
    back = decode(bytes.fromhex(OLD))
    assert back.source_time.tolist() == [1, 3, 2, 4]
    assert back.value[:3].tolist() == [1.0, 2.0, 2.5]
    assert np.isnan(back.value[3])
    assert (back.text, back.time, back.token) == ({3: "x"}, 5, 6)


@given(st.lists(st.decimals(-1_000_000, 1_000_000, places=2).map(float), min_size=1, max_size=40))
def test_rounded_values_are_lossless_to_the_bit(values):
    values = np.array(values)
    one = Batch(
        np.zeros(len(values), np.uint32), values, np.arange(len(values)) * 10**6, np.zeros(len(values), np.uint32), 0, 0
    )
    assert decode(encode([one])).value.tobytes() == values.tobytes()
