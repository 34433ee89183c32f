"""Sparkplug 3.0, an edge node's session: CONNECT and will, primary host, commands, deaths, other servers and versions.

A test for each assertion of the specification, named by its id, on what a real broker saw.
"""

import asyncio
import socket
from itertools import pairwise

import pytest

from gateway.broker import start_broker
from gateway.sparkplug.session import next_bdseq
from tests.system.sparkplug_capture import NEEDS, Assertions, capture
from tests.system.sparkplug_rig import MACHINES, Log, Plant
from tests.system.uplink_rig import WatchedLedger

pytestmark = [NEEDS, pytest.mark.timeout(120)]

HOLDS = Assertions()
BASE = "spBv1.0/foshan:appliances"


def connects(seen, link=""):
    found = seen.control("connect", link)
    assert found
    return found


@HOLDS.of("tck-id-principles-persistence-clean-session-50")
def mqtt_5_starts_clean_and_leaves_nothing(seen):
    new = [one for one in connects(seen) if one.of["protocolVersion"] == 5]
    assert len(new) == 8
    for one in new:
        assert one.of["clean"] is True
        assert one.of.get("properties", {}).get("sessionExpiryInterval", 0) == 0


@HOLDS.of("tck-id-principles-persistence-clean-session-311")
def mqtt_3_starts_clean(seen):
    assert [(one.link, one.of["clean"]) for one in connects(seen) if one.of["protocolVersion"] == 4] == [("o2", True)]


@HOLDS.of(
    "tck-id-message-flow-edge-node-birth-publish-will-message",
    "tck-id-payloads-ndeath-will-message",
)
def every_connect_has_a_will(seen):
    assert all("will" in one.of for one in connects(seen))


@HOLDS.of("tck-id-topics-ndeath-topic", "tck-id-message-flow-edge-node-birth-publish-will-message-topic")
def the_will_is_an_ndeath(seen):
    topics = {one.of["will"]["topic"] for one in connects(seen)} | {one.topic for one in seen.sent("NDEATH")}
    assert topics == {f"{BASE}/NDEATH/cooker3"}


@HOLDS.of(
    "tck-id-payloads-ndeath-will-message-qos",
    "tck-id-message-flow-edge-node-birth-publish-will-message-qos",
)
def the_will_has_qos_1(seen):
    assert {one.of["will"]["qos"] for one in connects(seen)} == {1}


@HOLDS.of(
    "tck-id-payloads-ndeath-will-message-retain",
    "tck-id-message-flow-edge-node-birth-publish-will-message-will-retained",
)
def the_will_is_not_retained(seen):
    assert {one.of["will"]["retain"] for one in connects(seen)} == {False}


@HOLDS.of("tck-id-message-flow-edge-node-birth-publish-will-message-payload")
def the_will_is_read_by_another_library(seen):
    for one in connects(seen):
        (metric,) = one.of["will"]["lib"]["metrics"]
        assert (metric["name"], metric["type"]) == ("bdSeq", "Int64")


@HOLDS.of("tck-id-topics-ndeath-payload")
def an_ndeath_has_its_bdseq_and_nothing_else(seen):
    deaths = [one.of["will"]["wire"] for one in connects(seen)] + [one.wire for one in seen.sent("NDEATH")]
    assert len(deaths) > 8
    assert all([metric["name"] for metric in one["metrics"]] == ["bdSeq"] for one in deaths)


@HOLDS.of("tck-id-topics-ndeath-seq", "tck-id-payloads-ndeath-seq")
def an_ndeath_is_not_counted(seen):
    deaths = [one.of["will"]["wire"] for one in connects(seen)] + [one.wire for one in seen.sent("NDEATH")]
    assert not any("seq" in one for one in deaths)


@HOLDS.of(
    "tck-id-topics-nbirth-bdseq-increment",
    "tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
)
def bdseq_counts_connects_from_0_over_restarts(seen):
    told = [one.of["will"]["wire"]["metrics"][0] for one in connects(seen)]
    assert [one["longValue"] for one in told] == list(range(9))
    assert {one["datatype"] for one in told} == {4}
    assert [next_bdseq(one) for one in (None, "torn", "0", "254", "255")] == [0, 0, 1, 255, 0]


@HOLDS.of("tck-id-message-flow-edge-node-birth-publish-connect")
def nothing_is_published_before_the_broker_took_the_connect(seen):
    for link in seen.links:
        answers = [one.n for one in seen.packets if one.link == link and one.cmd == "connack"]
        assert all(one.n > answers[0] for one in seen.sent(link=link))
    assert len(seen.sent("NBIRTH")) > 6


