"""A part gets the process values its own shot latched, or none."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.evidence import Evidence
from agent.inspector import nanoseconds
from agent.model import BAD_NO_DATA, GOOD, Batch
from agent.shots import Shots


def batch(rows: list[tuple[int, float, int]], time: int, status: int = GOOD) -> Batch:
    index, value, source = zip(*rows, strict=True) if rows else ((), (), ())
    return Batch(
        np.array(index, np.uint32),
        np.array(value, np.float64),
        np.array(source, np.int64),
        np.full(len(rows), status, np.uint32),
        time,
        token=0,
    )


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.booleans()), min_size=1, max_size=20), st.integers(1, 5))
def test_every_shot_keeps_its_own_values_however_the_rows_are_cut_into_batches(made, size):
    rows, expected, held = [], {}, [0.0, 0.0]
    for shot, (first, second, changes) in enumerate(made, 1):
        if changes or shot == 1:
            rows += [(5, first, shot * 10), (6, second, shot * 10)]
            held = [first, second]
        rows.append((2, float(shot), shot * 10))
        expected[shot] = tuple(held)
    shots = Shots(2, (5, 6))
    for start in range(0, len(rows), size):
        shots.observe(batch(rows[start : start + size], rows[min(start + size, len(rows)) - 1][2] + 1))
    assert {shot: shots.of(shot).values for shot in expected} == expected


def test_a_shot_is_not_known_before_everything_up_to_it_was_read():
    shots = Shots(0, (1,))
    shots.observe(batch([(1, 3.0, 40), (0, 7.0, 50)], time=45))
    assert shots.of(7) is None
    shots.observe(batch([(1, 4.0, 50)], time=55))
    assert shots.of(7).values == (4.0,)


def test_a_value_of_bad_status_leaves_the_shot_without_values():
    shots = Shots(0, (1,))
    shots.observe(batch([(1, 3.0, 10)], time=10, status=BAD_NO_DATA))
    shots.observe(batch([(0, 1.0, 10)], time=10))
    assert shots.of(1).values is None


def test_a_shot_overwritten_before_it_was_read_is_missed_and_one_to_come_is_not():
    shots = Shots(0, (1,))
    shots.observe(batch([(1, 3.0, 10), (0, 4.0, 10)], time=10))
    assert shots.missed(3)
    assert not shots.missed(4)
    assert not shots.missed(5)


def test_other_tags_and_old_shots_do_not_pile_up():
    shots = Shots(0, (1,))
    for shot in range(1, 600):
        shots.observe(batch([(9, math.nan, shot), (1, float(shot), shot), (0, float(shot), shot)], time=shot))
    assert shots.of(1) is None
    assert shots.of(599).values == (599.0,)


def test_the_last_pictures_stay_and_those_that_did_not_pass_stay_longer(tmp_path):
    evidence = Evidence(tmp_path, "diecast1", keep=3)
    for shot in range(1, 251):
        evidence.write(shot, b"picture", notable=shot % 50 == 0)
        evidence.prune(shot)
    kept = sorted(int(path.stem.rpartition("-")[2]) for path in tmp_path.iterdir())
    assert kept == [100, 150, 200, 248, 249, 250]


def test_pictures_of_a_former_run_are_taken_over_and_go_in_time(tmp_path):
    Evidence(tmp_path, "diecast1", keep=3).write(7, b"picture", notable=False)
    evidence = Evidence(tmp_path, "diecast1", keep=3)
    evidence.prune(206)
    assert (tmp_path / "diecast1-000007.webp").exists()
    evidence.prune(207)
    assert not list(tmp_path.iterdir())


def test_a_camera_may_write_its_time_in_words_or_in_nanoseconds():
    assert nanoseconds("2026-11-22T06:00:00.123+00:00") == 1795327200123000000
    assert nanoseconds("2026-11-22T14:00:00.123+08:00") == 1795327200123000000
    assert nanoseconds("1795327200123000000") == 1795327200123000000
    assert nanoseconds("2026-11-22T06:00:00") is None
    assert nanoseconds("") is None
