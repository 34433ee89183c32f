"""The harness of the fault tests: it goes on after a failure, takes up where it was, and its account can fail."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import types
from typing import Any

import pytest

from tests.faults import __main__ as harness
from tests.faults import finished, flips
from tests.faults.account import account
from tests.faults.life import Life, Story


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A part of five seeds, one of which fails as long as it is bad."""
    part: Any = types.ModuleType("tests.faults.toy")
    part.ran, part.bad = [], {3}

    def one(seed, folder):
        part.ran.append(seed)
        if seed in part.bad:
            raise AssertionError("two parts are missing")
        return {"lost": 0, "double": 0, "unexplained": 0, "records": 10, "worst ms": seed}

    vars(part).update(FULL=5, QUICK=2, SUMMED=("records",), one=one)
    monkeypatch.setitem(sys.modules, "tests.faults.toy", part)
    monkeypatch.setattr(harness, "PARTS", ("toy",))
    monkeypatch.setattr(finished, "FOLDER", tmp_path / "faults")
    return part


def test_a_failing_seed_is_one_line_to_replay_and_the_others_go_on(toy, capsys):
    assert harness.main(["toy"]) == 1
    told = capsys.readouterr().out
    assert "FAILED toy seed 3: two parts are missing\nmake faults PART=toy SEED=3\n" in told
    assert toy.ran == [0, 1, 2, 3, 4]
    assert told.splitlines()[-1].split() == ["toy", "4", "1", "0", "0", "0", "0", "records", "40,", "worst", "ms", "4"]


def test_a_run_goes_on_with_what_is_not_done_and_starts_anew_when_told(toy, tmp_path):
    harness.main(["toy"])
    with (tmp_path / "faults" / "toy.jsonl").open("a") as file:
        file.write('{"seed": 7, "for')  # stopped in the middle of a line
    toy.bad, toy.ran = set(), []
    assert harness.main(["toy"]) == 0
    assert harness.main(["toy"]) == 0
    assert toy.ran == [3]
    assert harness.main(["toy", "--fresh"]) == 0
    assert toy.ran == [3, 0, 1, 2, 3, 4]


def test_a_seed_alone_and_the_quick_form(toy):
    toy.bad = set()
    assert harness.main(["toy", "--seed", "4"]) == 0
    assert harness.main(["toy", "--quick"]) == 0
    assert harness.main(["toy", "--quick"]) == 0
    assert toy.ran == [4, 0, 1, 0, 1]


def test_what_all_seeds_say_together_can_fail_the_part(toy, capsys):
    def conclude(found):
        raise AssertionError("the control lost nothing")

    toy.bad, toy.conclude = set(), conclude
    assert harness.main(["toy"]) == 1
    assert "FAILED the control lost nothing" in capsys.readouterr().out


def test_a_part_that_cannot_run_here_is_skipped_aloud_and_fails_where_skips_are_forbidden(toy, capsys, monkeypatch):
    toy.missing = lambda: "needs root"
    monkeypatch.delenv("TANCHANG_NO_SKIPS", raising=False)
    assert harness.main(["toy"]) == 0
    assert "SKIPPED" in capsys.readouterr().out
    monkeypatch.setenv("TANCHANG_NO_SKIPS", "1")
    assert harness.main(["toy"]) == 1


@pytest.fixture
def story(tmp_path):
    """Two lives with a second in between that nobody saw."""

    async def lived() -> Story:
        story = Story(1, tmp_path / "data")
        for _ in range(2):
            life = await Life.open(story)
            for _ in range(5):
                await life.step()
            await life.close()
            if not story.faults:
                story.died()
                story.turn()
        return story

    return asyncio.run(lived())


def test_two_lives_balance(story):
    found = story.account()
    assert (found["lost"], found["double"], found["unexplained"]) == (0, 0, 0)
    assert found["records"] == len(story.told) > 10


def test_a_record_that_never_came_is_lost(story):
    del story.told[7]
    with pytest.raises(AssertionError, match=r"lost [12], double 0, unexplained 0.*seq 8 was never taken"):
        story.account()


def test_a_record_that_was_counted_twice_is_double(story):
    story.told.append(story.told[7])
    with pytest.raises(AssertionError, match=r"lost 0, double [12], .*seq 8 was taken twice"):
        story.account()


def test_a_part_that_only_the_plc_knows_is_lost(story):
    story.plc.made["press1", "good"] += 1
    with pytest.raises(AssertionError, match=r"lost 2, double 0.*press1.good: the PLC made"):
        story.account()


def test_a_gap_that_nobody_caused_is_unexplained_and_so_is_a_fault_that_no_gap_tells_of(story):
    was, story.faults = story.faults, []
    with pytest.raises(AssertionError, match="unexplained 1: a gap without a fault"):
        story.account()
    story.faults = [*was, was[0] + 3]
    with pytest.raises(AssertionError, match="unexplained 1: no gap tells of"):
        story.account()


def test_a_record_that_says_something_else_than_the_ledger_is_told(story):
    story.told[7] = json.loads(json.dumps(story.told[7]).replace('"sim": false', '"sim": true'))
    with pytest.raises(AssertionError, match="told: seq 8: sim is"):
        story.account()


def test_a_ledger_that_was_altered_is_told(story):
    with sqlite3.connect(story.folder / "ledger.db") as database:
        database.execute("UPDATE record SET time = time + 1 WHERE seq = 8")
    with pytest.raises(AssertionError, match="its checksum differs"):
        account(story.folder, story.told, story.told, {}, story.faults)


def test_a_seed_of_the_flips_is_one_damage(tmp_path):
    for name in ("one", "other"):
        flips.written(tmp_path / name, 5)
    assert (tmp_path / "one" / "ledger.db").read_bytes() == (tmp_path / "other" / "ledger.db").read_bytes()
