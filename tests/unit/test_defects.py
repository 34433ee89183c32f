"""Rejected parts by class of defect: each once, most first, and nothing that is not a reject."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.figures.defects import pareto, rejects
from agent.model import SECOND, Kind, Record, Verdict

CLASSES = ("blowhole", "crack", None)
SIM = True


def inspection(seq: int, machine: str, verdict: Verdict, defect: str | None, second: int) -> Record:
    body = {"unit": f"{machine}-{seq}", "verdict": verdict.value, "defect": defect, "evidence": None}
    return Record(Kind.INSPECTION, machine, second * SECOND, body, SIM, seq)


inspections = st.lists(
    st.tuples(st.sampled_from(("m1", "m2")), st.sampled_from(Verdict), st.sampled_from(CLASSES), st.integers(0, 50)),
    max_size=30,
).map(lambda told: [inspection(seq, *one) for seq, one in enumerate(told, start=1)])


@given(inspections)
def test_every_reject_is_in_exactly_one_class_and_no_other_verdict_is(told):
    rows = pareto(rejects(told))
    counted = Counter(one.body["defect"] for one in told if one.body["verdict"] == "REJECT")
    assert {row.defect: len(row.parts) for row in rows} == counted
    assert sorted(part.seq for row in rows for part in row.parts) == [
        one.seq for one in told if one.body["verdict"] == "REJECT"
    ]


@given(inspections)
def test_classes_fall_and_their_shares_add_up_to_one(told):
    rows = pareto(rejects(told))
    sizes = [len(row.parts) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    passed = 0.0
    for row in rows:
        passed += row.share
        assert abs(row.cumulative - passed) < 1e-9
        assert [part.time for part in row.parts] == sorted((part.time for part in row.parts), reverse=True)
    assert not rows or abs(passed - 1) < 1e-9


@given(inspections, st.randoms())
def test_neither_order_nor_telling_twice_changes_anything(told, random):
    again = told * 2
    random.shuffle(again)
    assert pareto(rejects(again)) == pareto(rejects(told))


@given(inspections)
def test_the_machines_parts_are_those_of_the_line(told):
    mine = [part for name in ("m1", "m2") for part in rejects(told, name)]
    assert sorted(mine) == sorted(rejects(told))
