"""Sparkplug 3.0, an edge node's births: ids and topics, certificates of node and devices, their metrics.

A test for each assertion of the specification that a birth can prove, named by its id, on what a real broker saw.
"""

import pytest

from tests.system.sparkplug_capture import NEEDS, Assertions, capture
from tests.system.sparkplug_rig import MACHINES

pytestmark = [NEEDS, pytest.mark.timeout(120)]

RESERVED = set("+/#")
HOLDS = Assertions()
NODE_BIRTH = ("spBv1.0", "foshan:appliances", "NBIRTH", "cooker3")


def births(seen, *kinds):
    found = seen.sent(*(kinds or ("NBIRTH", "DBIRTH")))
    assert found
    return found


@HOLDS.of("tck-id-topic-structure", "tck-id-topic-structure-namespace-a")
def every_topic_is_of_the_namespace(seen):
    for one in seen.sent():
        words = one.topic.split("/")
        assert words[0] == "spBv1.0"
        assert len(words) == (5 if one.kind.startswith("D") else 4)


@HOLDS.of("tck-id-intro-group-id-string", "tck-id-topic-structure-namespace-valid-group-id")
def the_group_stands_in_every_topic(seen):
    assert {one.topic.split("/")[1] for one in seen.sent()} == {"foshan:appliances"}


@HOLDS.of("tck-id-intro-edge-node-id-string", "tck-id-topic-structure-namespace-valid-edge-node-id")
def the_edge_node_stands_in_every_topic(seen):
    assert {one.topic.split("/")[3] for one in seen.sent()} == {"cooker3"}


@HOLDS.of("tck-id-intro-device-id-string", "tck-id-topic-structure-namespace-valid-device-id")
def the_machine_stands_in_every_topic_of_a_device(seen):
    assert {one.device for one in seen.sent("DBIRTH", "DDATA", "DDEATH")} == set(MACHINES)


@HOLDS.of("tck-id-intro-group-id-chars", "tck-id-intro-edge-node-id-chars", "tck-id-intro-device-id-chars")
def words_hold_no_reserved_character(seen):
    for one in seen.sent():
        assert not any(RESERVED & set(word) for word in one.topic.split("/"))


@HOLDS.of("tck-id-topic-structure-namespace-unique-device-id")
def no_device_is_born_twice_in_a_birth(seen):
    for birth in births(seen, "NBIRTH"):
        following = [one for one in seen.sent(link=birth.link) if one.n >= birth.n]
        first = [one.device for one in following[1 : 1 + len(MACHINES)]]
        assert len(set(first)) == len(first)


@HOLDS.of("tck-id-topic-structure-namespace-device-id-associated-message-types")
def device_messages_name_a_device(seen):
    assert {one.device for one in seen.sent("DBIRTH", "DDATA", "DDEATH")} == set(MACHINES)


@HOLDS.of("tck-id-topic-structure-namespace-device-id-non-associated-message-types")
def node_messages_name_none(seen):
    assert not any(one.device for one in seen.sent("NBIRTH", "NDATA", "NDEATH"))


@HOLDS.of("tck-id-case-sensitivity-sparkplug-ids")
def ids_differ_by_more_than_case(seen):
    words = ["foshan:appliances", "cooker3", *MACHINES]
    assert {word.casefold() for word in words} == {word.casefold() for one in seen.sent() for word in ids(one)}
    assert len({word.casefold() for word in words}) == len(words)


def ids(one):
    words = one.topic.split("/")
    return [words[1], *words[3:]]


@HOLDS.of("tck-id-case-sensitivity-metric-names")
def metric_names_differ_by_more_than_case(seen):
    for one in births(seen):
        names = [metric["name"].casefold() for metric in one.metrics]
        assert len(set(names)) == len(names)


@HOLDS.of("tck-id-topics-nbirth-topic", "tck-id-message-flow-edge-node-birth-publish-nbirth-topic")
def nbirth_topic(seen):
    assert {tuple(one.topic.split("/")) for one in births(seen, "NBIRTH")} == {NODE_BIRTH}


@HOLDS.of(
    "tck-id-topics-nbirth-mqtt",
    "tck-id-payloads-nbirth-qos",
    "tck-id-payloads-nbirth-retain",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-qos",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-retained",
)
def nbirth_flags(seen):
    assert all((one.of["qos"], one.of["retain"]) == (0, False) for one in births(seen, "NBIRTH"))


