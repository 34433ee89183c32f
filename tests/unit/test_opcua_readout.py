"""A ReadResponse in columns says what asyncua's decoder says, whatever the mix, and nothing where octets lie."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.readout import Readout

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KINDS = {
    ua.VariantType.Boolean: st.booleans(),
    ua.VariantType.UInt16: st.integers(0, 2**16 - 1),
    ua.VariantType.Int64: st.integers(-(2**53), 2**53),
    ua.VariantType.Double: st.floats(allow_nan=False, allow_infinity=False),
    ua.VariantType.String: st.text(max_size=9),
}


@st.composite
def values(draw):
    kind = draw(st.sampled_from(list(KINDS)))
    status = draw(st.sampled_from([None, 0x40000000, 0x80340000]))
    return ua.DataValue(
        ua.Variant(draw(KINDS[kind]), kind),
        None if status is None else ua.StatusCode(ua.UInt32(status)),
        SourceTimestamp=draw(st.sampled_from([None, NOW])),
    )


def response(cells):
    told = ua.ReadResponse()
    told.ResponseHeader.Timestamp = NOW
    told.Results = cells
    return struct_to_binary(told)


def told(rows):
    return [rows.text.get(row, value) for row, value in enumerate(rows.value.tolist())]


@given(st.lists(values(), min_size=1, max_size=30), st.booleans())
def test_rows_are_what_was_read_the_first_time_and_every_time_after(cells, alike):
    cells = cells[:1] * len(cells) if alike else cells
    handles = np.arange(len(cells), dtype=np.uint32)[::-1] * 3
    readout = Readout()
    for _ in range(3):
        rows = readout.rows(response(cells), handles)
        assert rows.handle.tolist() == handles.tolist()
        assert told(rows) == [cell.Value.Value for cell in cells]
        assert rows.status.tolist() == [cell.StatusCode.value if cell.StatusCode else 0 for cell in cells]
        assert [time > 0 for time in rows.source_time.tolist()] == [bool(cell.SourceTimestamp) for cell in cells]
        assert readout.published == int(NOW.timestamp()) * 10**9


@given(st.lists(values(), min_size=1, max_size=20), st.lists(values(), min_size=1, max_size=20))
def test_what_is_read_after_something_else_is_read_as_if_alone(before, cells):
    readout, handles = Readout(), np.arange(len(cells), dtype=np.uint32)
    readout.rows(response(before), np.arange(len(before), dtype=np.uint32))
    after, alone = readout.rows(response(cells), handles), Readout().rows(response(cells), handles)
    assert told(after) == told(alone)
    assert after.status.tolist() == alone.status.tolist()


@given(st.lists(values(), min_size=1, max_size=10), st.data())
def test_octets_that_end_too_early_are_a_value_error(cells, data):
    body = response(cells)
    handles = np.arange(len(cells), dtype=np.uint32)
    readout = Readout()
    readout.rows(body, handles)
    whole = len(body) - 4  # without the empty list of diagnostics
    with pytest.raises(ValueError, match=r"octets|announced|left|encoding|request|nodes|status"):
        readout.rows(body[: data.draw(st.integers(0, whole - 1))], handles)


def test_an_answer_with_another_number_of_values_is_refused():
    with pytest.raises(ValueError, match="2 values for 1 nodes"):
        Readout().rows(response([ua.DataValue(ua.Variant(1, ua.VariantType.Int32))] * 2), np.zeros(1, np.uint32))
