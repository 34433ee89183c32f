"""What a server can be asked for is the stricter of what it says and what is known of its kind."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from drivers.opcua.limits import USUAL, fitting, limits
from drivers.opcua.profiles import PROFILES
from tests.unit.test_opcua_device import GOOD, device

LIMITS = {"per_read", "items_per_call", "items", "sessions", "publishing_ms", "queue"}
KEYS = LIMITS | {"manufacturer", "product", "source"}


@pytest.mark.parametrize(
    ("told", "profile", "per_read", "items_per_call"),
    [
        ((None, None), {}, USUAL, USUAL),
        ((0, 0), {}, USUAL, USUAL),
        ((50, 20), {}, 50, 20),
        ((50, 500), {"items_per_call": 100}, 50, 100),
        (("many", 10), {"per_read": 7, "items_per_call": 100}, 7, 10),
    ],
)
def test_the_stricter_limit_holds(told, profile, per_read, items_per_call):
    found = limits(told, profile)
    assert (found.per_read, found.items_per_call) == (per_read, items_per_call)


def test_every_profile_is_whole_and_says_where_it_is_from():
    for name, profile in PROFILES.items():
        assert set(profile) <= KEYS, name
        assert profile["source"], name
        assert profile["manufacturer"] or profile["product"], name
        assert limits((None, None), profile).queue <= USUAL


@pytest.mark.parametrize(
    ("vendor", "product", "name"),
    [
        ("Siemens AG", "S7-1200 OPC UA server", "s7-1200"),
        ("Siemens AG", "S7-1500", "s7-1500"),
        ("PTC", "KEPServerEX", "kepware"),
        ("NodeOPCUA : MIT Licence", "NodeOPCUA-Server", "node-opcua"),
        ("FreeOpcUa", "FreeOpcUa Python Server", None),
        ("", "", None),
    ],
)
def test_a_server_is_known_by_its_build_info(vendor, product, name):
    assert fitting(PROFILES, vendor, product) == name


def test_a_device_that_is_too_large_for_its_profile_is_a_mistake_of_the_line_file():
    tags = [GOOD | {"name": f"t{n}"} for n in range(1001)]
    with pytest.raises(ValidationError, match=r'takes 1000 items, this device has 1001 tags; .* mode = "poll"'):
        device(*tags, profile="s7-1200")
    assert device(*tags, profile="s7-1200", mode="poll").profile == "s7-1200"
    assert device(*tags[:1000], profile="s7-1200").profile == "s7-1200"
    with pytest.raises(ValidationError, match="write one of s7-1200"):
        device(GOOD, profile="s7-300")