@HOLDS.of(
    "tck-id-topics-nbirth-seq-num",
    "tck-id-payloads-nbirth-seq",
    "tck-id-payloads-sequence-num-req-nbirth",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-payload-seq",
)
def nbirth_begins_the_count(seen):
    assert all(one.wire["seq"] == 0 for one in births(seen, "NBIRTH"))


@HOLDS.of("tck-id-topics-nbirth-timestamp", "tck-id-payloads-nbirth-timestamp")
def nbirth_tells_when(seen):
    stamps = [one.wire["timestamp"] for one in births(seen, "NBIRTH")]
    assert stamps == sorted(stamps)
    assert all(seen.began <= stamp <= seen.ended for stamp in stamps)


@HOLDS.of("tck-id-topics-nbirth-metric-reqs", "tck-id-operational-behavior-data-publish-nbirth")
def nbirth_announces_all_the_node_tells(seen):
    known = {link: seen.births_of(link) for link in seen.links}
    told = [(one, metric) for one in seen.sent("NDATA") for metric in one.metrics]
    assert told
    assert all(("", metric["alias"]) in known[one.link] for one, metric in told)


@HOLDS.of("tck-id-topics-dbirth-metric-reqs", "tck-id-operational-behavior-data-publish-dbirth")
def dbirth_announces_all_its_device_tells(seen):
    known = {link: seen.births_of(link) for link in seen.links}
    told = [(one, metric) for one in seen.sent("DDATA") for metric in one.metrics]
    assert told
    assert all((one.device, metric["alias"]) in known[one.link] for one, metric in told)


@HOLDS.of(
    "tck-id-topics-nbirth-metrics",
    "tck-id-operational-behavior-data-publish-nbirth-values",
)
def nbirth_metrics_have_name_datatype_and_value(seen):
    complete(births(seen, "NBIRTH"))


@HOLDS.of(
    "tck-id-topics-dbirth-metrics",
    "tck-id-operational-behavior-data-publish-dbirth-values",
)
def dbirth_metrics_have_name_datatype_and_value(seen):
    complete(births(seen, "DBIRTH"))


def complete(messages):
    for one in messages:
        for metric in one.metrics:
            values = [key for key in metric if key.endswith("Value")]
            assert metric["name"]
            assert metric["datatype"]
            assert (values == []) if metric.get("isNull") else (len(values) == 1)


@HOLDS.of(
    "tck-id-topics-nbirth-bdseq-included",
    "tck-id-payloads-nbirth-bdseq",
    "tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq",
)
def nbirth_has_a_bdseq(seen):
    assert all(one.metric("bdSeq")["datatype"] == 4 for one in births(seen, "NBIRTH"))


@HOLDS.of(
    "tck-id-topics-nbirth-bdseq-matching",
    "tck-id-payloads-nbirth-bdseq-repeat",
    "tck-id-payloads-ndeath-bdseq",
    "tck-id-operational-behavior-data-commands-rebirth-action-3",
)
def nbirth_repeats_the_bdseq_of_its_will(seen):
    for link in seen.links:
        (connect,) = seen.control("connect", link)
        (will,) = connect.of["will"]["wire"]["metrics"]
        assert {one.metric("bdSeq")["longValue"] for one in seen.sent("NBIRTH", link=link)} <= {will["longValue"]}
    assert len(seen.sent("NBIRTH", link="a1")) > 1


@HOLDS.of(
    "tck-id-topics-nbirth-rebirth-metric",
    "tck-id-payloads-nbirth-rebirth-req",
    "tck-id-operational-behavior-data-commands-rebirth-name",
    "tck-id-operational-behavior-data-commands-rebirth-datatype",
    "tck-id-operational-behavior-data-commands-rebirth-value",
)
def nbirth_offers_a_rebirth(seen):
    for one in births(seen, "NBIRTH"):
        offered = one.metric("Node Control/Rebirth")
        assert (offered["datatype"], offered["booleanValue"]) == (11, False)


@HOLDS.of("tck-id-operational-behavior-data-commands-rebirth-name-aliases")
def the_rebirth_metric_has_no_alias(seen):
    assert not any("alias" in one.metric("Node Control/Rebirth") for one in births(seen, "NBIRTH"))


@HOLDS.of("tck-id-message-flow-edge-node-birth-publish-nbirth-payload")
def nbirth_is_read_by_another_library(seen):
    readable(births(seen, "NBIRTH"))


