"""What is kept of a wire, and what it is said to be: whatever came over it."""

from __future__ import annotations

import struct

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import code_to_name_doc
from asyncua.ua.ua_binary import nodeid_to_binary, struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import CUT, KEPT, REFUSED, Frame, Frames, Part
from drivers.modbus import describe as modbus
from drivers.modbus.frame import frame as adu
from drivers.modbus.rtu import rtu_frame
from drivers.opcua import describe as opcua
from drivers.opcua.columns import EPOCH
from drivers.opcua.request import publish_request, read_request
from drivers.opcua.shown import NAMES, REQUESTS, Shown, without_token
from tests.unit.test_opcua_request import TOKENS

ENCODINGS = {number: name for name, number in vars(ObjectIds).items() if isinstance(number, int)}
RECEIVED = False
READ = bytes.fromhex("03 0064 000C")
VALUES = bytes.fromhex("03 18") + bytes(24)
PREFIXES = [bytes((1, 0, number & 0xFF, number >> 8)) for number in NAMES]
OCTETS = st.one_of(
    st.binary(max_size=CUT),
    st.builds(bytes.__add__, st.sampled_from(PREFIXES), st.binary(max_size=CUT - 4)),
    st.builds(lambda pdu, unit: adu(7, unit, b"\x03" + pdu), st.binary(max_size=252), st.integers(0, 255)),
)


def publish_response(sequence: int, values: int) -> bytes:
    """A message with values of one shape."""
    header = struct.pack("<qIIBi3x", EPOCH, 1, 0, 0, 0)
    data = b"".join(struct.pack("<IBBdq", handle, 0b0101, 11, handle / 7, EPOCH) for handle in range(values))
    change = struct.pack("<i", values) + data + struct.pack("<i", 0)
    part = b"\x01\x00\x2b\x03\x01" + struct.pack("<I", len(change)) + change
    message = struct.pack("<IiBIqi", 7, 0, 0, sequence, EPOCH, 1) + part
    return b"\x01\x00\x3d\x03" + header + message


def said(describe: object, octets: bytes, *, sent: bool = False, size: int | None = None) -> list[Part]:
    assert callable(describe)
    return list(describe(Frame(0, sent, octets[:CUT], len(octets) if size is None else size)))


@pytest.mark.parametrize(
    ("describe", "words"),
    [(modbus.tcp, modbus.WORDS), (modbus.rtu, modbus.WORDS), (opcua.describe, opcua.WORDS)],
)
@given(octets=OCTETS, sent=st.booleans(), more=st.integers(0, 10**6))
def test_whatever_the_octets_are_they_are_said_in_known_words(
    describe: object, words: frozenset[str], octets: bytes, sent: bool, more: int
) -> None:
    for part in said(describe, octets, sent=sent, size=len(octets) + more):
        assert part["word"] in words


@pytest.mark.parametrize(
    ("octets", "sent", "parts"),
    [
        (adu(17, 1, READ), True, [{"word": "read", "space": "HR", "start": "100", "n": 12}]),
        (adu(17, 1, VALUES), False, [{"word": "registers", "n": 12}]),
        (bytes.fromhex("0011 0000 0003 01 83 02"), False, [{"word": "exception", "code": 2}]),
        (adu(17, 1, b"\x01\x02\xff\x01"), False, [{"word": "bits", "n": 16}]),
        (adu(17, 1, b"\x03\x09\x00\x07"), False, [{"word": "registers", "n": 1}, {"word": "announced", "n": 9}]),
        (adu(17, 1, READ)[:-1], True, [{"word": "incomplete"}]),
        (adu(17, 1, VALUES) + b"\x00", False, [{"word": "registers", "n": 12}, {"word": "more", "n": 1}]),
        (adu(17, 1, b"\x2b\x0e\x02\x00"), True, [{"word": "identify", "object": 0}]),
        (bytes.fromhex("0011 0000 0006 01 06 0001 0002"), True, [{"word": "function", "code": 6}]),
    ],
)  # fmt: skip
def test_a_modbus_frame_is_what_the_protocol_calls_it(octets: bytes, sent: bool, parts: list[Part]) -> None:
    head: list[Part] = [{"word": "transaction", "id": "17"}, {"word": "unit", "unit": 1}]
    assert said(modbus.tcp, octets, sent=sent) == head + parts


def test_what_is_no_modbus_says_so() -> None:
    assert said(modbus.tcp, b"HTTP/1.1 400 Bad Request") == [{"word": "foreign"}]
    assert said(modbus.tcp, b"\x00") == [{"word": "incomplete"}]


def test_an_rtu_frame_says_whether_its_checksum_is_right() -> None:
    octets = rtu_frame(1, READ)
    read: Part = {"word": "read", "space": "HR", "start": "100", "n": 12}
    assert said(modbus.rtu, octets, sent=True) == [{"word": "unit", "unit": 1}, read, {"word": "crc-good"}]
    assert said(modbus.rtu, octets[:-1] + b"\x00", sent=True)[-1] == {"word": "crc-bad"}