@HOLDS.of("tck-id-message-flow-edge-node-ncmd-subscribe", "tck-id-topics-ncmd-topic")
def it_listens_for_commands_to_the_node(seen):
    subscribed(seen, f"{BASE}/NCMD/cooker3")


@HOLDS.of("tck-id-message-flow-device-dcmd-subscribe", "tck-id-topics-dcmd-topic")
def it_listens_for_commands_to_each_device_only_to_refuse_them(seen):
    for name in MACHINES:
        subscribed(seen, f"{BASE}/DCMD/cooker3/{name}")


def subscribed(seen, topic):
    links = [link for link in seen.links if seen.sent("NBIRTH", link=link)]
    assert links
    for link in links:
        wanted = {
            (one["topic"], one["qos"]) for packet in seen.control("subscribe", link) for one in subscriptions(packet)
        }
        assert (topic, 1) in wanted


def subscriptions(packet):
    return packet.of["subscriptions"]


@HOLDS.of(
    "tck-id-message-flow-edge-node-birth-publish-phid-wait",
    "tck-id-operational-behavior-edge-node-birth-sequence-wait",
    "tck-id-message-flow-edge-node-birth-publish-phid-wait-online",
)
def no_birth_while_the_primary_host_is_away(seen):
    assert seen.sent(before="no host") == []
    assert seen.sent(link="a3", before="still away") == []
    assert seen.sent("NBIRTH", after="no host", before="caught up")
    assert seen.sent("NBIRTH", link="a3", after="still away")


@HOLDS.of("tck-id-message-flow-edge-node-birth-publish-phid-wait-id")
def another_host_online_is_not_the_one_waited_for(seen):
    states = [one for one in seen.control("subscribe", "a1") for one in subscriptions(one) if "STATE" in one["topic"]]
    assert {one["topic"] for one in states} == {"spBv1.0/STATE/scada"}
    assert seen.sent(before="no host") == []


@HOLDS.of(
    "tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp",
    "tck-id-operational-behavior-edge-node-termination-host-offline-timestamp",
)
def an_older_word_of_the_host_tells_nothing(seen):
    heard = [one.of["text"] for one in seen.packets if one.way == "down" and one.link == "a1" and "text" in one.of]
    assert heard[:3] == [
        '{"online": false, "timestamp": 1000}',
        '{"online": true, "timestamp": 500}',
        '{"online": true, "timestamp": 2000}',
    ]
    assert seen.sent(before="no host") == []
    assert seen.sent("NDEATH", link="a2", before="old word ignored") == []


@HOLDS.of(
    "tck-id-message-flow-edge-node-birth-publish-phid-offline",
    "tck-id-operational-behavior-edge-node-termination-host-offline",
)
def it_leaves_when_its_host_goes(seen):
    (goodbye,) = seen.control("disconnect", "a2")
    assert [one.kind for one in seen.sent(link="a2", after="host away")] == ["NDEATH"]
    assert goodbye.n > seen.marks["old word ignored"]


@HOLDS.of("tck-id-operational-behavior-edge-node-termination-host-offline-reconnect")
def it_comes_back_after_its_host_went(seen):
    assert connects(seen, "a3")[0].n > seen.control("disconnect", "a2")[0].n


@HOLDS.of("tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk")
def it_goes_to_the_next_server_when_its_host_went(seen):
    walked = connects(seen, "b1")[0].n
    assert seen.control("disconnect", "a5")[0].n < walked < seen.sent("NBIRTH", link="b1")[0].n


@HOLDS.of("tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server")
def it_is_at_one_server_at_a_time(seen):
    spans = [
        (min(one.n for one in seen.packets if one.link == link), max(one.n for one in seen.packets if one.link == link))
        for link in seen.links
    ]
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(spans))


@HOLDS.of(
    "tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath",
    "tck-id-payloads-ndeath-will-message-publisher",
)
def it_tells_its_death_before_it_leaves(seen):
    for link in ("a2", "a3", "a4", "a5", "b1", "o2"):
        (goodbye,) = seen.control("disconnect", link)
        assert seen.sent(link=link)[-1].kind == "NDEATH"
        assert seen.sent(link=link)[-1].n <= goodbye.n
    assert seen.sent("NDEATH", link="a1") == []


@HOLDS.of("tck-id-operational-behavior-edge-node-intentional-disconnect-packet")
def a_disconnect_follows_its_death(seen):
    for link in ("a3", "a4", "b1", "o2"):
        last = [one for one in seen.packets if one.link == link and one.way == "up" and one.cmd != "puback"][-2:]
        assert [one.cmd for one in last] == ["publish", "disconnect"]


