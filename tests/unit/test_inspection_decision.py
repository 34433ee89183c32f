"""The verdict follows the score, and strangeness is never passed unseen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Verdict
from inference.card import ModelError
from inference.inspection.decision import Evidence, Thresholds, chance, decide, fuse, log_odds, read_thresholds

LINE = Thresholds(pass_below=0.05, reject_from=0.8, rate=0.03, strangest_picture=4.0, strangest_shot=8.0)
ORDER = {Verdict.PASS: 0, Verdict.ASK: 1, Verdict.REJECT: 2}
odds = st.floats(-40.0, 40.0)


def part(image: float, process: float | None = None, picture: float = 1.0, shot: float = 1.0) -> Evidence:
    return Evidence(image, picture, "crack", process, shot)


@given(odds, odds, st.none() | odds, st.floats(0.0, 20.0))
def test_more_evidence_of_a_defect_never_softens_the_verdict(one, other, process, strangeness):
    low, high = sorted((one, other))
    mild, grave = decide(part(low, process, strangeness), LINE), decide(part(high, process, strangeness), LINE)
    assert ORDER[mild.verdict] <= ORDER[grave.verdict]
    assert mild.score <= grave.score


@given(odds, st.none() | odds, st.floats(4.001, 50.0))
def test_a_strange_picture_never_passes(image, process, strangeness):
    assert decide(part(image, process, strangeness), LINE).verdict is not Verdict.PASS


@given(odds, odds, st.floats(8.001, 50.0))
def test_a_strange_shot_never_passes(image, process, strangeness):
    assert decide(part(image, process, shot=strangeness), LINE).verdict is not Verdict.PASS


@given(odds, st.none() | odds, st.floats(0.0, 10.0))
def test_a_part_has_a_defect_named_exactly_when_it_does_not_pass(image, process, strangeness):
    decision = decide(part(image, process, strangeness), LINE)
    assert (decision.defect is None) == (decision.verdict is Verdict.PASS)
    assert 0.0 <= decision.score <= 1.0
    assert (decision.process_score is None) == (process is None)


@given(st.floats(0.001, 0.999), odds)
def test_a_process_as_usual_leaves_the_picture_to_decide(rate, image):
    assert fuse(image, log_odds(rate), rate) == pytest.approx(image)
    assert fuse(image, None, rate) == image


@given(st.floats(1e-6, 1.0 - 1e-6))
def test_chance_undoes_log_odds(share):
    assert chance(log_odds(share)) == pytest.approx(share)


def test_an_unfamiliar_sound_looking_part_says_that_it_is_unfamiliar():
    assert decide(part(-20.0, picture=9.0), LINE).defect == "unfamiliar"


@pytest.mark.parametrize(
    "wrong",
    [{"pass_below": 0.9}, {"reject_from": 1.0}, {"rate": 0.0}, {"pass_below": "high"}, {"strangest_shot": None}],
)
def test_thresholds_out_of_order_or_unreadable_are_refused(wrong):
    settings = {name: getattr(LINE, name) for name in Thresholds.__slots__} | wrong
    with pytest.raises(ModelError) as refused:
        read_thresholds(settings)
    assert refused.value.remedy


def test_a_missing_threshold_is_refused():
    with pytest.raises(ModelError, match="reject_from"):
        read_thresholds({"pass_below": 0.1})
