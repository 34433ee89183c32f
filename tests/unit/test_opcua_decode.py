"""The column decoder against the library's own encoder and decoder."""

from __future__ import annotations

import contextlib
import datetime as dt
import struct
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import extensionobject_to_binary, nodeid_to_binary, struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from agent.model import BAD_NO_DATA
from drivers.opcua import builtin, decode
from drivers.opcua.builtin import vet
from drivers.opcua.columns import BAD_TYPE_MISMATCH, joined
from drivers.opcua.cursor import Cursor
from drivers.opcua.decode import Decoder
from drivers.opcua.decoded import from_result

TIME = ua.DateTime(2026, 11, 22, 8, 0, 0, 250_000, tzinfo=dt.UTC)
TIME_NS = 1_795_334_400_250_000_000
Kind = ua.VariantType
RANGES = {
    Kind.SByte: (-128, 127),
    Kind.Byte: (0, 255),
    Kind.Int16: (-(2**15), 2**15 - 1),
    Kind.UInt16: (0, 2**16 - 1),
    Kind.Int32: (-(2**31), 2**31 - 1),
    Kind.UInt32: (0, 2**32 - 1),
    Kind.Int64: (-(2**63), 2**63 - 1),
    Kind.UInt64: (0, 2**64 - 1),
}
INTEGERS = st.sampled_from(list(RANGES)).flatmap(
    lambda kind: st.builds(ua.Variant, st.integers(*RANGES[kind]), st.just(kind))
)
OTHERS = st.one_of(
    st.builds(ua.Variant, st.booleans(), st.just(Kind.Boolean)),
    st.builds(ua.Variant, st.floats(width=32), st.just(Kind.Float)),
    st.builds(ua.Variant, st.floats(), st.just(Kind.Double)),
    st.builds(ua.Variant, st.text(max_size=20), st.just(Kind.String)),
    st.builds(ua.Variant, st.lists(st.integers(0, 9), max_size=3), st.just(Kind.UInt16)),
    st.builds(ua.Variant, st.lists(st.text(max_size=3), min_size=1, max_size=3), st.just(Kind.String)),
    st.just(ua.Variant(TIME, Kind.DateTime)),
    st.just(ua.Variant(None, Kind.Null)),
)
VALUES = st.builds(
    ua.DataValue,
    INTEGERS | OTHERS,
    st.sampled_from([ua.StatusCode(ua.UInt32(code)) for code in (0, 0x40930000, 0x808A0000, 0x480)]),
    SourceTimestamp=st.sampled_from([TIME, None]),
    ServerTimestamp=st.sampled_from([TIME, None]),
)


def response(values: list[Any], sequence: int = 7, subscription: int = 3) -> bytes:
    """A PublishResponse with one DataChangeNotification of these values, their handles counting from 100."""
    changes = ua.DataChangeNotification()
    changes.MonitoredItems = [ua.MonitoredItemNotification(100 + n, value) for n, value in enumerate(values)]
    answer = ua.PublishResponse()
    answer.Parameters.SubscriptionId = subscription
    answer.Parameters.AvailableSequenceNumbers = [sequence - 1, sequence]
    answer.Parameters.NotificationMessage.SequenceNumber = sequence
    answer.Parameters.NotificationMessage.PublishTime = TIME
    answer.Parameters.NotificationMessage.NotificationData = [changes] if values else []
    return struct_to_binary(answer)


def good(value: Any, kind: ua.VariantType) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, kind), ua.StatusCode(), SourceTimestamp=TIME)


@given(st.lists(VALUES, max_size=12))
def test_our_columns_tell_what_the_library_decodes(values: list[Any]) -> None:
    body = response(values)
    decoder = Decoder()
    for _ in range(3):  # item by item, learning, as before
        ours = decoder.publish(body)
    theirs = from_result(struct_from_binary(ua.PublishResponse, Buffer(body)).Parameters)
    for name in ("subscription", "sequence", "published", "ended", "is_keep_alive"):
        assert getattr(ours, name) == getattr(theirs, name)
    if values:
        mine, other = joined(ours.rows), joined(theirs.rows)
        np.testing.assert_array_equal(mine.handle, other.handle)
        np.testing.assert_array_equal(mine.value, other.value)
        np.testing.assert_array_equal(mine.source_time, other.source_time)
        np.testing.assert_array_equal(mine.status, other.status)
        assert mine.text == other.text


