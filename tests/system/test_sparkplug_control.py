"""The control: each check of an edge node's assertions fails on a life in which somebody broke the rules."""

import copy
import functools
from dataclasses import replace

import pytest

from tests.system import test_sparkplug_births as births
from tests.system import test_sparkplug_data as data
from tests.system import test_sparkplug_session as session
from tests.system.sparkplug_capture import NEEDS, Packet, capture

pytestmark = [NEEDS, pytest.mark.timeout(120)]

CHECKS = births.HOLDS.by_id | data.HOLDS.by_id | session.HOLDS.by_id


def flags(of):
    of |= {"qos": 1 - of["qos"] if of["qos"] in (0, 1) else 0, "retain": not of["retain"], "clean": False}
    of |= {"reasonCode": 0, "subscriptions": []}
    if "will" in of:
        of["will"] |= {"qos": 0, "retain": True}


def topics(of):
    words = (of.get("topic") or "").split("/")
    if words[0] == "spBv1.0" and len(words) > 3:
        of["topic"] = "/".join(["spBv1.0", "a#", words[2], "x", *(["y+"] if len(words) == 4 else [])])
    if "will" in of:
        of["will"]["topic"] = "x"


def devices(of):
    words = (of.get("topic") or "").split("/")
    if len(words) == 5:
        of["topic"] = "/".join([*words[:4], words[4].upper() + "+"])


def counts(of):
    of["wire"]["seq"] = of["wire"].get("seq", 0) * 2 + 1


def times(of):
    of["wire"]["timestamp"] = 1
    for metric in of["wire"].get("metrics", []):
        metric.pop("timestamp", None)


def one_name(of):
    for metric in of["wire"].get("metrics", []):
        metric |= {"name": "good", "alias": 7}


def no_name(of):
    for metric in of["wire"].get("metrics", []):
        metric.pop("name", None)
        metric.pop("datatype", None)


def strangers(of):
    for metric in of["wire"].get("metrics", []):
        metric["alias"] = metric.get("alias", 0) + (0 if "name" in metric else 9999)


def types(of):
    for metric in of["wire"].get("metrics", []):
        metric["datatype"] = 99 if "datatype" in metric else 3


def properties(of):
    for metric in of["wire"].get("metrics", []):
        if "properties" in metric:
            metric["properties"]["keys"].append("x")
            for value in metric["properties"]["values"]:
                value |= {"type": 99, "intValue": 1}


def values(of):
    for metric in of["wire"].get("metrics", []):
        metric |= {key: 77 for key in metric if key.endswith("Value")} | {"booleanValue": True}


def unreadable(of):
    of["lib"]["metrics"] = []


def no_will(of):
    of.pop("will", None)


BREAKS = (flags, topics, devices, counts, times, one_name, no_name, strangers, types, properties, values, unreadable)


def broken(seen, how):
    """The same life with every packet, and every will as a packet of its own kind, changed."""
    packets = []
    for one in seen.packets:
        of = copy.deepcopy(one.of)
        for part in (of, of.get("will") or {}):
            if how in (flags, topics, devices, no_will):
                how(of)
                break
            if "wire" in part:
                how(part)
        packets.append(Packet(one.n, one.link, one.way, one.cmd, of))
    return replace(seen, packets=tuple(packets))


@functools.cache
def lives():
    """Lives that break a rule each: what is sent, what is left out, and when."""
    seen = capture()
    numbers = [one.n for one in seen.packets][::-1]
    backwards = [replace(one, n=n) for one, n in zip(seen.packets, numbers, strict=True)]
    left_out = [one for one in seen.packets if one.kind != "NDEATH" and one.cmd not in ("disconnect", "connack")]
    return [
        *(broken(seen, how) for how in (*BREAKS, no_will)),
        replace(seen, packets=tuple(sorted(backwards, key=lambda one: one.n))),
        replace(seen, packets=tuple(left_out)),
        replace(seen, packets=tuple(two for one in seen.packets for two in (one, one))),
        replace(seen, marks=dict.fromkeys(seen.marks, 10**9)),
        replace(seen, packets=()),
    ]


def fails(check, seen):
    try:
        check(seen)
    except (AssertionError, LookupError, TypeError, ValueError, StopIteration):
        return True
    return False


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in CHECKS.items()])
def test_the_check_fails_where_the_rule_is_broken(check):
    assert any(fails(check, life) for life in lives())
