"""Sparkplug 3.0, an edge node's data: by exception, in order, counted, marked; records told late are historical.

A test for each assertion of the specification that data can prove, named by its id, on what a real broker saw.
"""

import json

import pytest

from tests.system.sparkplug_capture import BACKLOG, MANY, NEEDS, Assertions, capture

pytestmark = [NEEDS, pytest.mark.timeout(120)]

HOLDS = Assertions()


def data(seen, *kinds):
    found = seen.sent(*(kinds or ("NDATA", "DDATA")))
    assert found
    return found


def named(seen, one):
    """The metrics of a data message with the names that the births of its link gave their aliases."""
    known = seen.births_of(one.link)
    return [(known[one.device, metric["alias"]]["name"], metric) for metric in one.metrics]


@HOLDS.of("tck-id-topics-ndata-topic")
def ndata_topic(seen):
    assert {one.topic for one in data(seen, "NDATA")} == {"spBv1.0/foshan:appliances/NDATA/cooker3"}


@HOLDS.of("tck-id-topics-ddata-topic")
def ddata_topic(seen):
    wanted = {f"spBv1.0/foshan:appliances/DDATA/cooker3/{name}" for name in ("press1", "washer1")}
    assert {one.topic for one in data(seen, "DDATA")} == wanted


@HOLDS.of("tck-id-topics-ndata-mqtt", "tck-id-payloads-ndata-qos", "tck-id-payloads-ndata-retain")
def ndata_flags(seen):
    assert {(one.of["qos"], one.of["retain"]) for one in data(seen, "NDATA")} == {(0, False)}


@HOLDS.of("tck-id-topics-ddata-mqtt", "tck-id-payloads-ddata-qos", "tck-id-payloads-ddata-retain")
def ddata_flags(seen):
    assert {(one.of["qos"], one.of["retain"]) for one in data(seen, "DDATA")} == {(0, False)}


@HOLDS.of("tck-id-topics-ndata-seq-num", "tck-id-payloads-ndata-seq", "tck-id-payloads-ndata-seq-inc")
def ndata_counts_on(seen):
    assert seen.out_of_step("NDATA") == []


@HOLDS.of("tck-id-topics-ddata-seq-num", "tck-id-payloads-ddata-seq", "tck-id-payloads-ddata-seq-inc")
def ddata_counts_on(seen):
    assert seen.out_of_step("DDATA") == []


@HOLDS.of("tck-id-payloads-sequence-num-always-included")
def everything_but_a_death_of_the_node_is_counted(seen):
    assert all(("seq" in one.wire) == (one.kind != "NDEATH") for one in seen.sent())


@HOLDS.of("tck-id-payloads-sequence-num-incrementing")
def after_255_comes_0(seen):
    run = [one.wire["seq"] for one in seen.sent(link="a1", before="reported")]
    assert len(run) > MANY > 256
    assert run == [place % 256 for place in range(len(run))]


@HOLDS.of("tck-id-topics-ndata-timestamp", "tck-id-payloads-ndata-timestamp")
def ndata_tells_when(seen):
    assert all(seen.began <= one.wire["timestamp"] <= seen.ended for one in data(seen, "NDATA"))


@HOLDS.of("tck-id-topics-ddata-timestamp", "tck-id-payloads-ddata-timestamp")
def ddata_tells_when(seen):
    assert all(seen.began <= one.wire["timestamp"] <= seen.ended for one in data(seen, "DDATA"))


@HOLDS.of("tck-id-payloads-timestamp-in-UTC")
def message_times_are_utc(seen):
    stamps = [one.wire["timestamp"] for one in seen.sent()]
    assert all(seen.began <= stamp <= seen.ended for stamp in stamps)


@HOLDS.of("tck-id-payloads-metric-timestamp-in-UTC")
def metric_times_are_those_of_the_plant_in_utc(seen):
    counted = [
        metric["timestamp"] for one in data(seen, "DDATA") for name, metric in named(seen, one) if name == "good"
    ]
    plant = 1_790_000_000_000
    assert set(range(plant + 1000, plant + MANY * 1000, 1000)) <= set(counted)


