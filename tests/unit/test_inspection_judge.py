"""The shipped models on pictures that are no part, and values that are no numbers."""

import math

import numpy as np
import pytest

from agent.model import Verdict
from inference.inspection.decision import read_thresholds
from inference.inspection.judge import load
from inference.session import open_model


@pytest.fixture(scope="module")
def judge():
    return load("casting", "shot")


@pytest.mark.parametrize(
    "grey",
    [
        np.zeros((224, 224), np.uint8),
        np.full((224, 224), 255, np.uint8),
        np.full((224, 224), 128, np.uint8),
        np.random.default_rng(3).integers(0, 256, (224, 224), np.uint8),
        np.tile(np.arange(224, dtype=np.uint8), (224, 1)),
    ],
    ids=["black", "white", "grey", "noise", "ramp"],
)
def test_a_picture_without_a_part_never_passes(judge, grey):
    assert judge.judge(grey, None).decision.verdict is not Verdict.PASS


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_values_that_are_no_numbers_leave_the_picture_to_decide(judge, wrong):
    grey = np.full((224, 224), 128, np.uint8)
    decision = judge.judge(grey, [215.0, 662.0, wrong, 88.0, 54.0, 58.0]).decision
    assert decision == judge.judge(grey, None).decision
    assert decision.process_score is None


def test_a_shot_far_outside_what_was_seen_is_stranger_than_any_that_may_pass(judge):
    limit = read_thresholds(open_model("casting").card.settings).strangest_shot
    grey = np.full((224, 224), 128, np.uint8)
    usual = judge.judge(grey, [215.0, 662.0, 72.0, 88.0, 54.0, 58.0])
    far = judge.judge(grey, [215.0, 662.0, 72.0, 300.0, 54.0, 58.0])
    assert usual.evidence.shot_strangeness < limit < far.evidence.shot_strangeness
