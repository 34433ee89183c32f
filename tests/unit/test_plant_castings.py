"""The camera's pictures and the shot's physics: seeded, labelled, plausible."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.casting import SIZE, draw
from simulators.shot import DEFECTS, HEALTHY, Die, Process, defect_of, hazard


def healthy(**changes: float) -> Process:
    return Process(**({name: mean for name, (mean, _) in HEALTHY.items()} | changes))


@pytest.mark.parametrize("defect", [None, *DEFECTS])
def test_equal_generators_draw_equal_pictures(defect):
    one, two = (draw(np.random.default_rng([3, 4]), defect) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.mask, two.mask)
    assert one.image.shape == (SIZE, SIZE)
    assert one.image.dtype == np.uint8


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_can_be_seen_where_its_mask_says(defect):
    for seed in range(40):
        sound = draw(np.random.default_rng(seed), None)
        assert sound.box is None
        casting = draw(np.random.default_rng(seed), defect)
        assert casting.box is not None, f"seed {seed} drew no {defect}"
        left, top, right, bottom = casting.box
        assert 0 <= left < right <= SIZE
        assert 0 <= top < bottom <= SIZE
        assert casting.mask.sum() >= 4


def test_light_and_pose_vary_from_part_to_part():
    means = [float(draw(np.random.default_rng(seed), None).image.mean()) for seed in range(10)]
    assert max(means) - min(means) > 5.0


def test_the_line_casts_a_few_per_cent_of_defects_of_every_kind():
    shares = []
    seen = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        die = Die(rng)
        defects = [defect_of(die.shoot(), rng) for _ in range(400)]
        seen.update(defects)
        shares.append(sum(defect is not None for defect in defects) / 400)
    assert 0.04 < np.mean(shares) < 0.08
    assert seen == {None, *DEFECTS}


def test_a_hot_die_flashes_and_a_cold_one_misruns():
    hot, cold = hazard(healthy(die_temperature=240.0)), hazard(healthy(die_temperature=190.0))
    assert hot["flash"] > 3 * hazard(healthy())["flash"]
    assert cold["misrun"] > 3 * hazard(healthy())["misrun"]
    assert cold["flash"] < hot["flash"]


def test_a_leaking_vacuum_blows_holes_but_not_every_time():
    chance = hazard(healthy(vacuum=90.0))["blowhole"]
    assert 0.1 < chance <= 0.5


def test_the_die_cools_while_the_cell_stands():
    die = Die(np.random.default_rng(1))
    for _ in range(60):
        die.shoot()
    warm = die.temperature
    die.rest(600.0)
    assert die.temperature < warm - 8.0