@HOLDS.of("tck-id-payloads-name-birth-data-requirement")
def every_metric_has_a_time(seen):
    every = [metric for one in seen.sent("NBIRTH", "DBIRTH", "NDATA", "DDATA") for metric in one.metrics]
    assert all("timestamp" in metric for metric in every)


@HOLDS.of("tck-id-topics-ndata-payload", "tck-id-operational-behavior-data-publish-nbirth-change")
def ndata_tells_what_changed_and_only_that(seen):
    told = [named(seen, one) for one in seen.sent("NDATA", link="a1", after="not durable", before="reported")]
    assert [[(name, metric["booleanValue"]) for name, metric in one] for one in told] == [
        [("tc/durable", False)],
        [("tc/durable", True)],
    ]


@HOLDS.of("tck-id-topics-ddata-payload", "tck-id-operational-behavior-data-publish-dbirth-change")
def ddata_tells_what_changed_and_only_that(seen):
    told = [named(seen, one) for one in seen.sent("DDATA", link="a1", after="caught up", before="reported")]
    names = [{name for name, _ in one} for one in told]
    assert names.count({"good", "tc/seq"}) == MANY + 1
    assert {"state", "cause", "reason", "reason_word", "tc/seq"} in names
    assert len(names) <= MANY + 4


@HOLDS.of("tck-id-principles-rbe-recommended")
def nothing_is_told_periodically(seen):
    for link in seen.links:
        last = {}
        for one in seen.sent("NBIRTH", "DBIRTH", "NDATA", "DDATA", link=link):
            if one.kind.endswith("BIRTH"):
                last = {key: value for key, value in last.items() if key[0] != one.device}
            elif "tc/seq" in dict(named(seen, one)):
                continue
            for metric in one.metrics:
                said = {key: value for key, value in metric.items() if key not in ("timestamp", "name", "datatype")}
                key = (one.device, metric.get("alias"))
                assert one.kind.endswith("BIRTH") or last.get(key) != said
                last[key] = said


@HOLDS.of("tck-id-operational-behavior-data-publish-nbirth-order")
def node_metrics_stand_in_order_of_time(seen):
    in_order(seen.sent("NBIRTH", "NDATA"))


@HOLDS.of("tck-id-operational-behavior-data-publish-dbirth-order")
def device_metrics_stand_in_order_of_time(seen):
    in_order(seen.sent("DBIRTH", "DDATA"))


def in_order(messages):
    assert messages
    for one in messages:
        times = [metric["timestamp"] for metric in one.metrics if not metric.get("isHistorical")]
        assert times == sorted(times)


@HOLDS.of("tck-id-payloads-ndata-order")
def no_ndata_before_all_births(seen):
    after_births(seen, "NDATA")


@HOLDS.of("tck-id-payloads-ddata-order")
def no_ddata_before_all_births(seen):
    after_births(seen, "DDATA")


def after_births(seen, kind):
    for link in seen.links:
        kinds = [one.kind for one in seen.sent(link=link)]
        if kind in kinds:
            assert kinds[:3] == ["NBIRTH", "DBIRTH", "DBIRTH"]
            assert kinds.index(kind) > 2


@HOLDS.of("tck-id-payloads-name-requirement", "tck-id-payloads-alias-data-cmd-requirement")
def data_gives_the_alias_alone(seen):
    every = [metric for one in data(seen) for metric in one.metrics]
    assert all("alias" in metric and "name" not in metric for metric in every)


@HOLDS.of("tck-id-payloads-metric-datatype-not-req")
def data_gives_no_datatype(seen):
    assert not any("datatype" in metric for one in data(seen) for metric in one.metrics)


@HOLDS.of("tck-id-payloads-propertyset-keys-array-size", "tck-id-payloads-propertyset-values-array-size")
def properties_are_pairs(seen):
    sets = [metric["properties"] for one in seen.sent() for metric in one.metrics if "properties" in metric]
    assert sets
    assert all(len(one["keys"]) == len(one["values"]) > 0 for one in sets)


