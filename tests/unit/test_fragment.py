"""What a survey found becomes a table: every value finds its type and order, every name is new."""

from __future__ import annotations

import struct
import tomllib
from itertools import pairwise

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from agent.commands.fragment import ORDERS, modbus_tables, offer_report, opcua_table, orders
from drivers.modbus.address import Space
from drivers.modbus.datatype import octet_order
from drivers.modbus.device import ModbusDevice
from drivers.modbus.survey import Unit, joined
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.services import LOOKING, OnlyThese
from drivers.opcua.survey import Endpoint, Found, Offer, Variable

FORMS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "f32": ">f", "u64": ">Q", "i64": ">q", "f64": ">d"}


@given(datatype=st.sampled_from(sorted(FORMS)), order=st.sampled_from(ORDERS), value=st.integers(1, 30_000))
def test_a_value_typed_in_finds_the_order_it_was_laid_out_in(datatype, order, value):
    straight = struct.pack(FORMS[datatype], value)
    laid = bytearray(len(straight))
    for octet, place in zip(straight, octet_order(len(straight), order), strict=True):
        laid[place] = octet
    fits = orders(bytes(laid), value)
    assert (datatype, "ABCD" if len(straight) == 2 else order) in fits


@given(st.sets(st.integers(0, 300)))
def test_pieces_become_runs_without_a_hole(places):
    runs = joined(Space.INPUT_REGISTER, [(place, 1) for place in sorted(places)])
    assert {run.start + offset for run in runs for offset in range(run.count)} == places
    assert all(one.start + one.count < two.start for one, two in pairwise(runs))


@given(st.sets(st.integers(0, 400), min_size=1))
def test_the_modbus_table_has_the_registers_that_are_there(places):
    runs = joined(Space.HOLDING_REGISTER, [(place, 1) for place in sorted(places)])
    (table,) = tomllib.loads(modbus_tables([Unit(1, {}, tuple(runs), 1, 0.0, 0.0)], "h", 502, "device1"))["device"]
    device = ModbusDevice.model_validate(table)
    assert [tag.place[1] for tag in device.tag] == sorted(places)[:125]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8, unique=True))
def test_the_opcua_table_holds_whatever_nodes_are_called(names):
    variables = tuple(Variable(2, f"s={name}", name, "u16", name) for name in names)
    found = Found("", {}, ("urn:a", "urn:b", "urn:c"), variables, whole=True, median_s=0.0, slowest_s=0.0)
    link = {"name": "device1", "driver": "opcua", "url": "opc.tcp://h:4840/", "security": "sign_and_encrypt"}
    (table,) = tomllib.loads(opcua_table(found, link))["device"]
    device = OpcuaDevice.model_validate(table)
    assert [tag.node for tag in device.tag] == [f"s={name}" for name in names]
    assert len({tag.name for tag in device.tag}) == len(names)
    assert device.namespace == "urn:c"


def test_an_offer_without_users_or_certificate_is_told_all_the_same():
    assert list(offer_report(Offer((Endpoint("None", "None", ()),), None, None)))[1:] == ["  None None: none told"]


@pytest.mark.parametrize("request_type", [ua.WriteRequest, ua.CallRequest, ua.CreateSubscriptionRequest])
def test_a_look_sends_nothing_but_reads_and_browses(request_type):
    guard = OnlyThese(LOOKING)
    with pytest.raises(ValueError, match="never sends it"):
        guard.observe_request(request_type())
    assert guard.observe_request(ua.BrowseRequest()) is not None