def test_an_opcua_message_is_what_the_standard_calls_it() -> None:
    token = nodeid_to_binary(ua.NodeId(ua.Int32(1), ua.Int16(0)))
    acknowledged = [(7, 809), (7, 811)]
    request = said(opcua.describe, publish_request(token, 0, 1, acknowledged), sent=True)
    assert request == [{"word": "message", "name": "PublishRequest"}, {"word": "acknowledges", "n": 2, "last": "811"}]
    response = said(opcua.describe, publish_response(812, 12))
    assert response == [
        {"word": "message", "name": "PublishResponse"}, {"word": "sequence", "id": "812"}, {"word": "values", "n": 12},
    ]  # fmt: skip
    nodes = (500).to_bytes(4, "little") + bytes(900)
    read = said(opcua.describe, read_request(token, 0, 1, 1.0, nodes), sent=True)
    assert read == [{"word": "message", "name": "ReadRequest"}, {"word": "nodes", "n": 500}]
    values = ua.ReadResponse(Results=[ua.DataValue(ua.Variant(1.5))] * 500)
    assert said(opcua.describe, struct_to_binary(values))[1:] == [{"word": "values", "n": 500}]
    again = ua.RepublishRequest()
    again.Parameters.RetransmitSequenceNumber = 813
    assert said(opcua.describe, struct_to_binary(again), sent=True)[1:] == [{"word": "sequence", "id": "813"}]
    alive = ua.PublishResponse()
    assert said(opcua.describe, struct_to_binary(alive))[-1] == {"word": "keep-alive"}
    fault = ua.ServiceFault()
    fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(0x8079_0000))
    status: Part = {"word": "status", "status": "0x80790000", "name": "BadNoSubscription"}
    assert said(opcua.describe, struct_to_binary(fault)) == [{"word": "message", "name": "ServiceFault"}, status]


def test_statuses_and_messages_bear_the_names_of_the_standard() -> None:
    assert {code: code_to_name_doc[code][0] for code in opcua.STATUSES} == opcua.STATUSES
    assert {number: ENCODINGS[number] for number in NAMES} == {
        n: f"{name}_Encoding_DefaultBinary" for n, name in NAMES.items()
    }


@given(TOKENS, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=60))
def test_a_session_s_token_is_blanked_and_nothing_else(token: ua.NodeId, acknowledged: list[tuple[int, int]]) -> None:
    octets = nodeid_to_binary(token)
    body = publish_request(octets, 0, 1, acknowledged)
    noted = without_token(body)
    head = 4 + (7 if octets[0] in (3, 5) else 1)
    assert noted == (body[:head] + bytes(4 + len(octets) - head) + body[4 + len(octets) :])[:CUT]
    assert said(opcua.describe, noted, sent=True, size=len(body))[0] == {"word": "message", "name": "PublishRequest"}


@given(st.sampled_from(sorted(vars(ua))), st.integers(1, 9))
def test_no_other_service_than_those_that_bring_values_is_ever_noted(name: str, number: int) -> None:
    request = getattr(ua, name)
    if not (name.endswith(("Request", "Response")) and isinstance(request, type)):
        return
    frames = Frames()
    shown = Shown(frames, lambda: 0)
    body = struct_to_binary(request())
    shown.sent(number, body)
    assert [one.sent for one in frames.last()] == [True] * (name in REQUESTS.values())
    shown.received(number + 1, body, len(body))
    assert len(frames.last()) == (name in REQUESTS.values())


def test_a_fault_is_kept_with_the_request_it_answers() -> None:
    frames = Frames()
    shown = Shown(frames, iter(range(9)).__next__)
    fault = struct_to_binary(ua.ServiceFault())
    shown.sent(1, publish_request(b"\x00\x00", 0, 1, []))
    shown.sent(2, struct_to_binary(ua.ActivateSessionRequest()))
    shown.received(2, fault, len(fault))
    assert [len(frames.last()), len(frames.refused())] == [1, 0]
    shown.received(1, fault, len(fault))
    assert [(a.sent, b.sent) for a, b in frames.refused()] == [(True, False)]


def test_only_the_last_frames_are_kept_each_with_its_first_octets_and_its_size() -> None:
    frames = Frames()
    for number in range(3 * KEPT):
        frames.notes.append((number, False, bytes(2) + bytes([number]) * 1000, 2, 1002))
        frames.refusals.append((frames.notes[-1], frames.notes[-1]))
    assert [one.time for one in frames.last()] == list(range(2 * KEPT, 3 * KEPT))
    assert frames.last()[0] == Frame(2 * KEPT, RECEIVED, bytes([2 * KEPT]) * CUT, 1000)
    assert len(frames.refused()) == REFUSED


def test_what_came_before_a_break_does_not_change_any_more() -> None:
    frames = Frames()
    frames.notes.append((1, True, b"asked", 0, 5))
    frames.broke(2, "no answer")
    frames.notes.append((3, True, b"again", 0, 5))
    assert frames.broken is not None
    assert (frames.broken.why, [one.octets for one in frames.broken.frames]) == ("no answer", [b"asked"])


def test_the_library_reads_what_is_left_of_a_request() -> None:
    request = ua.ReadRequest()
    request.RequestHeader.AuthenticationToken = ua.ByteStringNodeId(ua.ByteString(b"secret token"), ua.Int16(1))
    noted = without_token(struct_to_binary(request))
    read = struct_from_binary(ua.ReadRequest, Buffer(noted))
    assert read.RequestHeader.AuthenticationToken.Identifier == bytes(12)
    assert b"secret" not in noted
