"""The inspector on real files with the shipped models: every part judged once, in order, whatever breaks."""

import asyncio
import csv
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.inspector import Camera, Inspector
from agent.model import GOOD, Batch, Verdict
from inference.card import ModelError
from inference.inspection.judge import load

SHOT, VALUES = 3, (4, 5, 6, 7, 8, 9)
FIRST_NS = 1_795_327_200_000_000_000


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    command = ["draw", "--count", "40", "--seed", "1977", "--share", "0.5", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "simulators", *command], check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def labels(drawn) -> list[dict[str, str]]:
    with (drawn / "labels.csv").open(newline="") as sheet:
        return list(csv.DictReader(sheet))


@pytest.fixture(scope="module")
def judge():
    return load("casting", "shot")


class Line:
    """One camera's inspector with what it told the agent; `clock` stands still unless told to run."""

    def __init__(self, folder: Path, judge, drawn: Path):
        self.camera, self.evidence = folder / "cam1", folder / "evidence"
        self.camera.mkdir()
        self.judge, self.drawn = judge, drawn
        self.recorded, self.faults, self.cleared = [], [], []
        self.hurry = itertools.count(step=1000)

    def inspector(self, load=None, record=None, **others) -> Inspector:
        others.setdefault("mono", lambda: float(next(self.hurry)))
        return Inspector(
            Camera("cam1", "diecast1", self.camera, "cell1", SHOT, VALUES),
            load or (lambda: self.judge),
            self.evidence,
            record or self.record,
            self.faults.append,
            lambda source, code: self.cleared.append((source, code)),
            **others,
        )

    async def record(self, inspection) -> None:
        self.recorded.append(inspection)

    def drop(self, *shots: int) -> None:
        for shot in shots:
            shutil.copy(self.drawn / f"{shot:06d}.png", self.camera / f"{shot:06d}.png")

    @property
    def units(self) -> list[str]:
        return [inspection.unit for inspection in self.recorded]


@pytest.fixture
def line(tmp_path, judge, drawn):
    return Line(tmp_path, judge, drawn)


def latched(shot: int, values) -> Batch:
    time = FIRST_NS + shot * 16_000_000_000
    index = np.array([*VALUES, SHOT], np.uint32)
    value = np.array([*values, shot], np.float64)
    return Batch(index, value, np.full(7, time), np.full(7, GOOD, np.uint32), time, token=shot)


HEALTHY = (215.0, 662.0, 72.0, 88.0, 54.0, 58.0)


async def test_good_and_defective_parts_are_told_apart(line, labels):
    line.drop(*range(1, 41))
    await line.inspector().inspect_waiting()
    defective = [row["defect"] != "" for row in labels]
    passed = [inspection.verdict is Verdict.PASS for inspection in line.recorded]
    rejected = [inspection.verdict is Verdict.REJECT for inspection in line.recorded]
    escapes = sum(p and d for p, d in zip(passed, defective, strict=True))
    false_rejects = sum(r and not d for r, d in zip(rejected, defective, strict=True))
    assert 15 <= sum(defective) <= 25
    assert escapes <= 4
    assert false_rejects <= 1
    assert sum(rejected) >= 8


async def test_the_mark_of_simulation_and_the_model_reach_every_inspection(line, judge):
    line.drop(1, 2, 3)
    await line.inspector().inspect_waiting()
    assert [inspection.simulated for inspection in line.recorded] == [True, True, True]
    assert {inspection.model for inspection in line.recorded} == {judge.digest}


async def test_each_part_is_judged_once_in_order_across_a_restart(line):
    line.drop(3, 1, 2)
    first = line.inspector()
    await first.inspect_waiting()
    await first.inspect_waiting()
    line.drop(4, 5)
    await line.inspector(last_unit=line.units[-1]).inspect_waiting()
    assert line.units == [f"diecast1-{shot:06d}" for shot in range(1, 6)]


async def test_a_part_whose_record_did_not_reach_the_disk_is_judged_again_and_no_other(line):
    committed = []

    async def cut_off_at_second(inspection) -> None:
        if len(committed) == 1:
            raise ConnectionAbortedError("killed before the commit")
        committed.append(inspection)

    line.drop(1, 2, 3)
    with pytest.raises(ConnectionAbortedError):
        await line.inspector(record=cut_off_at_second).inspect_waiting()
    assert (line.evidence / "diecast1-000002.webp").exists()
    await line.inspector(last_unit=committed[-1].unit).inspect_waiting()
    assert [i.unit for i in committed] + line.units == [f"diecast1-{shot:06d}" for shot in (1, 2, 3)]