@HOLDS.of("tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50")
def mqtt_5_leaves_with_its_will(seen):
    for link in ("a2", "a3", "a4", "a5", "b1"):
        assert [one.of["reasonCode"] for one in seen.control("disconnect", link)] == [4]


@HOLDS.of("tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311")
def mqtt_3_tells_its_death_first(seen):
    (death,), (goodbye,) = seen.sent("NDEATH", link="o2"), seen.control("disconnect", "o2")
    order = [one for one in seen.packets if one in (death, goodbye)]
    assert order == [death, goodbye]


@HOLDS.of("tck-id-operational-behavior-device-ddeath")
def a_machine_that_is_lost_dies_and_is_born_again(seen):
    kinds = [one.kind for one in seen.sent(link="a1", after="lost", before="commands") if one.device == "washer1"]
    assert kinds[:3] == ["DDEATH", "DBIRTH", "DDATA"]
    assert "DDEATH" not in kinds[1:]


@HOLDS.of("tck-id-topics-ddeath-topic")
def ddeath_topic(seen):
    assert [one.topic for one in seen.sent("DDEATH")] == [f"{BASE}/DDEATH/cooker3/washer1"]


@HOLDS.of("tck-id-topics-ddeath-mqtt")
def ddeath_flags(seen):
    assert [(one.of["qos"], one.of["retain"]) for one in seen.sent("DDEATH")] == [(0, False)]


@HOLDS.of(
    "tck-id-topics-ddeath-seq-num",
    "tck-id-payloads-ddeath-seq",
    "tck-id-payloads-ddeath-seq-inc",
    "tck-id-payloads-ddeath-seq-number",
)
def ddeath_counts_on(seen):
    assert seen.out_of_step("DDEATH") == []


@HOLDS.of("tck-id-payloads-ddeath-timestamp")
def ddeath_tells_when(seen):
    assert all(seen.began <= one.wire["timestamp"] <= seen.ended for one in seen.sent("DDEATH"))


@HOLDS.of("tck-id-operational-behavior-data-commands-rebirth-action-1")
def after_a_rebirth_request_no_data_before_the_births(seen):
    asked = [
        one.n
        for one in seen.packets
        if one.link == "a1" and one.way == "down" and one.cmd == "publish" and one.kind == "NCMD"
        if any(metric.get("name") == "Node Control/Rebirth" for metric in one.metrics)
    ]
    assert len(asked) == 5
    for n in asked:
        assert next(one for one in seen.sent(link="a1") if one.n > n).kind == "NBIRTH"


@HOLDS.of("tck-id-operational-behavior-data-commands-rebirth-action-2")
def a_rebirth_is_the_whole_birth(seen):
    kinds = [one.kind for one in seen.sent(link="a1", after="commands", before="commanded")]
    assert [kind for kind in kinds if kind.endswith("BIRTH")] == ["NBIRTH", "DBIRTH", "DBIRTH"] * 5


@pytest.mark.parametrize("holds", HOLDS.params())
def test_session(holds):
    holds(capture())


def test_bdseq_is_on_disk_before_its_connect_leaves():
    seen = capture()
    for number, connect in enumerate(connects(seen)):
        assert seen.marks[f"kept {number}"] < connect.n
    assert seen.on_disk == "8"


def test_whatever_wants_to_write_is_refused_with_a_fault_and_answered_by_nothing():
    seen = capture()
    for what in ("good", "alias", "good DCMD press1", "rebirth DCMD press1"):
        n = seen.marks[f"refused {what}"]
        asked = max(one.n for one in seen.packets if one.kind in ("NCMD", "DCMD") and one.n < n)
        assert [one for one in seen.sent(link="a1") if asked < one.n < n] == []
    assert seen.faults.count("+command_refused") >= 6


def test_a_node_that_was_never_born_publishes_no_death():
    seen = capture()
    (goodbye,) = seen.control("disconnect", "a6")
    assert goodbye.of["reasonCode"] == 4
    assert seen.sent(link="a6") == []


def test_what_was_recorded_while_the_host_was_away_is_told_once_it_is_back_as_historical():
    seen = capture()
    told = seen.sent("DDATA", link="a3")
    assert told
    assert all(metric.get("isHistorical") for one in told for metric in one.metrics)


async def test_a_connect_that_never_left_takes_no_number(tmp_path):
    ledger = await WatchedLedger.open(tmp_path / "ledger", group_s=0.01)
    plant = Plant(ledger, Log())
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with asyncio.timeout(100), plant.running(port, host=None):
        await plant.noted("+not_connected")
        async with start_broker(tmp_path / "broker", "mosquitto", port):
            await plant.noted("-not_connected")
    await ledger.close()
    assert plant.kept == ["0"]