@pytest.mark.parametrize(
    ("kind", "value", "number"),
    [
        (Kind.Double, 1.25, 1.25),
        (Kind.Float, -0.5, -0.5),
        (Kind.UInt16, 65535, 65535),
        (Kind.Int64, -(2**53), -(2**53)),
        (Kind.Boolean, True, 1),
        (Kind.DateTime, TIME, TIME_NS // 1_000_000),
    ],
)
def test_values_of_one_shape_are_read_in_one_view(
    kind: ua.VariantType, value: Any, number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Decoder, "_one_by_one")
    found = Decoder().publish(response([good(value, kind)] * 1000))
    (rows,) = found.rows
    assert rows.handle.tolist() == list(range(100, 1100))
    assert set(rows.value.tolist()) == {number}
    assert set(rows.source_time.tolist()) == {TIME_NS}
    assert not rows.status.any()


def test_integers_that_a_float_cannot_hold_stand_in_text_with_every_digit() -> None:
    for values in ([2**53 + 1, 5], [2**53 + 1]):
        found = Decoder().publish(response([good(value, Kind.UInt64) for value in values]))
        assert found.rows[0].text == {0: "9007199254740993"}
        assert np.isnan(found.rows[0].value[0])


def test_good_values_that_are_no_number_are_no_data_and_arrays_do_not_fit() -> None:
    values = [
        good(float("nan"), Kind.Double),
        good(1.0, Kind.Double),
        good([1, 2], Kind.UInt16),
        good("x", Kind.String),
    ]
    found = Decoder().publish(response(values))
    assert found.rows[0].status.tolist() == [BAD_NO_DATA, 0, BAD_TYPE_MISMATCH, 0]
    assert found.rows[0].text == {3: "x"}


@pytest.mark.parametrize(
    "value",
    [
        ua.Variant(ua.NodeId.from_string("ns=2;i=1"), Kind.NodeId),
        ua.Variant(
            ua.ExpandedNodeId(ua.Int32(5), NamespaceUri=ua.String("urn:x"), ServerIndex=ua.Int32(3)),
            Kind.ExpandedNodeId,
        ),
        ua.Variant(ua.QualifiedName("x", 2), Kind.QualifiedName),
        ua.Variant(ua.LocalizedText("x", "en"), Kind.LocalizedText),
        ua.Variant(b"octets", Kind.ByteString),
        ua.Variant(ua.Argument(Name="a"), Kind.ExtensionObject),
        ua.Variant([ua.Argument(Name="a")] * 3, Kind.ExtensionObject),
        ua.Variant([ua.Variant([1, 2], Kind.UInt16)] * 2, Kind.Variant),
        ua.Variant(ua.DataValue(ua.Variant(1, Kind.Byte), SourceTimestamp=TIME), Kind.DataValue),
        ua.Variant(ua.DiagnosticInfo(SymbolicId=ua.Int32(1), AdditionalInfo=ua.String("x")), Kind.DiagnosticInfo),
        ua.Variant([[1, 2], [3, 4]], Kind.Int32),
    ],
)
def test_what_is_neither_number_nor_text_is_stepped_over_and_its_neighbours_are_read(value: Any) -> None:
    body = response([good(1.5, Kind.Double), ua.DataValue(value, SourceTimestamp=TIME), good(7, Kind.UInt16)])
    rows = Decoder().publish(body).rows[0]
    theirs = from_result(struct_from_binary(ua.PublishResponse, Buffer(body)).Parameters).rows[0]
    assert rows.value.tolist()[::2] == [1.5, 7]
    assert rows.status.tolist() == theirs.status.tolist() == [0, BAD_TYPE_MISMATCH, 0]
    assert rows.source_time.tolist() == [TIME_NS] * 3


@pytest.mark.parametrize("kind", [Kind.String, Kind.LocalizedText])
def test_a_length_below_the_one_that_means_null_is_refused(kind: ua.VariantType) -> None:
    text = ua.Variant(ua.LocalizedText("four", "en") if kind == Kind.LocalizedText else "four", kind)
    body = response([good(1.5, Kind.Double), ua.DataValue(text, SourceTimestamp=TIME), good(7, Kind.UInt16)])
    wrong = body.replace(b"\4\0\0\0four", b"\1\xff\xff\xfffour")
    assert wrong != body
    with pytest.raises(ValueError, match="a length of -255"):
        Decoder().publish(wrong)


def test_a_subscription_the_server_gave_up_says_so() -> None:
    answer = ua.PublishResponse()
    answer.Parameters.NotificationMessage.PublishTime = TIME
    answer.Parameters.NotificationMessage.NotificationData = [
        ua.StatusChangeNotification(Status=ua.StatusCode(ua.UInt32(StatusCodes.BadTimeout)))
    ]
    for found in (Decoder().publish(struct_to_binary(answer)), from_result(answer.Parameters)):
        assert found.ended == StatusCodes.BadTimeout


@given(st.data())
def test_a_response_cut_short_or_flipped_never_ends_in_anything_but_a_value_error(data: st.DataObject) -> None:
    body = bytearray(response([good(1.0, Kind.Double), good("text", Kind.String), good(3, Kind.UInt16)]))
    cut = data.draw(st.integers(0, len(body)))
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        Decoder().publish(bytes(body[:cut]))


@pytest.mark.parametrize("count", [2**31 - 1, 2_000_000_000])
def test_an_array_longer_than_its_message_is_refused_before_anything_is_made_of_it(count: int) -> None:
    empty_array = struct.pack("<IBBi", 1, 1, 0x80, count)
    with pytest.raises(ValueError, match="nulls"):
        Decoder().data_changes(Cursor(struct.pack("<i", 1) + empty_array))
    with pytest.raises(ValueError, match="announced"):
        Decoder().data_changes(Cursor(struct.pack("<i", count) + empty_array))
    with pytest.raises(ValueError, match="announced"):
        Decoder().data_changes(Cursor(struct.pack("<iIBBi", 1, 1, 1, 0x85, count)))


def test_the_library_still_numbers_its_types_as_the_standard_does() -> None:
    assert ObjectIds.PublishResponse_Encoding_DefaultBinary == decode.PUBLISH_RESPONSE
    assert ObjectIds.RepublishResponse_Encoding_DefaultBinary == decode.REPUBLISH_RESPONSE
    assert ObjectIds.ReadResponse_Encoding_DefaultBinary == builtin.READ_RESPONSE
    assert ObjectIds.CreateMonitoredItemsResponse_Encoding_DefaultBinary == builtin.CREATE_MONITORED_ITEMS_RESPONSE
    assert ObjectIds.ServerStatusDataType_Encoding_DefaultBinary == builtin.SERVER_STATUS
    assert ObjectIds.DataChangeNotification_Encoding_DefaultBinary == decode.DATA_CHANGE
    assert ObjectIds.StatusChangeNotification_Encoding_DefaultBinary == decode.STATUS_CHANGE
    assert extensionobject_to_binary(ua.DataChangeNotification())[:4] == nodeid_to_binary(
        ua.FourByteNodeId(ua.Int32(decode.DATA_CHANGE))
    )


MIXED = [Kind.Double, Kind.UInt16, Kind.Boolean, Kind.UInt64, Kind.DateTime, Kind.Float, Kind.SByte]


@given(
    st.lists(st.tuples(st.sampled_from(MIXED), st.booleans(), st.booleans(), st.booleans()), min_size=2, max_size=30),
    st.integers(0, 100),
)
def test_a_shape_that_comes_again_is_read_without_looking_at_each_item(fields: Any, step: int) -> None:
    def values(number: int) -> list[ua.DataValue]:
        code = ua.StatusCode(ua.UInt32(0x40930000))
        return [
            ua.DataValue(
                ua.Variant(
                    TIME if kind is Kind.DateTime else number % 2 == 0 if kind is Kind.Boolean else number, kind
                ),
                code if status else ua.StatusCode(),
                SourceTimestamp=TIME if source else None,
                ServerTimestamp=TIME if server else None,
            )
            for kind, status, source, server in fields
        ]

    decoder = Decoder()
    for number in (step, step + 1):
        decoder.publish(response(values(number)))
    decoder._one_by_one = None  # type: ignore[method-assign,assignment]  # not needed any more
    body = response(values(step + 2))
    mine = decoder.publish(body).rows[0]
    other = from_result(struct_from_binary(ua.PublishResponse, Buffer(body)).Parameters).rows[0]
    for column in ("handle", "value", "source_time", "status"):
        np.testing.assert_array_equal(getattr(mine, column), getattr(other, column))


def nested(depth: int) -> bytes:
    """A Variant in a Variant in a Variant ..."""
    return bytes([24]) * depth + bytes([1, 1])


NULLS = struct.pack("<Bi", 0x80, 2**31 - 1)
ARGUMENT_BOMB = bytes([22, 1, 0]) + struct.pack("<HBi", 300, 1, len(NULLS)) + NULLS


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(NULLS, id="array-of-nulls"),
        pytest.param(bytes([24]) + NULLS, id="array-of-nulls-in-a-variant"),
        pytest.param(struct.pack("<Bi", 0x98, 2**31 - 1) + NULLS, id="array-of-variants"),
        pytest.param(struct.pack("<Bi", 0x98, 200_000) + bytes(200_000), id="too-many-variants"),
        pytest.param(bytes([23, 1]) + NULLS, id="data-value"),
        pytest.param(nested(100_000), id="nested"),
        pytest.param(bytes([25]) + bytes([64]) * 100_000, id="nested-diagnostics"),
        pytest.param(struct.pack("<Bi", 12, 2**31 - 1), id="long-text"),
        pytest.param(struct.pack("<Bi", 0x8B, 2**31 - 1), id="long-array"),
        pytest.param(struct.pack("<BB", 0x86 | 0x40, 0) + bytes(3) + struct.pack("<i", 2**31 - 1), id="dimensions"),
        pytest.param(struct.pack("<B4i", 0x83 | 0x40, 0, 2, 2, 500_000), id="dimensions-without-elements"),
        pytest.param(struct.pack("<B4i", 0x83 | 0x40, 0, 2, -1, -1), id="negative-dimensions"),
        pytest.param(struct.pack("<B2i", 0x83 | 0x40, 0, 900) + struct.pack("<i", 1) * 900, id="many-dimensions"),
        pytest.param(bytes([26]), id="no-such-type"),
    ],
)
def test_a_decode_bomb_is_refused_before_anything_is_made_of_it(variant: bytes) -> None:
    changes = struct.pack("<iIB", 1, 1, 1) + variant + bytes(16)
    with pytest.raises(ValueError, match=r"nulls|announced|nested|elements|type|dimensions"):
        Decoder().data_changes(Cursor(changes))
    header = struct_to_binary(ua.ReadResponse())[:28]
    with pytest.raises(ValueError, match=r"nulls|announced|nested|elements|type|dimensions"):
        vet(header + struct.pack("<iB", 1, 1) + variant)


def test_an_object_that_was_not_asked_for_is_refused_wherever_the_library_would_decode_it() -> None:
    answer = ua.ReadResponse()
    answer.Results = [ua.DataValue(ua.Variant(ua.LiteralOperand(Value=ua.Variant(1, Kind.Byte)), Kind.ExtensionObject))]
    with pytest.raises(ValueError, match="not asked for"):
        vet(struct_to_binary(answer))
    answer.Results = [ua.DataValue(ua.Variant(ua.ServerStatusDataType(), Kind.ExtensionObject))]
    vet(struct_to_binary(answer))
    fault = ua.ServiceFault()
    body = struct_to_binary(fault)
    bomb = body[:-3] + bytes([1, 0]) + struct.pack("<HBi", 597, 1, 5) + NULLS
    with pytest.raises(ValueError, match="not asked for"):
        vet(bomb)
