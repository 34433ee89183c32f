"""OPC UA device tables that say what is wrong; nothing is unsecured unless it is written."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.catalog import DRIVERS, create, device_type
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.identity import origin

GOOD = {"name": "good", "node": "s=press.good", "datatype": "u16"}
PLAIN = {"name": "o", "driver": "opcua", "url": "opc.tcp://plc:4840/", "namespace": "urn:plc", "security": "none"}


def device(*tags: dict[str, Any], **more: Any) -> OpcuaDevice:
    table = PLAIN | {"tag": tags} | more
    return OpcuaDevice.model_validate({key: value for key, value in table.items() if value is not ...})


@pytest.mark.parametrize(
    "node", ["s=press.good", "ns=2;s=press;good", "i=2258", "ns=3;g=09087e75-8e5e-499b-954f-f2a9603db28a"]
)
def test_a_node_is_written_in_short_or_in_full(node: str) -> None:
    assert device(GOOD | {"node": node}).tag[0].node == node


@pytest.mark.parametrize("node", ["press.good", "s=", "ns=x;s=good", "i=good", "ns=2;good"])
def test_what_is_no_node_is_refused_with_an_example(node: str) -> None:
    with pytest.raises(ValidationError, match=r"write a|'i=' takes a number"):
        device(GOOD | {"node": node})


def test_no_security_has_to_be_written() -> None:
    assert device(GOOD, security=...).security == "sign_and_encrypt"
    assert device(GOOD, security=...).warnings == ()
    assert "isolated" in device(GOOD).warnings[0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"username": "line3"}, "never sent over a link"),
        ({"security": ..., "password_file": "p"}, "write the username"),
        ({"security": ..., "certificate": "c.der"}, "both certificate and private_key"),
        ({"security": ..., "username": "u", "user_certificate": "c", "user_private_key": "k"}, "one user"),
    ],
)
def test_an_identity_is_written_whole_and_never_goes_over_an_open_link(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        device(GOOD, **keys)


def test_a_short_node_needs_a_namespace() -> None:
    with pytest.raises(ValidationError, match="write namespace"):
        device(GOOD, namespace=...)
    assert device(GOOD | {"node": "ns=2;s=good"}, namespace=...).namespace is None


@pytest.mark.parametrize(("clock", "words"), [("time", "no tag 'time'"), ("good", "must be ms since 1970")])
def test_a_clock_must_be_a_tag_that_can_be_one(clock: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        device(GOOD, clock=clock)


def test_a_counter_wraps_at_its_width() -> None:
    own = device(GOOD, GOOD | {"name": "f", "datatype": "f32"}, GOOD | {"name": "any", "datatype": None})
    assert [own.modulus(name) for name in ("good", "f", "any")] == [2**16, None, None]


def test_a_server_that_says_nothing_of_itself_is_a_real_one() -> None:
    assert origin([None]).simulated is False
    assert origin([None]).speed == 1.0


@pytest.mark.parametrize(("driver", "library"), [("modbus", "pymodbus"), ("opcua", "asyncua")])
def test_a_device_table_is_checked_without_its_protocol_library(driver: str, library: str) -> None:
    code = f"import sys, drivers.catalog as c; c.device_type({driver!r}); sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = f"import sys, drivers.{driver}.driver; sys.exit({library!r} not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_catalog_makes_each_driver_for_its_own_table() -> None:
    tag = {"modbus": {"name": "t", "address": "HR0", "datatype": "u16"}, "opcua": GOOD}
    tables = {"modbus": {"name": "m", "driver": "modbus", "host": "plc"}, "opcua": PLAIN}
    assert set(DRIVERS) == set(tables)
    for name, table in tables.items():
        own = device_type(name).model_validate(table | {"tag": [tag[name]]})
        driver = create(own)
        assert driver.device is own
        assert driver.device_type is type(own)


def test_one_wrong_tag_is_one_mistake_and_no_tag_is_one_too() -> None:
    for tags in ([GOOD | {"every": "soon"}], []):
        with pytest.raises(ValidationError) as caught:
            device(*tags)
        assert caught.value.error_count() == 1


@pytest.mark.parametrize("url", ["opc.tcp://plc", "http://plc:4840", "opc.tcp://me:secret@plc:4840/", "plc:4840"])
def test_an_address_without_a_port_or_with_a_password_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValidationError, match="write host and port"):
        device(GOOD, url=url)


@pytest.mark.parametrize("url", ["opc.tcp://plc:4840", "opc.tcp://[::1]:4840/ua/server"])
def test_an_address_with_host_and_port_is_taken(url: str) -> None:
    assert device(GOOD, url=url).address == url


def test_a_thumbprint_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="64 hexadecimal digits"):
        device(GOOD, server_thumbprint="ab:cd")
