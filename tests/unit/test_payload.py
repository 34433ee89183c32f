"""Every payload of random nouns fits its schema in docs/schema, and nothing unlisted can leave the plant."""

import json
import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agent.model import (
    SECOND,
    Batch,
    Cause,
    Decision,
    Fault,
    Inspection,
    Job,
    Kind,
    Kpi,
    Line,
    LineNow,
    Machine,
    MachineNow,
    MachineState,
    Order,
    Plan,
    Record,
    Samples,
    State,
    Verdict,
    Window,
)
from gateway import payload as wire
from gateway.consumer import Consumer
from gateway.live import LAST_WILL, birth, data_address, live
from gateway.order import OrderError, parse_order
from gateway.public import alias, band, public
from gateway.raw import raw
from gateway.topic import Topic, parse, topic

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
# Stands in every field whose text must never reach the public tree.
SECRET = "SECRET"
LINE = Line(
    "foshan",
    "appliances",
    "cooker3",
    {"en": "Rice cooker line 3", "zh-CN": "电饭煲三线"},
    17.0,
    "Asia/Shanghai",
    tuple(Machine(name, {"en": name}, {31: SECRET}) for name in ("press1", "trim1")),
    {f"{SECRET}-P": {"en": SECRET}, "B": {"en": SECRET}},
    {"utilization": 90.0},
)


def fits(schema: str, definition: str, payload: object) -> None:
    """Check against one definition, after a trip through JSON text."""
    document = json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8"))
    document |= {"$ref": f"#/$defs/{definition}"} if definition else {}
    Draft202012Validator(document).validate(json.loads(wire.encode({"": payload}))[""])


