"""A store that fills: what gives way, in which order, and that counts never do. On a small file system of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from agent.commands.proof import report_of
from agent.counter import CounterState
from agent.ledger import Block, Keep, Ledger, LedgerError, Reader
from agent.model import SECOND, Batch, Kind, Line, Record
from agent.recorder import Recorder
from agent.shift import Calendar
from agent.storage import room, samples
from agent.storage.room import RESERVE, words
from agent.storage.salvage import suspect

KEY = ("press1", "good")
MIB = 2**20
ROWS = 4000


def fact(number):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(Kind.COUNT, "press1", number * SECOND, body, simulated=True)


def state(number):
    return {KEY: CounterState(number, number, 0, number * SECOND)}


def noise(second):
    """A second of a tag that no compression makes smaller."""
    values = np.random.default_rng(second).random(ROWS)
    times = second * SECOND + np.arange(ROWS, dtype=np.int64)
    batch = Batch(np.zeros(ROWS, np.uint32), values, times, np.zeros(ROWS, np.uint32), int(times[-1]), second)
    return Block("press1", ("force",), int(times[0]), int(times[-1]), ROWS, samples.encode([batch]))


@pytest.fixture
def disk(tmp_path, request):
    """32 MiB of ext4, or as much as is asked for, that nobody else uses."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system of its own needs root")
    image, mounted = tmp_path / "image", tmp_path / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(getattr(request, "param", 32) * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
    yield mounted
    subprocess.run(["umount", "--lazy", mounted], check=True)


def crowded(disk, leave):
    """A file of somebody else's that leaves so many bytes of a disk."""
    path = disk / "crowd"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while (room := (left := os.statvfs(disk)).f_bavail * left.f_frsize - leave) > 0:
            file.write(bytes(min(room, MIB)))
    return path


def gaps(folder):
    reader = Reader(folder)
    try:
        return [(one.body["what"], one.body["cause"]) for one in reader.records(Kind.GAP)]
    finally:
        reader.close()


@pytest.mark.parametrize("disk", [16], indirect=True)
async def test_on_a_disk_that_fills_old_trends_keep_a_value_a_minute_and_every_count_stays(disk):
    folder = disk / "ladder"
    ledger = await Ledger.open(folder, group_s=0)
    told = [ledger.filling]
    for second in range(300):
        await ledger.commit([fact(second + 1)], counters=state(second + 1), blocks=[noise(second)])
        if ledger.filling != told[-1]:
            told.append(ledger.filling)
    assert ledger.durable
    await ledger.close()
    report, blocks = report_of(folder)
    assert (report.violations, blocks) == ([], [])
    assert report.tallies[KEY].counted == 300
    assert set(gaps(folder)) == {("samples", "thinned")}
    assert told[0] is None
    assert len(told) > 1
    reader = Reader(folder)
    newest = reader.samples("press1", "force", since=240 * SECOND)
    assert len(newest.value) == 60 * ROWS
    oldest = reader.samples("press1", "force", until=60 * SECOND)
    assert oldest.value.tolist() == [samples.decode(noise(59).body).value[-1]]
    reader.close()


async def test_pictures_go_where_the_disk_is_short_and_nothing_else_is_left_to_give(disk):
    folder = disk / "pictures"
    pictures = folder / "evidence"
    pictures.mkdir(parents=True)
    for number in range(10):
        path = pictures / f"press1-{number:06d}.webp"
        path.write_bytes(b"picture")
        os.utime(path, (number, number))
    ledger = await Ledger.open(folder, group_s=0)
    await ledger.commit([fact(1)])
    crowd = crowded(disk, leave=2 * MIB)
    await ledger.commit([fact(2)])
    assert sorted(path.name for path in pictures.iterdir()) == [f"press1-{number:06d}.webp" for number in range(5, 10)]
    crowd.unlink()
    await ledger.close()
    reader = Reader(folder)
    gap = next(one.body for one in reader.records(Kind.GAP))
    reader.close()
    assert (gap["what"], gap["from"], gap["to"]) == ("pictures", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:04.000Z")


async def test_the_reserve_makes_room_for_counts_and_what_does_not_fit_waits_until_there_is_room(disk):
    folder = disk / "reserve"
    ledger: Any = await Ledger.open(folder, group_s=0)
    await ledger.commit([fact(1)], counters=state(1))
    assert (folder / RESERVE).stat().st_size == 8 * MIB
    crowd = crowded(disk, leave=0)
    big = Record(Kind.AUDIT, "", 0, {"event": "x" * 5 * MIB}, simulated=False)
    await ledger.commit([big])
    assert not (folder / RESERVE).exists()
    assert ledger.durable
    waiting = [
        asyncio.create_task(ledger.commit([big])),
        asyncio.create_task(ledger.commit([fact(2)], counters=state(2))),
    ]
    async with asyncio.timeout(20):
        while ledger.durable:  # noqa: ASYNC110 - a property of a thread, there is nothing to wait for
            await asyncio.sleep(0.01)
    assert [one.done() for one in waiting] == [False, False]
    crowd.unlink()
    await asyncio.gather(*waiting)
    assert ledger.durable
    await ledger.close()
    report, _ = report_of(folder)
    assert report.violations == []
    assert report.tallies[KEY].counted == 2


async def test_a_start_on_a_full_disk_takes_the_reserve_or_says_what_to_do_and_leaves_the_ledger_as_it_is(disk):
    folder = disk / "start"
    ledger = await Ledger.open(folder, group_s=0)
    await ledger.commit([fact(1)], counters=state(1))
    await ledger.close()
    crowd = crowded(disk, leave=0)
    with pytest.raises(LedgerError, match=r"takes no writes .* free space on it"):
        await Ledger.open(folder)
    crowd.unlink()
    (folder / RESERVE).write_bytes(bytes(MIB))  # as a killed agent leaves it
    crowd = crowded(disk, leave=0)
    ledger = await Ledger.open(folder, group_s=0)
    await ledger.commit([fact(2)], counters=state(2))
    assert ledger.salvaged is None
    assert ledger.durable
    await ledger.close()
    crowd.unlink()
    report, _ = report_of(folder)
    assert (report.violations, report.tallies[KEY].counted) == ([], 2)
    assert not (folder / "quarantine").exists()


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(room, "MARGIN", 10)
    monkeypatch.setattr(room, "RECORDS_AT_ONCE", 50)


async def test_told_records_go_last_and_leave_their_sums_so_that_the_rest_is_proved(tmp_path, small_steps):
    ledger = await Ledger.open(tmp_path, max_bytes=4096 * 120, group_s=0)
    number = 0
    while number < 4000:
        group = [fact(number + place + 1) for place in range(40)]
        number += 40
        await ledger.commit(group, counters=state(number))
        await ledger.move_cursor("mqtt", ledger.last_seq)
    assert ledger.durable
    last = ledger.last_seq
    await ledger.close()
    report, _ = report_of(tmp_path)
    assert (report.violations, report.last) == ([], last)
    assert report.kinds["count"] < 3000
    assert report.tallies[KEY].total == 4000
    assert set(gaps(tmp_path)) == {("records", "store_full")}
    assert Reader(tmp_path).verify() == last
    again = await Ledger.open(tmp_path)
    assert (again.salvaged, again.last_seq) == (None, last)
    assert [one.body["total"] for one in await again.records(last - 10, 10) if one.kind is Kind.COUNT][-1] == 4000
    await again.close()


async def test_what_no_sink_has_stays_however_full_it_is(tmp_path, small_steps):
    ledger = await Ledger.open(tmp_path, max_bytes=4096 * 120, group_s=0)
    await ledger.commit([fact(1)], counters=state(1))
    await ledger.move_cursor("mqtt", 1)
    number = 1
    while ledger.filling != words(1.0):
        group = [fact(number + place + 1) for place in range(20)]
        number += 20
        await ledger.commit(group, counters=state(number))
    await ledger.commit([fact(number + 1)], counters=state(number + 1))
    await ledger.close()
    report, _ = report_of(tmp_path)
    assert (report.violations, report.tallies[KEY].counted, gaps(tmp_path)) == ([], number + 1, [])


async def test_told_records_go_after_the_hours_that_were_asked_for(tmp_path, small_steps):
    ledger = await Ledger.open(tmp_path, group_s=0, keep=Keep(records_hours=0))
    for number in range(1, 201):
        await ledger.commit([fact(number)], counters=state(number))
        await ledger.move_cursor("mqtt", number)
    await ledger.close()
    report, _ = report_of(tmp_path)
    assert (report.violations, report.tallies[KEY].total, gaps(tmp_path)) == ([], 200, [])
    assert report.kinds["count"] <= 110


async def test_a_ledger_that_gave_up_told_records_is_salvaged_with_every_total_right(tmp_path, small_steps):
    ledger = await Ledger.open(tmp_path, group_s=0, keep=Keep(records_hours=0))
    for number in range(1, 201):
        scrap = Record(Kind.COUNT, "trim1", 1, {**fact(number).body, "counter": "scrap"}, simulated=True)
        once = {("trim1", "scrap"): CounterState(1, 1, 0, 1)} if number == 1 else {}
        await ledger.commit([fact(number), *([scrap] if once else [])], counters=state(number) | once)
        await ledger.move_cursor("mqtt", min(ledger.last_seq, 150))
    store = ledger._store
    store._db.execute("UPDATE record SET crc = crc + 1 WHERE seq = 170")
    await ledger.close()
    suspect(tmp_path)
    again = await Ledger.open(tmp_path)
    assert "record 170" in str(again.salvaged)
    gap, *rest = await again.records(again.cursor("mqtt"), 1000)
    assert gap.body["unread"] == [[170, 170]]
    assert sum(one.body["delta"] for one in rest if one.kind is Kind.COUNT) == 201 - 150
    assert again.counters[KEY].total == 200
    await again.close()
    assert report_of(tmp_path)[0].violations == []


async def test_the_line_shows_that_the_store_fills_and_what_to_do(tmp_path):
    ledger = await Ledger.open(tmp_path, max_bytes=4096 * 120, group_s=0)
    line = Line("foshan", "appliances", "cooker3", {}, 17.0, "UTC", (), {}, {})
    recorder = Recorder(line, (), (), Calendar(), ledger)
    assert recorder.now().faults == ()
    number = 0
    while ledger.filling is None:
        await ledger.commit([fact(number + place + 1) for place in range(20)])
        number += 20
    (fault,) = recorder.now().faults
    assert (fault.source, fault.code, fault.message) == ("ledger", "store_filling", "70 % full")
    assert "size in the [ledger] table" in fault.remedy
    await ledger.close()