@HOLDS.of("tck-id-payloads-metric-propertyvalue-type-type", "tck-id-payloads-metric-propertyvalue-type-value")
def property_types_are_of_the_list(seen):
    basic, sets = set(range(1, 15)), {20, 21}
    assert {value["type"] for one in seen.sent() for _, _, value in one.properties} <= basic | sets


@HOLDS.of("tck-id-payloads-propertyset-quality-value-type")
def quality_is_a_signed_32_bit_integer(seen):
    assert {value["type"] for value in qualities(seen)} == {3}


@HOLDS.of("tck-id-payloads-propertyset-quality-value-value")
def quality_is_one_of_three_numbers(seen):
    assert {value["intValue"] for value in qualities(seen)} == {0, 192, 500}


def qualities(seen):
    return [value for one in seen.sent() for _, key, value in one.properties if key == "Quality"]


@pytest.mark.parametrize("holds", HOLDS.params())
def test_data(holds):
    holds(capture())


def seqs(seen, link):
    """The seq of every record told on a link, in order."""
    metrics = [pair for one in seen.sent("NDATA", "DDATA", link=link) for pair in named(seen, one)]
    return [metric["longValue"] for name, metric in metrics if name == "tc/seq"]


def test_a_consumer_that_keeps_one_integer_gets_every_record_once_over_all_links():
    seen, held = capture(), 0
    for link in seen.links:
        for seq in seqs(seen, link):
            assert seq <= held + 1
            held = max(held, seq)
    assert held == seen.last_seq
    assert {one.metric("tc/ledger")["stringValue"] for one in seen.sent("NBIRTH")} == {seen.ledger}


def test_births_say_which_record_comes_next():
    seen = capture()
    for link in seen.links:
        born = seen.sent("NBIRTH", link=link)[:1]
        assert [one.metric("tc/seq")["longValue"] + 1 for one in born] == seqs(seen, link)[: len(born)]


def test_what_was_recorded_while_nobody_listened_is_historical_and_what_comes_after_is_not():
    seen = capture()
    replayed = [one for one in seen.sent("DDATA", before="caught up") if "seq" in one.wire]
    flags = [metric.get("isHistorical", False) for one in replayed for _, metric in named(seen, one)]
    assert flags == [True] * BACKLOG * 2
    fresh = seen.sent("DDATA", link="a1", after="caught up", before="reported")
    late = [metric for one in fresh for _, metric in named(seen, one) if metric.get("isHistorical")]
    assert len(late) == 2
    assert late[0]["timestamp"] == late[1]["timestamp"] == 1_790_000_000_000 - 60_000


def test_totals_end_where_the_plant_ends_though_one_was_told_late():
    seen = capture()
    goods = [
        metric["longValue"]
        for one in seen.sent("DDATA", link="a1", before="reported")
        for name, metric in named(seen, one)
        if one.device == "washer1" and name == "good" and not metric.get("isHistorical")
    ]
    assert goods == [*range(401, 401 + MANY // 2), 401 + MANY // 2]


def test_what_is_simulated_says_so_in_births_and_data():
    seen = capture()
    for one in seen.sent("DBIRTH", "DDATA"):
        for metric in one.metrics:
            if "datatype" in metric and metric["name"].startswith(("tc/", "inspection/", "kpi/")):
                continue
            marked = any(key == "simulated" for other, key, _ in one.properties if other is metric)
            assert marked == (one.device == "press1")
    told = {one.device: one.metric("tc/simulated")["booleanValue"] for one in seen.sent("DBIRTH")}
    assert told == {"press1": True, "washer1": False}


def test_a_figure_without_value_is_null_and_stale_and_a_record_of_the_line_is_told_whole():
    seen = capture()
    birth = seen.sent("DBIRTH")[0]
    oee = birth.metric("kpi/shift/oee")
    assert oee["isNull"] is True
    marks = {key: value for metric, key, value in birth.properties if metric is oee}
    assert (marks["Quality"]["intValue"], marks["engUnit"]["stringValue"]) == (500, "%")
    told = [metric for one in seen.sent("NDATA", link="a1") for name, metric in named(seen, one) if name == "tc/record"]
    envelope = json.loads(told[0]["stringValue"])
    assert (envelope["kind"], envelope["value"]["code"]) == ("fault", "not_connected")