statuses = st.sampled_from([0, 0x4000_0000, 0x808A_0000])
times = st.integers(0, 4_000_000_000 * SECOND)
secrets = st.just(SECRET)
numbers = st.floats(0, 1e6)
shares = st.floats(0, 1)
machines = st.sampled_from(["press1", "trim1"])
statuses = st.sampled_from([0, 0x4000_0000, 0x808A_0000])
states = st.one_of(
    st.builds(MachineState, st.sampled_from([State.EXECUTING, State.OUT_OF_SERVICE, State.UNKNOWN])),
    st.builds(MachineState, st.just(State.NOT_EXECUTING), st.sampled_from(Cause), st.sampled_from([None, 31, 99])),
)
windows = st.builds(Window, st.sampled_from(["shift", "hour"]), st.just("day"), times, times)
kpis = st.builds(
    Kpi,
    st.sampled_from([("utilization", "%"), ("first_pass_yield", "%"), ("takt", "s"), ("good", "parts")]),
    st.sampled_from(["", "press1", "trim1"]),
    windows,
    numbers,
    numbers,
    st.just(""),
    st.none() | numbers,
    st.none() | numbers,
    st.none() | numbers,
    st.just(5.0),
    st.sampled_from([5.0, 5.05, 10.0]),
    st.none() | numbers,
    times,
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
).map(lambda kpi: replace(kpi, name=kpi.name[0], unit=kpi.name[1]))
faults = st.builds(Fault, secrets, secrets, secrets, secrets, times)
inspections = st.builds(
    Inspection,
    secrets,
    machines,
    times,
    st.sampled_from(Verdict),
    shares,
    shares,
    st.none() | shares,
    st.none() | secrets,
    secrets,
    st.none() | st.just("SECRET.webp"),
    st.booleans(),
    numbers,
)
jobs = st.builds(
    Job,
    secrets,
    st.sampled_from([*LINE.products, "SECRET-not-listed"]),
    st.integers(0, 9),
    machines,
    times,
    times,
    numbers,
    st.integers(1, 500),
    st.just({"code": "same_family", "saves_s": 360.0, "over": SECRET}),
)
plans = st.builds(
    Plan, st.lists(jobs, max_size=8).map(tuple), st.just("policy"), st.just(SECRET), times, st.integers(0, 9), shares
)
standing = st.builds(
    MachineNow,
    machines,
    states,
    times,
    st.none() | st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.sampled_from([None, 16.2, float("nan")]),
    times,
    st.booleans(),
)
lines_now = st.builds(
    LineNow,
    secrets,
    st.integers(0, 10**9),
    times,
    st.booleans(),
    st.sampled_from([1.0, 60.0]),
    st.booleans(),
    st.lists(standing, max_size=2, unique_by=lambda machine: machine.name).map(tuple),
    st.lists(kpis, max_size=6).map(tuple),
    st.lists(faults, max_size=2).map(tuple),
    st.lists(inspections, max_size=4).map(tuple),
    st.none() | plans,
)
orders = st.builds(Order, st.just("J17"), st.just("B"), st.integers(1, 1000), times, st.sampled_from([1.0, 5.0]))
bodies = st.one_of(
    st.builds(
        lambda now, was, seen: (Kind.STATE, wire.state_body(LINE.machines[0], now, was, seen)), states, states, times
    ),
    st.builds(
        lambda note, raw: (Kind.COUNT, wire.count_body("good", 1, 412, 0, raw, note)),
        st.sampled_from(["baseline", "wrap", "reset", "restart", "suspect", "late", None]),
        st.none() | st.integers(0, 2**64),
    ),
    inspections.map(lambda one: (Kind.INSPECTION, wire.inspection_body(one))),
    kpis.map(lambda one: (Kind.KPI, wire.figure(one))),
    plans.map(lambda one: (Kind.PLAN, wire.plan_body(LINE, one))),
    st.builds(lambda one, on: (Kind.FAULT, wire.fault_body(one, is_set=on)), faults, st.booleans()),
    st.builds(lambda a, b: (Kind.GAP, wire.gap_body("press1", "not_connected", a, b, 0, 70)), times, times),
    orders.map(lambda one: (Kind.ORDER, wire.order_body(one))),
    st.just((Kind.AUDIT, wire.audit_body("start", "0.1.0"))),
    st.just((Kind.AUDIT, wire.audit_body("login", "0.1.0", "", "u3f9c2a71", "operator"))),
    st.builds(
        lambda at, was, verdict: (
            Kind.VERDICT,
            wire.verdict_body(
                Decision(
                    "diecast1",
                    7,
                    "diecast1-000001",
                    at,
                    verdict,
                    Verdict.ASK,
                    was,
                    "u3f9c2a71",
                    "operator",
                    simulated=True,
                )
            ),
        ),
        times,
        st.none() | st.integers(1, 99),
        st.sampled_from([Verdict.PASS, Verdict.REJECT]),
    ),
    st.builds(
        lambda at, was: (Kind.REASON, wire.reason_body(7, at, "cleaning", was, "u3f9c2a71", "operator")),
        times,
        st.none() | st.integers(1, 99),
    ),
)


def batch_of(rows):
    numbers = [math.nan if isinstance(value, str) else value for _, value, *_ in rows]
    return Batch(
        np.array([tag for tag, *_ in rows], np.uint32),
        np.array(numbers, np.float64),
        np.array([time for _, _, time, _ in rows], np.int64),
        np.array([status for *_, status in rows], np.uint32),
        max((time for _, _, time, _ in rows), default=0),
        1,
        {place: value for place, (_, value, *_) in enumerate(rows) if isinstance(value, str)},
    )


@given(bodies, times, st.integers(1, 2**53), st.booleans())
def test_every_record_fits_its_schema(body, time, seq, simulated):
    kind, value = body
    record = Record(kind, "press1", time, value, simulated, seq)
    fits("wire", "record", wire.record("0a1b", record))


