"""The one request we encode ourselves, against the library's encoder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from asyncua import ua
from asyncua.client.ua_client import UaClient
from asyncua.common.utils import Buffer
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import (
    nodeid_from_binary,
    nodeid_to_binary,
    struct_from_binary,
    struct_to_binary,
    variant_to_binary,
)
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua import wire
from drivers.opcua.request import publish_request

U32 = st.integers(0, 2**32 - 1)
TOKENS = st.one_of(
    st.builds(ua.NumericNodeId, U32, st.integers(0, 65535)),
    st.builds(ua.ByteStringNodeId, st.binary(min_size=1, max_size=40), st.integers(0, 65535)),
    st.builds(ua.GuidNodeId, st.uuids(), st.integers(0, 65535)),
)


@given(TOKENS, st.integers(0, 2**62), U32, st.lists(st.tuples(U32, U32), max_size=20))
def test_a_publish_request_reads_as_it_was_meant(
    token: ua.NodeId, time: int, handle: int, acknowledged: list[tuple[int, int]]
) -> None:
    octets = Buffer(publish_request(nodeid_to_binary(token), time, handle, acknowledged))
    request = struct_from_binary(ua.PublishRequest, octets)
    assert len(octets) == 0
    assert request.TypeId == ua.FourByteNodeId(ua.Int32(ObjectIds.PublishRequest_Encoding_DefaultBinary))
    assert request.RequestHeader.AuthenticationToken == nodeid_from_binary(Buffer(nodeid_to_binary(token)))
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time // 1000)
    assert abs(request.RequestHeader.Timestamp.replace(tzinfo=dt.UTC) - moment) <= dt.timedelta(microseconds=10)
    assert request.RequestHeader.RequestHandle == handle
    assert request.RequestHeader.AuditEntryId is None
    assert request.RequestHeader.TimeoutHint == 0
    told = [(one.SubscriptionId, one.SequenceNumber) for one in request.Parameters.SubscriptionAcknowledgements]
    assert told == acknowledged


@pytest.mark.parametrize("read", [wire.answered, wire.published])
def test_a_fault_in_place_of_the_response_is_looked_through_before_the_library_decodes_it(
    read: Callable[[UaClient, Buffer], bytes],
) -> None:
    fault = ua.ServiceFault()
    bomb = ua.Variant([None], ua.VariantType.Null, is_array=True)
    fault.ResponseHeader.AdditionalHeader = ua.ExtensionObject(
        ua.FourByteNodeId(ua.Int32(ObjectIds.Argument_Encoding_DefaultBinary)), ua.ByteString(variant_to_binary(bomb))
    )
    with pytest.raises(ValueError, match="not asked for"):
        read(UaClient(), Buffer(struct_to_binary(fault)))
