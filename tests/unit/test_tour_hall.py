"""What a display knows of a line: live messages in, one document out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tour.hall import Hall
from tests import tour_line as line


def hall(messages: list[line.Message], mono: float = 0.0) -> Hall:
    held = Hall(line.topic())
    for topic, payload in line.wire(messages):
        assert held.take(topic, payload, mono)
    return held


def words(document: dict[str, Any]) -> list[str]:
    return [machine["word"] for machine in document["machines"]]


def test_document_shows_the_machines_in_the_order_of_the_flow_with_their_counts() -> None:
    document = hall(line.whole()).document(0.0)
    counted = {machine["name"]: (machine["good"], machine["scrap"]) for machine in document["machines"]}
    assert counted == line.COUNTS
    assert list(counted) == list(line.NAMES)
    assert words(document) == ["executing", "stopped", "unknown", "starved", "executing"]


def test_a_record_on_the_same_topic_is_never_counted() -> None:
    held = hall(line.whole())
    before = held.document(0.0)
    topic, payload = line.machine("press1", line.GOOD["press1"])[0]
    assert not held.take(topic, json.dumps(payload | {"ledger": "00", "seq": 7}).encode(), 0.0)
    assert held.document(0.0) == before


def test_three_missed_heartbeats_make_the_line_stale_and_every_machine_unknown() -> None:
    held = hall(line.whole(line.GOOD), mono=100.0)
    assert not held.document(105.9)["marks"]["stale"]
    document = held.document(106.0)
    assert document["marks"]["stale"]
    assert document["marks"]["since"] == "2026-11-20T06:32:05Z"
    assert set(words(document)) == {"unknown"}
    assert document["story"] is None
    assert document["machines"][0]["good"] == 1136


def test_a_machine_that_was_not_seen_before_the_line_went_stale_stays_so_since_then() -> None:
    machines = hall(line.whole(), mono=100.0).document(110.0)["machines"]
    assert [machine["since"] for machine in machines[1:3]] == ["2026-11-20T06:32:05Z", "2026-11-20T06:03:05Z"]


def test_the_next_heartbeat_heals_a_stale_line() -> None:
    held = hall(line.whole(line.GOOD), mono=100.0)
    assert held.document(110.0)["marks"]["stale"]
    topic, payload = line.wire([line.heartbeat()])[0]
    held.take(topic, payload, 110.0)
    assert not held.document(110.1)["marks"]["stale"]
    assert set(words(held.document(110.1))) == {"executing"}


def test_a_retained_heartbeat_is_believed_for_one_beat_and_revives_nothing() -> None:
    held = Hall(line.topic())
    topic, payload = line.wire([line.heartbeat()])[0]
    held.take(topic, payload, 100.0, retained=True)
    assert held.document(100.0)["marks"] | {"since": None} == {
        "sim": True, "stale": False, "offline": False, "missed": 2, "since": None, "waiting": False,
    }  # fmt: skip
    assert held.document(102.0)["marks"]["stale"]
    held.take(topic, payload, 200.0, retained=True)
    assert held.document(200.0)["marks"]["stale"]


def test_the_last_will_makes_the_line_stale_at_once() -> None:
    held = hall(line.whole(line.GOOD))
    will = {"value": False, "time": None, "quality": "unknown", "sim": None}
    assert held.take(line.topic("_online"), json.dumps(will).encode(), 0.0)
    marks = held.document(0.0)["marks"]
    assert marks["stale"]
    assert marks["offline"]
    assert marks["sim"]


def test_a_machine_of_the_line_that_was_never_heard_is_unknown() -> None:
    document = hall([line.heartbeat()]).document(0.0)
    assert words(document) == ["unknown"] * 5
    assert {machine["good"] for machine in document["machines"]} == {None}


def test_a_machine_whose_observation_lags_owes_beats_of_wall_time() -> None:
    messages = line.machine("press1", line.GOOD["press1"])
    messages[0][1]["value"]["observed"] = line.iso(line.NOW - timedelta(seconds=150))
    fast = hall([line.heartbeat(speed=60.0), *messages]).document(0.0)["machines"][1]
    real = hall([line.heartbeat(), *messages]).document(0.0)["machines"][1]
    assert (fast["lag"], real["lag"]) == (1, 3)


def test_a_yield_of_fewer_than_30_parts_leaves_without_a_value() -> None:
    topic, payload = line.line_figures()
    payload["value"][1] |= {"denominator": 29.0}
    shown = hall([line.heartbeat(), (topic, payload)]).document(0.0)["figures"]["first_pass_yield"]
    assert (shown["value"], shown["low"], shown["high"], shown["why"], shown["n"]) == (None, None, None, "few", 29)


def test_the_takt_is_that_of_the_hour_once_the_hour_has_parts_enough() -> None:
    topic, payload = line.line_figures()
    held = hall([line.heartbeat(), (topic, payload)])
    assert held.document(0.0)["figures"]["takt"]["window"]["kind"] == "hour"
    payload["value"][2] |= {"denominator": 9.0}
    held.take(topic, json.dumps(payload).encode(), 0.0)
    assert held.document(0.0)["figures"]["takt"]["window"]["kind"] == "shift"


def test_inspection_and_next_jobs_are_told_with_their_marks() -> None:
    document = hall(line.whole()).document(0.0)
    assert document["inspection"]["counts"] == {"pass": 1109.0, "reject": 27.0, "ask": 12.0}
    assert document["inspection"]["image"].startswith("data:image/webp;base64,")
    assert [job["order"] for job in document["jobs"]["next"]] == ["J17", "J12", "J15"]
    assert document["inspection"]["sim"]
    assert document["jobs"]["sim"]


def test_an_order_that_has_begun_is_no_longer_next() -> None:
    held = hall([*line.whole(), line.heartbeat(time=line.NOW + timedelta(minutes=20))])
    assert [job["order"] for job in held.document(0.0)["jobs"]["next"]] == ["J12", "J15"]


def test_an_evidence_that_is_no_small_bitmap_is_refused() -> None:
    topic, payload = line.inspection()
    payload["value"]["image"] = "data:image/svg+xml;base64,AAAA"
    assert not Hall(line.topic()).take(topic, json.dumps(payload).encode(), 0.0)


def test_a_payload_that_does_not_say_whether_it_is_simulated_is_refused() -> None:
    topic, payload = line.heartbeat()
    del payload["sim"]
    assert not Hall(line.topic()).take(topic, json.dumps(payload).encode(), 0.0)


def test_one_simulated_message_marks_the_whole_line() -> None:
    messages = [(topic, payload | {"sim": False}) for topic, payload in line.machine("press1", line.GOOD["press1"])]
    assert hall([line.heartbeat(), *messages]).document(0.0)["marks"]["sim"]


@settings(max_examples=50)
@given(st.text(max_size=40) | st.sampled_from(["_line", "press1/_state", "_kpi"]), st.binary(max_size=80))
def test_nothing_a_broker_says_breaks_the_display(rest: str, payload: bytes) -> None:
    held = hall([line.heartbeat()])
    held.take(f"{line.topic()}/{rest}", payload, 0.0)
    held.document(1.0)


def test_a_cleared_topic_is_forgotten() -> None:
    held = hall(line.whole())
    assert held.take(line.topic("_plan"), b"", 0.0)
    assert held.document(0.0)["jobs"] is None