@given(lines_now, st.sampled_from([{}, {"SECRET.webp": "data:image/webp;base64,AAAA"}]))
def test_every_live_payload_fits_its_schema(now, images):
    for where, payload in live(LINE, now, "7F3A", now.time, images).items():
        fits("wire", f"live{where.contract}", payload)
    fits("wire", "online", birth(LINE, now)[1])
    fits("wire", "last_will", LAST_WILL)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.floats() | st.text(max_size=9), times, statuses), max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_raw_values_fit_their_schema_and_keep_their_order(batches):
    samples = Samples("cell1", ("clock", "light", "serial"), tuple(batch_of(rows) for rows in batches), simulated=True)
    payload = raw(samples)
    fits("wire", "live_raw", json.loads(wire.encode(payload)))
    rows = [row for batch in batches for row in batch]
    told = payload["value"]
    assert told["tag"] == [tag for tag, *_ in rows]
    assert told["time"] == [time // 1_000_000 for _, _, time, _ in rows]
    assert told["status"] == [status for *_, status in rows]
    for value, (_, wanted, *_) in zip(told["value"], rows, strict=True):
        assert value == wanted if isinstance(wanted, str) or math.isfinite(wanted) else value is None
    assert public(LINE, topic(LINE, "_raw"), payload) is None


@given(lines_now)
def test_nothing_unlisted_leaves_the_plant(now):
    for where, payload in live(LINE, now, "7F3A", now.time, {"SECRET.webp": "data:image/webp;base64,AAAA"}).items():
        twin = public(LINE, where, payload)
        if twin is None:
            assert where.contract == "_fault"
            continue
        assert str(twin[0]) == str(where).replace("tanchang/", "tanchang-public/", 1)
        fits("public", f"live{where.contract}", twin[1])
        assert SECRET.encode() not in wire.encode(twin[1])
        assert twin[1]["sim"] == payload["sim"]


@given(lines_now, st.sampled_from(["recipe", "operator", "good"]))
def test_a_field_added_to_the_wire_later_does_not_leave_by_itself(now, name):
    for where, payload in live(LINE, now, "7F3A", now.time, {}).items():
        value = payload["value"]
        for fields in value if isinstance(value, list) else [value, value.get("last", {}), *value.get("jobs", ())]:
            fields[name] = 4711
        twin = public(LINE, where, payload | {name: 4711})
        if twin is not None:
            fits("public", f"live{where.contract}", twin[1])


@given(bodies, times)
def test_no_record_leaves_the_plant(body, time):
    kind, value = body
    payload = wire.record("0a1b", Record(kind, "press1", time, value, simulated=True, seq=1))
    assert public(LINE, topic(LINE, f"_{kind}", "press1"), payload) is None


@given(lines_now)
def test_figures_of_few_parts_are_hidden_and_ratios_are_rounded_in_public(now):
    where = topic(LINE, "_kpi")
    payload = live(LINE, now, "7F3A", 0, {})[where]
    twin = public(LINE, where, payload)
    assert twin is not None
    shown = [one for one in payload["value"] if one["name"] in ("utilization", "first_pass_yield", "takt")]
    for one, told in zip(shown, twin[1]["value"], strict=True):
        if one["name"] != "utilization" and one["denominator"] < 30:
            assert told["value"] is told["low"] is told["high"] is None
        elif one["value"] is not None:
            assert told["value"] == pytest.approx(one["value"], abs=0.0501)


def test_parts_become_a_band():
    assert [band(n) for n in (0, 29.9, 30, 1234, 5000)] == [[0, 30], [0, 30], [30, 100], [1000, 2000], [5000, 10000]]


def test_products_are_told_apart_by_an_alias():
    assert alias(LINE, "B") == {"en": "Product B", "zh-CN": "产品 B"}
    assert alias(LINE, "unlisted")["en"] == "Product ?"


@given(
    st.sampled_from(["press1", ""]),
    st.sampled_from(["_state", "_line", "_online", "_order", "_audit"]),
    st.booleans(),
)
def test_a_topic_parses_back(machine, contract, is_public):
    where = topic(LINE, contract, machine)
    where = where.public if is_public else where
    assert parse(str(where)) == where


@pytest.mark.parametrize(
    "text",
    [
        "tanchang/v1/foshan/appliances/cooker3",
        "tanchang/v1/foshan/appliances/cooker3/press1/_unheard_of",
        "tanchang/v2/foshan/appliances/cooker3/press1/_state",
        "other/foshan/appliances/cooker3/press1/_state",
        "tanchang/v1/foshan/appliances/cooker3/press1/x/_state",
        "tanchang/v1/foshan//cooker3/press1/_state",
        "tanchang/v1/_foshan/appliances/cooker3/_state",
    ],
)
def test_a_topic_that_is_not_ours_is_none(text):
    assert parse(text) is None


@pytest.mark.parametrize("word", ["压力机", "a/b", "a b", "#", "+", "a.b", "_x"])
def test_a_word_a_topic_cannot_hold_is_refused(word):
    with pytest.raises(ValueError, match="cannot stand in a topic"):
        topic(LINE, "_state", word)


def test_an_unknown_contract_is_refused():
    with pytest.raises(ValueError, match="is no contract"):
        topic(LINE, "_recipe")


def test_topics_are_spelled_as_documented():
    assert str(topic(LINE, "_state", "press1")) == "tanchang/v1/foshan/appliances/cooker3/press1/_state"
    assert str(Topic("s", "a", "l", "", "_line").public) == "tanchang-public/v1/s/a/l/_line"


@given(times)
def test_times_are_written_in_milliseconds_and_read_back(time):
    text = wire.iso(time)
    assert wire.nanoseconds(datetime.fromisoformat(text)) == time // 1_000_000 * 1_000_000


def test_unknown_and_doubtful_records_say_so():
    def quality(kind: Kind, body: wire.Json) -> str:
        return wire.record("0a", Record(kind, "press1", 0, body, simulated=True, seq=1))["quality"]

    assert quality(Kind.STATE, {"state": "UNKNOWN"}) == "unknown"
    assert quality(Kind.COUNT, {"note": "suspect"}) == "uncertain"
    assert quality(Kind.COUNT, {"note": None}) == "good"
    assert quality(Kind.GAP, {}) == "unknown"
    assert quality(Kind.KPI, {"value": 88.2, "coverage": 0.944}) == "uncertain"
    assert quality(Kind.KPI, {"value": None, "coverage": 1.0}) == "unknown"


def test_an_image_too_large_or_of_no_known_type_is_left_out():
    assert data_address("a.webp", b"x" * 60_000) is None
    assert data_address("a.exe", b"x") is None
    assert data_address("a.PNG", b"x") == "data:image/png;base64,eA=="


ORDER = {"order": "J17", "product": "B", "quantity": 120, "due": "2026-11-22T20:00:00+08:00"}


def test_an_order_is_read_with_its_time_zone():
    fits("order", "", ORDER)
    assert parse_order(LINE, wire.encode(ORDER)) == Order("J17", "B", 120, 1795348800 * SECOND, 1.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quantity": -1}, "quantity"),
        ({"quantity": "12"}, "quantity"),
        ({"due": "2026-11-22T20:00:00"}, "due"),
        ({"product": "Z"}, "write one of"),
        ({"weight": 0}, "weight"),
        ({"colour": "red"}, "colour"),
        ({"order": "J 17"}, "order"),
    ],
)
def test_a_wrong_order_is_refused_with_what_to_write(change, says):
    with pytest.raises(OrderError, match=says):
        parse_order(LINE, wire.encode(ORDER | change))


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"order"'])
def test_junk_on_the_order_topic_is_refused(junk):
    with pytest.raises(OrderError):
        parse_order(LINE, junk)


def test_the_record_of_an_order_is_not_an_order():
    record = Record(Kind.ORDER, "", 0, wire.order_body(Order("J17", "B", 1, 0)), simulated=True, seq=3)
    assert parse_order(LINE, wire.encode(wire.record("0a", record))) is None


@given(st.lists(st.integers(1, 30), max_size=60))
def test_a_consumer_that_keeps_one_integer_counts_each_record_once(seqs):
    consumer, counted = Consumer(), []
    for seq in seqs:
        before = consumer.last.get("a")
        verdict = consumer.take({"ledger": "a", "seq": seq})
        if verdict != "seen":
            counted.append(seq)
        assert (verdict == "gap") == (before is not None and seq > before + 1)
    assert counted == sorted(set(counted))


def test_a_consumer_keeps_ledgers_apart():
    consumer = Consumer({"a": 5})
    verdicts = [consumer.take({"ledger": ledger, "seq": seq}) for ledger, seq in (("a", 5), ("b", 1), ("a", 6))]
    assert verdicts == ["seen", "new", "new"]
