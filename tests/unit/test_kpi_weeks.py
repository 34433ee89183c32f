"""Random machine-weeks: every figure of every window equals the truth counted tick by tick, each second once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.figures.times import Tally
from tests.weeks.check import DifferenceError, checked

ROOT = Path(__file__).parents[2]
MACHINE_WEEKS = 300


@pytest.mark.timeout(180)
def test_machine_weeks_equal_their_truth() -> None:
    done = seed = 0
    while done < MACHINE_WEEKS:
        done += checked(seed)
        seed += 1


def test_one_second_in_the_wrong_state_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    add = Tally.add

    def careless(self: Tally, word: str, start: int, end: int, planned: int) -> None:
        add(self, "stopped" if word == "changeover" else word, start, end, planned)

    monkeypatch.setattr(Tally, "add", careless)
    with pytest.raises(DifferenceError, match=r"mt[bt][fr]: told"):
        checked(1)


def test_the_command_tells_where_to_go_on() -> None:
    run = [sys.executable, "-m", "tests.weeks", "1", "7"]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.endswith("next seed 8\n")
