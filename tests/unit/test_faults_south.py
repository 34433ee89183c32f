"""What the fault suite of the south side holds a ledger against would see a value lost, doubled or mixed up."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from agent.model import SECOND, Batch
from tests.faults.south import FAULTS, KINDS, schedule
from tests.faults.south_ledger import BAD, OnDisk, Row, held, polled, totals
from tests.faults.south_rig import SERIAL, Seen, share
from tests.peers.words import LIFE, check

STEP = SECOND // 5


def whole():
    """Twenty values of one life, then ten of the next, and a gap between them."""
    serials = [LIFE + n for n in range(20)] + [2 * LIFE + n for n in range(10)]
    times = [STEP * n for n in range(20)] + [STEP * 20 + 10 * SECOND + STEP * n for n in range(10)]
    columns = {
        "serial": serials,
        "good": [one % LIFE for one in serials],
        "check": [check(one) for one in serials],
    }
    samples = {
        name: [Row(time, float(value), 0) for time, value in zip(times, column, strict=True)]
        for name, column in columns.items()
    }
    return OnDisk(samples, 28, 28, [(19 * STEP, STEP * 20 + 10 * SECOND)], [])


def with_rows(name, change):
    disk = whole()
    rows = list(disk.samples[name])
    return dataclasses.replace(disk, samples=disk.samples | {name: change(rows)})


def test_a_whole_ledger_passes():
    totals(whole(), 2 * LIFE + 9)
    held(whole(), restated=1)
    polled(whole())


def test_a_value_told_again_to_a_new_subscription_is_no_double_and_more_are():
    twice = with_rows("serial", lambda rows: [*rows[:5], rows[4], *rows[5:]])
    held(twice, restated=1)
    with pytest.raises(AssertionError, match="came again"):
        held(twice, restated=0)


def test_a_value_lost_in_a_life_is_found_and_one_between_lives_cannot_be_known():
    with pytest.raises(AssertionError, match="lost between"):
        held(with_rows("serial", lambda rows: rows[:7] + rows[8:]), restated=1)
    shorter = with_rows("serial", lambda rows: rows[:19] + rows[20:])
    hashes = [row for row in shorter.samples["check"] if row.value != check(LIFE + 19)]
    held(dataclasses.replace(shorter, samples=shorter.samples | {"check": hashes}), restated=1)


def test_values_that_the_server_called_bad_are_not_lost():
    bad = with_rows("serial", lambda rows: [*rows[:7], Row(rows[7].time, float("nan"), BAD), *rows[8:]])
    hashes = [row for row in bad.samples["check"] if row.value != check(LIFE + 7)]
    held(dataclasses.replace(bad, samples=bad.samples | {"check": hashes}), restated=1)


@pytest.mark.parametrize("name", ["good", "check"])
def test_values_of_two_moments_in_one_poll_are_found(name):
    with pytest.raises(AssertionError, match=r"belong together|another value"):
        polled(with_rows(name, shifted))


def shifted(rows):
    """Each value one row late."""
    return [dataclasses.replace(row, value=rows[max(0, n - 1)].value) for n, row in enumerate(rows)]


def test_a_hole_that_no_gap_covers_is_found():
    with pytest.raises(AssertionError, match="without a gap"):
        polled(dataclasses.replace(whole(), gaps=[]))


def test_what_a_unit_refused_to_tell_is_no_hole():
    def refused(rows):
        return [*rows[:20], Row(rows[19].time + 1, float("nan"), BAD), *rows[20:]]

    polled(dataclasses.replace(with_rows("serial", refused), gaps=[]))


def test_a_count_that_is_not_what_the_samples_add_up_to_is_found():
    with pytest.raises(AssertionError, match="add up to"):
        totals(dataclasses.replace(whole(), counted=27), 2 * LIFE + 9)
    with pytest.raises(AssertionError, match="the server counted"):
        totals(whole(), 2 * LIFE + 10)


def test_a_seed_is_one_schedule_and_every_kind_comes_up():
    assert schedule(7, 20.0, "asyncua") == schedule(7, 20.0, "asyncua")
    assert {fault.kind for seed in range(8) for fault in schedule(seed, 5.0, "pymodbus")} == set(KINDS)
    assert all(len(schedule(seed, 5.0, "libmodbus")) == FAULTS for seed in range(8))


def batch(*serials):
    rows = len(serials)
    index, status = np.full(rows, SERIAL, np.uint32), np.zeros(rows, np.uint32)
    return Batch(index, np.array(serials, np.float64), np.zeros(rows, np.int64), status, 0, 1)


def link(*, connected):
    return SimpleNamespace(devices=lambda: [SimpleNamespace(connected=connected, reconnects=0)])


async def watched(seen, recorder, until):
    watching = asyncio.create_task(seen.watch(recorder))
    async with asyncio.timeout(20):
        while not until():  # noqa: ASYNC110 - the clock under test is what moves
            await asyncio.sleep(0.01)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def test_a_link_that_is_called_connected_and_tells_nothing_is_noticed():
    seen = Seen()
    await watched(seen, link(connected=True), lambda: seen.silent_s > 0.1)
    away = Seen()
    await watched(away, link(connected=False), lambda: away.now > 0.1)
    assert away.silent_s == 0.0


def test_batches_without_a_row_are_no_data_unless_there_is_nothing_new_to_tell():
    seen = Seen(now=9.0)
    seen.heard("plc", batch())
    assert seen.heard_at == 0.0
    seen.is_idle = True
    seen.heard("plc", batch())
    assert seen.heard_at == 9.0


def test_a_value_that_goes_back_is_out_of_order_and_one_told_again_is_not():
    seen = Seen()
    seen.heard("plc", batch(5, 6, 6, 7))
    assert (seen.order, seen.serial, seen.fresh.is_set()) == ([], 7, True)
    seen.heard("plc", batch(6))
    assert seen.order == ["6 after 7"]


def test_nobody_gets_more_than_a_core():
    assert 0.0 < share() <= 1.0
