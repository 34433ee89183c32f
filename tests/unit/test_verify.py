"""A ledger that holds is believed; whatever is changed in one is named."""

from __future__ import annotations

import json
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands.against import differences
from agent.commands.verify import Row, Stated, examine
from agent.counter import CounterState, step
from agent.model import SECOND, Kind, Record
from agent.storage.record import BEGIN, canonical, chained, content

WORDS = ["executing", "stopped", "starved", "unknown"]
STAMP = "2026-11-22T06:00:0{}.000Z"


def rowed(record, seq):
    body = canonical(record.body)
    placed = Record(record.kind, record.machine, record.time, record.body, record.simulated, seq)
    crc = zlib.crc32(content(placed, body, 7))
    return Row(seq, record.kind.value, record.machine, record.time, body, int(record.simulated), crc, 7)


def root_of(rows):
    root = BEGIN
    for row in rows:
        record = Record(Kind(row.kind), row.machine, row.time, {}, bool(row.simulated), row.seq)
        root = chained(root, content(record, row.body, row.wall))
    return root


@st.composite
def ledgers(draw):
    """Rows as an agent writes them, and what its ledger states."""
    facts: list[Record] = []
    counters: dict[tuple[str, str], CounterState] = {}
    words: dict[str, str] = {}
    for number, what in enumerate(draw(st.lists(st.sampled_from("csg"), min_size=1, max_size=25))):
        machine, time = draw(st.sampled_from(["press1", "trim1"])), number * SECOND
        if what == "c":
            state, told = step(counters.get((machine, "good")), draw(st.integers(0, 99)), 100, time, 3.0)
            counters[machine, "good"] = state
            numbers = {"delta": told.delta, "total": state.total, "epoch": state.epoch, "raw": state.raw}
            facts.append(
                Record(Kind.COUNT, machine, time, {"counter": "good", **numbers, "note": told.note}, simulated=True)
            )
        elif what == "s":
            body = {"word": draw(st.sampled_from(WORDS)), "previous": words.get(machine, "unknown")}
            words[machine] = body["word"]
            facts.append(Record(Kind.STATE, machine, time, body, simulated=True))
        else:
            start, end = sorted(draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
            span = {"what": machine, "cause": "closed", "from": STAMP.format(start), "to": STAMP.format(end)}
            facts.append(Record(Kind.GAP, machine, time, {**span, "low": None, "high": None}, simulated=True))
    rows = [rowed(fact, seq) for seq, fact in enumerate(facts, 1)]
    return rows, Stated(root_of(rows), counters, {"mqtt": draw(st.integers(0, len(rows)))})


@settings(max_examples=60, deadline=None)
@given(ledgers())
def test_a_ledger_that_holds_has_no_violation_and_its_sums_are_its_totals(ledger):
    rows, stated = ledger
    report = examine(rows, stated)
    assert report.violations == []
    assert report.last == len(rows)
    assert {key: tally.counted for key, tally in report.tallies.items()} == {
        key: state.counted for key, state in stated.counters.items()
    }


def altered(row, how, number):
    """The row with one thing changed in it."""
    if how in ("delta", "total", "body"):
        body = json.loads(row.body)
        key = {"delta": "delta", "total": "total", "body": sorted(body)[number % len(body)]}[how]
        body[key] = body[key] + 1 if isinstance(body.get(key), int) else "altered"
        return row._replace(body=canonical(body))
    value = {"crc": row.crc ^ 1, "seq": row.seq + 1 + number, "time": row.time + 1, "wall": row.wall + 1}
    if how in value:
        return row._replace(**{how: value[how]})
    return row._replace(**{"machine": {"machine": row.machine + "x"}, "kind": {"kind": "audit"}}[how])


@settings(max_examples=200, deadline=None)
@given(
    ledgers(),
    st.sampled_from(
        ["drop", "double", "swap", "delta", "total", "body", "crc", "seq", "time", "wall", "machine", "kind"]
    ),
    st.integers(0, 99),
)
def test_any_single_change_is_named_where_it_is(ledger, how, number):
    rows, stated = ledger
    place = number % len(rows)
    seq = rows[place].seq
    changed = list(rows)
    if how == "drop":
        del changed[place]
    elif how == "double":
        changed.insert(place, rows[place])
    elif how == "swap":
        if len(rows) == 1:
            return
        place = min(place, len(rows) - 2)
        seq = rows[place].seq
        changed[place : place + 2] = changed[place + 1], changed[place]
    else:
        changed[place] = altered(rows[place], how, number)
    named = {one.seq for one in examine(changed, stated).violations}
    # a drop is seen at the next record, or at the end; an altered seq is named as it stands
    assert named & {seq, seq + 1, seq - 1, changed[place].seq if place < len(changed) else seq}


@settings(max_examples=100, deadline=None)
@given(ledgers(), st.sampled_from(["delta", "total"]), st.integers(0, 99))
def test_a_number_altered_by_one_who_mends_checksum_and_chain_does_not_add_up(ledger, how, number):
    rows, stated = ledger
    counts = [place for place, row in enumerate(rows) if row.kind == "count"]
    if not counts:
        return
    place = counts[number % len(counts)]
    row = altered(rows[place], how, number)
    record = Record(Kind.COUNT, row.machine, row.time, json.loads(row.body), simulated=True)
    forged = [*rows[:place], rowed(record, row.seq), *rows[place + 1 :]]
    violations = examine(forged, Stated(root_of(forged), stated.counters, stated.cursors)).violations
    assert row.seq in {one.seq for one in violations}


def test_what_the_ledger_states_is_held_to_its_records():
    body = {"counter": "good", "delta": 4, "total": 4, "epoch": 0, "raw": 4, "note": None}
    rows = [rowed(Record(Kind.COUNT, "press1", 0, body, simulated=True), 1)]
    stated = Stated(root_of(rows), {("press1", "good"): CounterState(4, 5, 0, 0)}, {"mqtt": 2})
    words = [str(one) for one in examine(rows, stated).violations]
    assert any("cursor of mqtt stands at 2" in one for one in words)
    assert any("press1.good: the ledger keeps epoch 0 total 5, its records say 0 and 4" in one for one in words)


def test_a_gap_and_a_timeline_that_run_backwards_are_named():
    gap = {"what": "press1", "cause": "closed", "from": STAMP.format(5), "to": STAMP.format(4), "low": 3, "high": 1}
    states = [{"word": "executing", "previous": "unknown"}, {"word": "stopped", "previous": "starved"}]
    facts = [Record(Kind.GAP, "press1", 0, gap, simulated=True)]
    facts += [Record(Kind.STATE, "press1", 9 - place, body, simulated=True) for place, body in enumerate(states)]
    rows = [rowed(fact, seq) for seq, fact in enumerate(facts, 1)]
    assert [one.seq for one in examine(rows, Stated(root_of(rows), {}, {})).violations] == [1, 1, 3, 3]


def test_a_verdict_that_replaces_another_than_the_one_that_held_is_named():
    time = 1_772_438_400 * SECOND + 123_456_789
    part = {"unit": "press1-000001", "made": "2026-03-02T08:00:00.123Z", "inspection": 1}

    def wrong(*facts, **stated):
        records = [Record(kind, "press1", time, {**part, **body}, simulated=True) for kind, body in facts]
        rows = [rowed(record, seq) for seq, record in enumerate(records, 1)]
        return [one.seq for one in examine(rows, Stated(root_of(rows), {}, {}, **stated)).violations]

    asked = Kind.INSPECTION, {"verdict": "ASK"}
    first, again = (
        (Kind.VERDICT, {"verdict": verdict, "instead": instead})
        for verdict, instead in (("PASS", "ASK"), ("REJECT", "PASS"))
    )
    assert wrong(asked, first, again) == []
    assert wrong(asked, again) == [2]
    assert wrong(asked, first, first) == [3]
    assert wrong((Kind.INSPECTION, {"verdict": "PASS"}), first) == [2]
    assert wrong(first, again, copied=1) == []


def test_in_a_salvaged_ledger_history_may_have_holes_and_sums_go_on_from_the_base():
    body = {"counter": "good", "epoch": 2, "raw": 4, "note": None}
    facts = [
        Record(Kind.COUNT, "press1", time, {**body, "delta": 1, "total": total}, simulated=True)
        for time, total in enumerate([40, 43, 51])
    ]
    rows = [rowed(fact, seq) for seq, fact in enumerate(facts, 1)]
    counters = {("press1", "good"): CounterState(4, 51, 2, 0)}
    base = {("press1", "good"): (2, 50)}
    assert examine(rows, Stated(root_of(rows), counters, {}, floor=2, base=base)).violations == []
    assert [one.seq for one in examine(rows, Stated(root_of(rows), counters, {}, floor=1, base=base)).violations] == [
        2,
        3,
    ]


def test_two_accounts_are_alike_through_repetitions_and_every_difference_is_named():
    ours = [{"ledger": "a", "seq": seq, "value": {"delta": seq}} for seq in range(1, 6)]
    assert list(differences(ours, ours[:3] + ours)) == []
    theirs = [*ours[:2], {**ours[3], "value": {"delta": 9}}, ours[4], {**ours[4], "sim": True}]
    assert list(differences(ours, theirs)) == [
        "seq 5 is told twice in the other, and differs in sim",
        "seq 3 is missing from the other",
        "seq 4: value is {'delta': 4} in the ledger and {'delta': 9} in the other",
    ]
    assert list(differences(ours, [])) == ["the other has no record of ledger a"]