@HOLDS.of("tck-id-message-flow-device-birth-publish-dbirth-payload")
def dbirth_is_read_by_another_library(seen):
    readable(births(seen, "DBIRTH"))


def readable(messages):
    for one in messages:
        names = {metric["name"]: metric for metric in one.of["lib"]["metrics"]}
        assert len(names) == len(one.metrics)
        assert all(metric["type"] in ("Int32", "Int64", "Double", "Boolean", "String") for metric in names.values())


@HOLDS.of("tck-id-topics-dbirth-topic", "tck-id-message-flow-device-birth-publish-dbirth-topic")
def dbirth_topic(seen):
    wanted = {f"spBv1.0/foshan:appliances/DBIRTH/cooker3/{name}" for name in MACHINES}
    assert {one.topic for one in births(seen, "DBIRTH")} == wanted


@HOLDS.of("tck-id-message-flow-device-birth-publish-dbirth-match-edge-node-topic")
def dbirth_repeats_the_ids_of_its_node(seen):
    assert {tuple(ids(one)[:2]) for one in births(seen)} == {("foshan:appliances", "cooker3")}


@HOLDS.of(
    "tck-id-topics-dbirth-mqtt",
    "tck-id-payloads-dbirth-qos",
    "tck-id-payloads-dbirth-retain",
    "tck-id-message-flow-device-birth-publish-dbirth-qos",
    "tck-id-message-flow-device-birth-publish-dbirth-retained",
)
def dbirth_flags(seen):
    assert all((one.of["qos"], one.of["retain"]) == (0, False) for one in births(seen, "DBIRTH"))


@HOLDS.of("tck-id-topics-dbirth-timestamp", "tck-id-payloads-dbirth-timestamp")
def dbirth_tells_when(seen):
    assert all(seen.began <= one.wire["timestamp"] <= seen.ended for one in births(seen, "DBIRTH"))


@HOLDS.of(
    "tck-id-topics-dbirth-seq",
    "tck-id-payloads-dbirth-seq",
    "tck-id-payloads-dbirth-seq-inc",
    "tck-id-message-flow-device-birth-publish-dbirth-payload-seq",
)
def dbirth_counts_on(seen):
    assert seen.out_of_step("DBIRTH") == []


@HOLDS.of("tck-id-message-flow-device-birth-publish-nbirth-wait", "tck-id-payloads-dbirth-order")
def dbirth_follows_its_nbirth_before_any_data(seen):
    for link in seen.links:
        kinds = [one.kind for one in seen.sent(link=link)]
        for place, kind in enumerate(kinds):
            if kind == "NBIRTH":
                assert kinds[place + 1 : place + 1 + len(MACHINES)] == ["DBIRTH"] * len(MACHINES)


@HOLDS.of("tck-id-principles-birth-certificates-order")
def the_first_message_is_the_nbirth(seen):
    spoke = [seen.sent(link=link)[0].kind for link in seen.links if seen.sent(link=link)]
    assert len(spoke) >= 6
    assert set(spoke) == {"NBIRTH"}


@HOLDS.of("tck-id-payloads-alias-uniqueness")
def no_alias_is_given_twice(seen):
    for link in seen.links:
        given = {
            (metric["alias"], one.device, metric["name"])
            for one in seen.sent("NBIRTH", "DBIRTH", link=link)
            for metric in one.metrics
            if "alias" in metric
        }
        assert len({alias for alias, _, _ in given}) == len(given)


@HOLDS.of("tck-id-payloads-alias-birth-requirement")
def births_give_name_and_alias(seen):
    for one in births(seen):
        bare = [metric["name"] for metric in one.metrics if "alias" not in metric]
        assert bare == (["Node Control/Rebirth"] if one.kind == "NBIRTH" else [])


@HOLDS.of("tck-id-payloads-metric-datatype-req")
def births_give_every_datatype(seen):
    assert all("datatype" in metric for one in births(seen) for metric in one.metrics)


@HOLDS.of("tck-id-payloads-metric-datatype-value-type", "tck-id-payloads-metric-datatype-value")
def datatypes_are_of_the_list(seen):
    assert {metric["datatype"] for one in births(seen) for metric in one.metrics} <= set(range(1, 35))


@HOLDS.of("tck-id-payloads-metric-propertyvalue-type-req")
def births_type_every_property(seen):
    typed = [value.get("type") for one in births(seen) for _, _, value in one.properties]
    assert typed
    assert all(typed)


@pytest.mark.parametrize("holds", HOLDS.params())
def test_births(holds):
    holds(capture())
