"""The balance of the demo: agreement is told as such, and every single falsification is named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from agent.demo import tamper
from agent.demo.balance import Evidence, balance

START = 1_700_000_000_000_000_000
S = 1_000_000_000


def iso(second: float) -> str:
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(START / 1e9 + second, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(seq: int, kind: str, second: float, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "ledger": "l",
        "seq": seq,
        "kind": kind,
        "machine": "press1",
        "time": iso(second),
        "value": value,
        "sim": True,
    }


def state(word: str, not_before: float) -> dict[str, Any]:
    return {"word": word, "previous": "unknown" if word == "executing" else "executing", "not_before": iso(not_before)}


def evidence() -> Evidence:
    records = [envelope(1, "state", 0, state("executing", 0))]
    for part in range(8):
        body = {"counter": "good", "delta": 1, "total": part + 1}
        records.append(envelope(2 + part, "count", 10 * part, body))
    records.append(envelope(10, "inspection", 90, {"unit": "press1-000001", "verdict": "PASS"}))
    records.append(envelope(11, "state", 100, state("stopped", 94)))
    truth = {
        "seed": 1,
        "start_ns": START,
        "end_ns": START + 120 * S,
        "images": 1,
        "finished": 8,
        "wraps": 0,
        "jams": 1,
        "starvations": 0,
        "defects": 0,
        "units": [{"unit": "press1-000001", "defect": None}],
        "machines": {
            "press1": {
                "good": 8,
                "scrap": 0,
                "states": [["executing", START, START + 100 * S], ["stopped", START + 100 * S, START + 120 * S]],
            }
        },
    }
    displayed = {"press1": {"good": 8, "scrap": 0}}
    return Evidence(truth, records, copy.deepcopy(records), displayed, {"press1": 0.1}, {"press1": "plc7"}, 60.0)


def changed(**fields: Any) -> Evidence:
    base = evidence()
    names = ("truth", "records", "messages", "displayed", "sampling", "devices", "speed")
    return Evidence(**{name: fields.get(name, getattr(base, name)) for name in names})


def test_evidence_that_agrees_is_balanced() -> None:
    report = balance(evidence())
    assert report["differences"] == []
    assert report["balanced"]
    assert report["made"] == report["recorded"] == report["published"] == report["displayed"]
    assert report["inspected"] == {"press1": {"pass": 1, "reject": 0, "ask": 0}}
    assert report["inspection"]["verdict_by_defect"] == {"none": {"PASS": 1, "REJECT": 0, "ASK": 0}}


@pytest.mark.parametrize("how", tamper.HOW)
def test_a_falsified_message_is_named(how: str) -> None:
    interfere = tamper.interference(how)
    messages = [kept for message in evidence().messages for kept in interfere(message)]
    report = balance(changed(messages=messages))
    assert not report["balanced"]
    assert any("record 6 (count of press1)" in words for words in report["differences"])


@pytest.mark.parametrize("how", tamper.HOW)
def test_a_falsified_display_is_named(how: str) -> None:
    report = balance(changed(displayed=tamper.display(evidence().displayed, how)))
    assert any(words.startswith("displayed: press1 good") for words in report["differences"])


@pytest.mark.parametrize("how", tamper.HOW)
def test_a_falsified_record_is_named(how: str) -> None:
    interfere = tamper.interference(how)
    records = [kept for record in evidence().records for kept in interfere(record)]
    report = balance(changed(records=records))
    assert not report["balanced"]
    assert any("record 6" in words for words in report["differences"])


def test_what_a_meter_counts_is_no_part() -> None:
    same = evidence()
    metered = {**envelope(12, "count", 110, {"counter": "energy", "delta": 7, "total": 7}), "machine": ""}
    report = balance(changed(records=[*same.records, metered], messages=[*same.messages, metered]))
    assert (report["differences"], report["recorded"]) == ([], {"press1": {"good": 8, "scrap": 0}})


def test_lost_and_double_parts_are_counted() -> None:
    fewer = [r for r in evidence().records if r["seq"] != 4]
    assert balance(changed(records=fewer))["lost"] > 0
    report = balance(changed(displayed={"press1": {"good": 9, "scrap": 0}}))
    assert (report["lost"], report["double"]) == (0, 1)


def test_a_state_further_off_than_sampling_allows_is_told() -> None:
    records = evidence().records
    late = [{**r, "time": iso(112), "value": state("stopped", 110)} if r["seq"] == 11 else r for r in records]
    report = balance(changed(records=late, messages=copy.deepcopy(late)))
    assert any(words.startswith("states: press1 executing") for words in report["differences"])
    near = [{**r, "time": iso(105), "value": state("stopped", 100)} if r["seq"] == 11 else r for r in records]
    assert balance(changed(records=near, messages=copy.deepcopy(near)))["balanced"]


def test_unknown_time_needs_a_gap_that_explains_it() -> None:
    records = evidence().records[:-1]
    records = [
        *records,
        envelope(11, "state", 60, state("unknown", 60)),
        envelope(12, "state", 100, state("stopped", 100)),
    ]
    unexplained = balance(changed(records=records, messages=copy.deepcopy(records)))
    assert any(words.startswith("gaps: press1 was unknown for 40.0 s") for words in unexplained["differences"])
    gap = {"what": "plc7", "cause": "not_connected", "from": iso(60), "to": iso(100), "low": None, "high": None}
    records = [*records, envelope(13, "gap", 100, gap)]
    report = balance(changed(records=records, messages=copy.deepcopy(records)))
    assert report["differences"] == []
    assert report["unknown_seconds"] == {"press1": 40.0}


def test_images_nobody_judged_are_lost() -> None:
    truth = {**evidence().truth, "images": 2}
    assert any("1 parts judged, 2 images" in words for words in balance(changed(truth=truth))["differences"])