async def test_a_part_without_process_values_is_judged_by_its_picture(line):
    line.drop(1)
    await line.inspector().inspect_waiting()
    assert line.recorded[0].process_score is None
    assert line.recorded[0].score == line.recorded[0].image_score


async def test_process_values_that_come_after_the_picture_are_waited_for(line):
    line.drop(7)
    inspector = line.inspector(mono=lambda: 0.0)
    inspecting = asyncio.create_task(inspector.inspect_waiting())
    await asyncio.sleep(0)
    inspector.observe("other", latched(7, HEALTHY))
    inspector.observe("cell1", latched(7, HEALTHY))
    await inspecting
    assert 0.0 < line.recorded[0].process_score < 0.1


async def test_a_hot_die_with_rising_pressure_raises_the_score_of_the_same_picture(line):
    line.drop(1)
    for values in (HEALTHY, (245.0, 662.0, 80.0, 98.0, 54.0, 58.0)):
        inspector = line.inspector()
        inspector.observe("cell1", latched(1, values))
        await inspector.inspect_waiting()
    calm, hot = line.recorded
    assert calm.image_score == hot.image_score
    assert calm.process_score < hot.process_score
    assert calm.score < hot.score


async def test_a_file_that_is_no_picture_makes_an_ask_and_a_fault_and_the_line_goes_on(line):
    line.drop(1, 3)
    whole = (line.drawn / "000002.png").read_bytes()
    (line.camera / "000002.png").write_bytes(whole[: len(whole) // 2])
    await line.inspector().inspect_waiting()
    broken = line.recorded[1]
    assert [i.unit[-1] for i in line.recorded] == ["1", "2", "3"]
    assert (broken.verdict, broken.defect, broken.evidence) == (Verdict.ASK, "unreadable", None)
    assert broken.simulated
    assert [(f.source, f.code) for f in line.faults] == [("cam1", "image_unreadable")]
    assert line.faults[0].remedy
    assert line.cleared == [("cam1", "image_unreadable")]


async def test_models_that_cannot_be_trusted_make_asks_and_one_fault_until_they_are_restored(line, judge):
    broken = True

    def load_when_restored():
        if broken:
            raise ModelError("model.onnx has SHA-256 ...", "restore the model folder")
        return judge

    line.drop(1, 2)
    inspector = line.inspector(load=load_when_restored)
    await inspector.inspect_waiting()
    assert [(i.verdict, i.defect) for i in line.recorded] == [(Verdict.ASK, "not_judged")] * 2
    assert [(f.code, f.remedy) for f in line.faults] == [("model_failed", "restore the model folder")]
    broken = False
    line.drop(3)
    await inspector.inspect_waiting()
    assert line.cleared == [("cam1", "model_failed")]
    assert line.recorded[2].model == judge.digest


async def test_the_decision_picture_is_kept_for_the_last_parts_and_the_cameras_files_stay_untouched(line):
    line.drop(*range(1, 11))
    before = {path.name: path.read_bytes() for path in line.camera.iterdir()}
    await line.inspector(keep=4).inspect_waiting()
    kept = {path.name for path in line.evidence.iterdir()}
    expected = {i.evidence for i in line.recorded[-4:]} | {
        i.evidence for i in line.recorded if i.verdict is not Verdict.PASS
    }
    assert kept == expected
    assert {path.name: path.read_bytes() for path in line.camera.iterdir()} == before
    for name in kept:
        with Image.open(line.evidence / name) as picture:
            assert picture.format == "WEBP"
            assert (line.evidence / name).stat().st_size < 45_000


async def test_a_disk_that_refuses_the_picture_stops_no_part(line):
    line.drop(1)
    inspector = line.inspector()
    line.evidence.rmdir()
    line.evidence.write_text("in the way")
    await inspector.inspect_waiting()
    assert line.recorded[0].evidence is None
    assert line.recorded[0].defect != "unreadable"
    assert [fault.code for fault in line.faults] == ["evidence_not_kept"]


async def test_a_folder_the_camera_has_not_made_yet_is_no_error(line):
    line.camera.rmdir()
    assert await line.inspector().inspect_waiting() == 0


async def test_a_picture_that_appears_while_the_inspector_runs_is_judged(line):
    recorded = asyncio.Event()

    async def record(inspection) -> None:
        line.recorded.append(inspection)
        recorded.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(line.inspector(record=record).run())
        line.drop(4)
        await recorded.wait()
        running.cancel()
    assert line.units == ["diecast1-000004"]
