"""Raw values in binary, read back by the decoder that the documentation prints."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agent.model import Batch, Samples
from gateway.packed import packed

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = (DOCS / "wire.md").read_text(encoding="utf-8")
(PRINTED,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.S)
SCOPE: dict = {}
exec(PRINTED, SCOPE)

WIRE = json.loads((DOCS / "schema" / "wire.schema.json").read_text(encoding="utf-8"))
HEADER = Draft202012Validator({"$ref": "#/$defs/samples_header", "$defs": WIRE["$defs"]})

TAGS = ("clock", "力", "c" * 32)
ROWS = st.tuples(
    st.integers(0, len(TAGS) - 1),
    st.one_of(st.floats(), st.text(max_size=20)),
    st.integers(-(2**62), 2**62),
    st.integers(0, 2**32 - 1),
)


def batch(rows, time) -> Batch:
    tag, value, source, status = zip(*rows, strict=True) if rows else ((), (), (), ())
    text = {place: one for place, one in enumerate(value) if isinstance(one, str)}
    numbers = [math.nan if isinstance(one, str) else one for one in value]
    return Batch(
        np.array(tag, np.uint32),
        np.array(numbers, np.float64),
        np.array(source, np.int64),
        np.array(status, np.uint32),
        time,
        1,
        text,
    )


def same(one, other) -> bool:
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


def test_the_printed_decoder_has_thirty_lines_at_most():
    assert len(PRINTED.splitlines()) <= 30


@given(batches=st.lists(st.lists(ROWS, max_size=30), min_size=1, max_size=4), simulated=st.booleans())
def test_every_value_time_and_status_comes_back_to_the_bit(batches, simulated):
    made = tuple(batch(rows, 1_790_000_000_000_000_000) for rows in batches)
    header, rows = SCOPE["decode"](packed(Samples("cell1", TAGS, made, simulated)))
    HEADER.validate(header)
    sent = [(TAGS[tag], value, source, status) for one in batches for tag, value, source, status in one]
    assert len(rows) == header["count"] == len(sent)
    for (tag, value, source, status), row in zip(sent, rows, strict=True):
        assert (row[0], row[2], row[3]) == (tag, source, status)
        assert same(value, row[1])
    assert (header["device"], header["sim"]) == ("cell1", simulated)
    assert header["time"] == "2026-09-21T14:13:20.000Z"
    worst = max((status for *_, status in sent), default=0) >> 30
    assert header["quality"] == ("good", "uncertain", "bad", "bad")[worst]


def test_another_version_is_not_misread():
    with pytest.raises(ValueError, match="version"):
        SCOPE["decode"](b"TCS2" + bytes(20))


def test_samples_in_binary_are_a_third_of_those_in_json_at_most():
    from gateway.payload import encode
    from gateway.raw import raw

    rows = [(n % 3, round(20 + math.sin(n), 2), 1_790_000_000_000_000_000 + n // 3 * 10**7, 0) for n in range(2000)]
    samples = Samples("cell1", TAGS, (batch(rows, rows[-1][2]),), simulated=False)
    assert len(packed(samples)) * 3 < len(encode(raw(samples)))
