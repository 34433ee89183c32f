"""`python -m simulators draw`: a labelled set on disk."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from simulators.sample import write
from simulators.shot import DEFECTS, HEALTHY


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write(folder, 40, seed=3, share=0.5)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as sheet:
        return folder, list(csv.DictReader(sheet))


def test_each_row_has_its_picture_and_each_defect_its_mask_and_box(drawn):
    folder, rows = drawn
    assert [row["file"] for row in rows] == [f"{shot:06d}.png" for shot in range(1, 41)]
    for row in rows:
        with Image.open(folder / row["file"]) as image:
            assert image.info["Simulated"] == "true"
        mask = folder / row["file"].replace(".png", ".mask.png")
        assert mask.exists() == bool(row["defect"])
        if row["defect"]:
            left, top, right, bottom = (int(row[side]) for side in ("left", "top", "right", "bottom"))
            seen = np.asarray(Image.open(mask))
            assert seen[top:bottom, left:right].sum() == seen.sum() > 0
        assert all(float(row[name]) > 0 for name in HEALTHY)


def test_about_the_asked_share_is_defective_and_of_the_known_kinds(drawn):
    _, rows = drawn
    defects = [row["defect"] for row in rows if row["defect"]]
    assert 10 <= len(defects) <= 30
    assert set(defects) <= set(DEFECTS)


def test_equal_seeds_write_equal_sets(drawn, tmp_path):
    folder, _ = drawn
    write(tmp_path, 40, seed=3, share=0.5)
    assert (tmp_path / "labels.csv").read_bytes() == (folder / "labels.csv").read_bytes()
    assert (tmp_path / "000007.png").read_bytes() == (folder / "000007.png").read_bytes()
