"""Recordings: what a replayed Modbus device answers is what the real one had told."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.recording import Image, RecordingError, framed, frames, header, parse

READS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from((1, 2, 3, 4)), st.integers(0, 30), st.integers(1, 20)), max_size=12
)


def asked(function: int, start: int, count: int) -> bytes:
    return struct.pack(">BHH", function, start, count)


def device(unit: int, function: int, start: int, count: int) -> bytes:
    """A device whose registers and bits are told by their place alone."""
    if function in (3, 4):
        body = struct.pack(f">{count}H", *(unit * 1000 + function * 100 + at for at in range(start, start + count)))
    else:
        body = bytes(
            sum(((unit + function + start + at + bit) % 3 == 0) << bit for bit in range(8) if at + bit < count)
            for at in range(0, count, 8)
        )
    return bytes([function, len(body)]) + body


@given(READS)
def test_every_recorded_read_and_every_part_of_one_is_answered_as_it_was(reads):
    image = Image()
    for unit, function, start, count in reads:
        image.learn(unit, asked(function, start, count), device(unit, function, start, count))
    for unit, function, start, count in reads:
        assert image.answer(unit, asked(function, start, count)) == device(unit, function, start, count)
        assert image.answer(unit, asked(function, start, 1)) == device(unit, function, start, 1)


def test_what_was_never_read_is_refused_and_what_was_refused_is_again():
    image = Image()
    image.learn(1, asked(3, 0, 2), device(1, 3, 0, 2))
    image.learn(1, asked(3, 90, 1), b"\x83\x02")
    assert image.answer(1, asked(3, 90, 1)) == b"\x83\x02"
    assert image.answer(1, asked(3, 1, 2)) == b"\x83\x02"
    assert image.answer(7, asked(3, 0, 2)) == b"\x83\x0b"
    assert image.answer(1, b"\x06\0\0\0\x01") == b"\x86\x01"


@given(request=st.binary(max_size=8), reply=st.binary(max_size=12), again=st.binary(min_size=1, max_size=8))
def test_no_exchange_breaks_the_image_nor_any_question(request, reply, again):
    image = Image()
    image.learn(1, request, reply)
    assert image.answer(1, again)[0] & 0x7F == again[0] & 0x7F


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 255), st.binary(min_size=1, max_size=20))), st.data())
def test_frames_are_found_however_the_stream_is_cut(sent, data):
    stream = b"".join(framed(*one) for one in sent)
    buffer, found = bytearray(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        buffer += stream[:cut]
        stream = stream[cut:]
        found += frames(buffer)
    assert found == sent
    assert not buffer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "this is no recording"),
        ("[1]\n", "make one with tanchang simulate record"),
        (json.dumps(header("modbus", "x", 0) | {"tanchang_recording": 2}) + "\n", "install a newer one"),
    ],
)
def test_what_is_no_recording_is_told(text, told):
    with pytest.raises(RecordingError, match=told):
        parse(text)


def test_a_last_line_that_was_cut_off_is_left_out():
    whole = "\n".join([json.dumps(header("modbus", "modbus://plc:502", 5)), json.dumps({"t": 3}), '{"t": 9'])
    recording = parse(whole)
    assert recording.length == 3
