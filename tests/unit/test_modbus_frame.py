"""What may be sent, and what is taken for an answer."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.modbus.address import Space
from drivers.modbus.blocks import Block
from drivers.modbus.frame import READ_ONLY_FUNCTIONS, Refusal, following, frame, read_reply, read_request
from drivers.modbus.identity import identity_reply, identity_request

BLOCKS = st.builds(Block, st.sampled_from(Space), st.integers(0, 1000), st.integers(1, 125), st.just((0,)))


@pytest.mark.parametrize("function", range(256))
def test_a_function_that_does_not_only_read_can_not_be_framed(function: int) -> None:
    if function in READ_ONLY_FUNCTIONS:
        assert function in (1, 2, 3, 4, 43)
        assert frame(1, 2, bytes([function]))[7] == function
        return
    with pytest.raises(ValueError, match="does not only read"):
        frame(1, 2, bytes([function]))


@given(BLOCKS)
def test_every_read_request_is_one_that_may_be_sent(block: Block) -> None:
    sent = frame(7, 1, read_request(block))
    assert sent[:8] == bytes([0, 7, 0, 0, 0, 6, 1, block.space])
    assert int.from_bytes(sent[8:10]) == block.start
    assert int.from_bytes(sent[10:12]) == block.count


@given(BLOCKS, st.binary(min_size=1, max_size=260))
@example(Block(Space.HOLDING_REGISTER, 0, 1, (0,)), b"\x03\x02\x00\x07")
@example(Block(Space.COIL, 0, 9, (0,)), b"\x01\x02\x00\x01")
def test_whatever_comes_is_a_payload_of_the_right_length_a_refusal_or_an_error(block: Block, pdu: bytes) -> None:
    octets = -(-block.count // 8) if block.space.is_bits else 2 * block.count
    if len(pdu) == 2 and pdu[0] == block.space | 0x80:
        with pytest.raises(Refusal, match=str(pdu[1])):
            read_reply(block, pdu)
    elif pdu[:2] == bytes([block.space, octets]) and len(pdu) == 2 + octets:
        assert read_reply(block, pdu) == pdu[2:]
    else:
        with pytest.raises(ValueError, match=r"answered|asked for"):
            read_reply(block, pdu)


@given(st.binary(min_size=7, max_size=7))
def test_a_header_announces_a_sound_length_or_is_refused(header: bytes) -> None:
    try:
        assert 2 <= following(header) <= 253
    except ValueError:
        assert header[2:4] != b"\x00\x00" or not 3 <= int.from_bytes(header[4:6]) <= 254


@given(st.binary(max_size=60))
@example(b"\x0e\x02\x83\x00\x00\x02\x00\x01a\x00\x01b")
def test_a_broken_identification_is_a_value_error_and_nothing_else(octets: bytes) -> None:
    try:
        objects, _ = identity_reply(b"\x2b" + octets)
    except ValueError:
        return
    assert all(isinstance(text, str) for text in objects.values())


def test_identification_asks_for_the_regular_objects() -> None:
    assert identity_request() == b"\x2b\x0e\x02\x00"
    assert identity_request(3) == b"\x2b\x0e\x02\x03"
