"""Whatever is left of a ledger, the one that goes on from it holds every rule, and tells each part once."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands.verify import Stated, examine
from agent.model import Kind, Record
from agent.storage.takeover import Found, heir
from tests.unit.test_verify import ledgers, root_of, rowed


def record(row):
    return Record(Kind(row.kind), row.machine, row.time, json.loads(row.body), bool(row.simulated), row.seq)


def parts(records):
    counted: Counter[tuple[str, str]] = Counter()
    for one in records:
        if one.kind is Kind.COUNT:
            counted[one.machine, one.body["counter"]] += one.body["delta"]
    return +counted


@settings(max_examples=150, deadline=None)
@given(ledgers(), st.sets(st.integers(1, 25)), st.booleans())
def test_what_goes_on_from_the_rest_of_a_ledger_holds_every_rule(ledger, lost, proved):
    rows, stated = ledger
    left = [(record(row), row.wall) for row in rows if row.seq not in lost]
    found = Found("old", left, len(rows), stated.counters if proved else None, stated.cursors if proved else None)
    new = heir(found)
    facts = [*(one for one, _ in new.history), *new.records]
    again = [rowed(fact, seq) for seq, fact in enumerate(facts, 1)]
    floor = len(new.history)
    told = Stated(root_of(again), new.counters, new.cursors, floor, new.base, len(again))
    assert examine(again, told).violations == []
    assert {seq for low, high in new.unread for seq in range(low, high + 1)} == lost & set(range(1, len(rows) + 1))


@settings(max_examples=150, deadline=None)
@given(ledgers(), st.sets(st.integers(1, 25)), st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 25)))
def test_each_sink_is_told_the_gap_and_then_just_what_it_did_not_have(ledger, lost, cursors):
    rows, stated = ledger
    cursors = {"mqtt": stated.cursors["mqtt"], **{sink: min(seq, len(rows)) for sink, seq in cursors.items()}}
    left = [(record(row), row.wall) for row in rows if row.seq not in lost]
    new = heir(Found("old", left, len(rows), stated.counters, cursors))
    assert new.cursors.keys() == cursors.keys()
    for sink, had in cursors.items():
        gap, *told = new.records[new.cursors[sink] - len(new.history) :]
        assert gap.body["cause"] == "salvaged"
        facts = [one for one in told if one.body.get("cause") != "salvaged" and one.seq]
        assert facts == [one for one, _ in left if one.seq > had]
        due, sums = parts(record(row) for row in rows if row.seq > had), parts(told)
        assert all(sums[key] <= due[key] for key in sums | due)
        if min(lost, default=26) > max(cursors.values()) and not any(json.loads(row.body).get("epoch") for row in rows):
            assert sums == due


@settings(max_examples=150, deadline=None)
@given(ledgers(), st.sets(st.integers(1, 25)))
def test_parts_that_were_not_told_are_told_once_also_those_of_unreadable_records(ledger, lost):
    rows, stated = ledger
    told = stated.cursors["mqtt"]
    lost = {seq for seq in lost if seq > told}
    left = [(record(row), row.wall) for row in rows if row.seq not in lost]
    new = heir(Found("old", left, len(rows), stated.counters, stated.cursors))
    due = parts(record(row) for row in rows if row.seq > told)
    # what an epoch gained after its last readable record, before a reset, no record and no state tells
    sums = parts(new.records)
    assert all(sums[key] <= due[key] for key in sums | due)
    if not any(json.loads(row.body).get("epoch") for row in rows):
        assert sums == due
