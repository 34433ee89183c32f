"""The plant in virtual time: what it must hold for every seed and however time is sliced."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.clock import Clock
from simulators.plant import Plant
from simulators.station import LAMPS
from simulators.truth import truth

SECOND = 1_000_000_000
START = 1_795_305_600 * SECOND
SEEDS = st.integers(0, 10_000)
MINUTES = st.integers(1, 75)


@cache
def hour(seed: int) -> Plant:
    plant = Plant(seed, START)
    plant.advance(START + 3600 * SECOND)
    return plant


@settings(max_examples=25, deadline=None)
@given(SEEDS, MINUTES)
def test_no_part_appears_or_vanishes(seed, minutes):
    plant = Plant(seed, START)
    plant.advance(START + minutes * 60 * SECOND)
    for station, ahead in zip(plant.stations, plant.stations[1:], strict=False):
        held = station.phase.value in ("blocked", "waiting for room") and station.part is not None
        assert station.good == ahead.taken + ahead.parts + held
        assert ahead.parts <= station.plan.buffer
    for station in plant.stations:
        working = station.part is not None and station.phase.value in ("executing", "stopped")
        assert station.taken == station.good + station.scrap + working
    assert len(plant.units) == plant.stations[0].good + plant.stations[0].scrap


@settings(max_examples=25, deadline=None)
@given(SEEDS, MINUTES)
def test_every_instant_of_every_machine_is_in_exactly_one_state(seed, minutes):
    plant = Plant(seed, START)
    plant.advance(START + minutes * 60 * SECOND)
    for machine in truth(plant, seed, 1.0, 0)["machines"].values():
        states = machine["states"]
        assert states[0][1] == START
        assert states[-1][2] == START + minutes * 60 * SECOND
        assert all(one[2] == two[1] and one[0] != two[0] for one, two in pairwise(states))
        assert all(since <= until for _, since, until in states)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_a_life_does_not_depend_on_how_time_is_sliced(seed, steps):
    sliced, whole = Plant(seed, START), Plant(seed, START)
    changes, now = [], START
    for step in steps:
        now += step * SECOND
        changes += sliced.advance(now)
    assert changes == whole.advance(now)
    assert truth(sliced, seed, 1.0, 0) == truth(whole, seed, 1.0, 0)
    assert sliced.energy == pytest.approx(whole.energy)


def test_two_seeds_live_two_lives():
    assert truth(hour(1), 0, 1.0, 0) != truth(hour(2), 0, 1.0, 0)


def test_two_hundred_lives_make_150_parts_an_hour_and_show_every_trouble_in_three_quarters_of_it():
    good, made = [], []
    for seed in range(200):
        plant = Plant(seed, START)
        plant.advance(START + 45 * 60 * SECOND)
        told = truth(plant, seed, 60.0, 0)
        for what in ("jams", "starvations", "defects", "wraps"):
            assert told[what] >= 1, f"seed {seed} has no {what}"
        plant.advance(START + 3600 * SECOND)
        last = plant.stations[-1]
        good.append(last.good)
        made.append(last.good + last.scrap)
    assert min(good) >= 150
    assert sorted(made)[10] >= 190


def test_no_state_is_shorter_than_five_seconds():
    for seed in range(30):
        for station in hour(seed).stations:
            for (word, since), (_, until) in pairwise(station.states):
                assert until - since >= 5 * SECOND, f"seed {seed}: {station.plan.name} {word}"


def test_changes_come_in_order_and_retell_the_truth():
    plant = Plant(5, START)
    changes = plant.advance(START + 3600 * SECOND)
    assert all(one.time <= two.time for one, two in pairwise(changes))
    for station in plant.stations:
        name = station.plan.name
        lamps = [(change.value, change.time) for change in changes if change.node == f"{name}.light"]
        assert lamps == [(LAMPS[word], since) for word, since in station.states[1:]]
        goods = [change.value for change in changes if change.node == f"{name}.good"]
        assert all((two - one) % 65536 == 1 for one, two in pairwise([station.plan.raw[0], *goods]))
        assert len(goods) == station.good


def test_the_stop_code_stands_while_and_only_while_the_lamp_is_red():
    plant = Plant(5, START)
    light, reason = {}, {}
    for change in plant.advance(START + 3600 * SECOND):
        machine, _, name = change.node.partition(".")
        if name == "reason":
            reason[machine] = change.value
        if name == "light":
            light[machine] = change.value
            codes = {
                jam.code for station in plant.stations if station.plan.name == machine for jam in station.plan.jams
            }
            assert change.value != LAMPS["stopped"] or reason[machine] in codes
    assert all(plant.values[f"{machine}.reason"] == 0 for machine, lamp in light.items() if lamp != 1)


def test_a_shot_latches_its_values_at_one_time_and_its_number_last():
    plant = Plant(5, START)
    latched = [change for change in plant.advance(START + 600 * SECOND) if change.node.startswith("diecast1.shot")]
    assert len(latched) == 7 * len(plant.units)
    for unit, seven in zip(plant.units, zip(*[iter(latched)] * 7, strict=True), strict=True):
        assert {change.time for change in seven} == {unit.time}
        assert seven[-1].node == "diecast1.shot"
        assert seven[-1].value == unit.shot


def test_every_time_is_a_whole_millisecond_so_that_no_protocol_rounds_it():
    assert all(change.time % 1_000_000 == 0 for change in Plant(5, START).advance(START + 1800 * SECOND))


def test_a_line_at_work_draws_more_than_a_waiting_one():
    plant = Plant(5, START)
    idle = plant.power
    plant.advance(START + 600 * SECOND)
    assert plant.power > 2 * idle
    assert plant.energy > Plant(5, START).energy + 1.0


def test_changeovers_come_only_between_families():
    plant = Plant(5, START)
    plant.advance(START + 3 * 3600 * SECOND)
    families = [plant.scenario.products[unit.product].family for unit in plant.units]
    turns = sum(one != two for one, two in pairwise(families))
    assert turns >= 2
    shown = [word for word, _ in plant.stations[0].states].count("changeover")
    assert shown - turns in (0, 1)  # one may be under way


def test_the_announced_orders_are_what_the_line_casts():
    plant = Plant(9, START)
    plant.advance(START + 1800 * SECOND)
    announced = [order.product for order in plant.orders(12) for _ in range(order.quantity)]
    assert [unit.product for unit in plant.units] == announced[: len(plant.units)]


def test_the_clock_stands_until_go_and_after_stop():
    wall = [0]
    clock = Clock(START, 60.0, lambda: wall[0])
    wall[0] = 5 * SECOND
    assert clock.now() == START
    clock.go()
    wall[0] += SECOND
    assert clock.now() == START + 60 * SECOND
    clock.go()
    assert clock.now() == START + 60 * SECOND
    clock.stop()
    wall[0] += SECOND
    assert clock.now() == START + 60 * SECOND
