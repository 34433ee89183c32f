"""Cold samples on a real ledger: merged by the minute with nothing changed, kept as long as asked."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from agent.app import open_ledger
from agent.commands.proof import report_of
from agent.configuration.tables import LedgerTable
from agent.ledger import Block, Keep, Ledger, LedgerError, Reader
from agent.model import SECOND, Batch, Kind
from agent.storage import samples

TAGS = ("good", "force", "program")


@cache
def second(number, device="press1"):
    """One second of three tags, one of them a text."""
    times = np.repeat(np.arange(5, dtype=np.int64) * SECOND // 5 + number * SECOND, 3)
    index = np.tile(np.array([0, 1, 2], np.uint32), 5)
    value = np.where(index == 2, np.nan, np.where(index == 0, number, np.sin(number + np.arange(15)).round(2)))
    text = {int(row): f"p{number}" for row in np.flatnonzero(index == 2)}
    status = np.where(np.arange(15) == 4, 0x80000000, 0).astype(np.uint32)
    batch = Batch(index, value, times, status, int(times[-1]), number, text)
    return Block(device, TAGS, int(times[0]), int(times[-1]), 15, samples.encode([batch]))


async def fill(ledger, seconds):
    for number in range(seconds):
        await ledger.commit(blocks=[second(number), second(number, "trim1")])


def columns(reader, device, tag):
    return [column.tolist() for column in reader.samples(device, tag)]


async def test_minutes_are_merged_and_every_sample_reads_as_before(tmp_path):
    ledger = await Ledger.open(tmp_path, group_s=0)
    await fill(ledger, 300)
    await ledger.close()
    reader = Reader(tmp_path)
    rows = reader._rows("SELECT tag_list, first, rows FROM block ORDER BY tag_list, first")
    merged = [first // SECOND for tag_list, first, number in rows if tag_list == 1 and number == 60 * 15]
    assert merged[:3] == [0, 60, 120]
    assert len(merged) == 4
    blocks = [samples.decode(second(number).body) for number in range(300)]
    for place, tag in enumerate(TAGS):
        whole = [
            np.concatenate([getattr(one, name)[one.index == place] for one in blocks])
            for name in ("source_time", "value", "status")
        ]
        for device in ("press1", "trim1"):
            for column, wanted in zip(reader.samples(device, tag), whole, strict=True):
                np.testing.assert_array_equal(column, wanted)
    texts = [word for one in reader.batches("press1", TAGS, 0) for word in one.text.values()]
    assert texts == [f"p{number}" for number in range(300) for _ in range(5)]
    reader.close()
    assert report_of(tmp_path)[1] == []


async def test_merging_goes_on_after_a_restart_where_it_was(tmp_path):
    ledger = await Ledger.open(tmp_path, group_s=0)
    await fill(ledger, 130)
    await ledger.close()
    ledger = await Ledger.open(tmp_path, group_s=0)
    assert ledger.salvaged is None
    for number in range(130, 260):
        await ledger.commit(blocks=[second(number)])
    await ledger.close()
    reader = Reader(tmp_path)
    rows = reader._rows("SELECT first, rows FROM block WHERE tag_list = 1 ORDER BY id")
    assert [number for _, number in rows[:3]] == [900, 900, 900]
    assert sum(len(one.index) for one in reader.batches("press1", TAGS, 0)) == 260 * 15
    reader.close()


async def test_damaged_hot_samples_are_told_and_become_a_gap(tmp_path):
    ledger = await Ledger.open(tmp_path, group_s=0)
    for number in range(100):
        await ledger.commit(blocks=[second(number), second(number, "trim1")])
    ledger._store._db.execute("UPDATE hot SET body = zeroblob(100) WHERE turn = 6")
    reader = Reader(tmp_path)
    assert list(reader.damaged_blocks()) == ["turn 6 of the samples"]
    assert report_of(tmp_path)[1] == ["turn 6 of the samples is not what was written"]
    with pytest.raises(LedgerError, match="turn 6"):
        reader.samples("press1", "good")
    for number in range(100, 130):
        await ledger.commit(blocks=[second(number), second(number, "trim1")])
    await ledger.close()
    for device in ("press1", "trim1"):
        seen = set((reader.samples(device, "good").source_time // SECOND).tolist())
        assert seen == set(range(130)) - {5}
    gap = reader.records(Kind.GAP)[0]
    assert (gap.body["what"], gap.body["cause"]) == ("samples", "damaged")
    assert (gap.body["from"], gap.body["to"]) == ("1970-01-01T00:00:04.800Z", "1970-01-01T00:00:06.000Z")
    reader.close()
    assert report_of(tmp_path)[1] == []


async def test_every_sample_reads_once_while_a_group_of_many_devices_is_merged(tmp_path):
    ledger = await Ledger.open(tmp_path, group_s=0)
    reader = Reader(tmp_path)
    devices = [f"press{number}" for number in range(3)]
    for number in range(125):
        await ledger.commit(blocks=[second(number, device) for device in devices])
        if number >= 118:
            counts = {len(reader.samples(device, "good").value) for device in devices}
            assert counts == {5 * (number + 1)}
    reader.close()
    await ledger.close()
    ledger = await Ledger.open(tmp_path, group_s=0)
    assert [len(Reader(tmp_path).samples(device, "good").value) for device in devices] == [625] * 3
    await ledger.close()


async def test_a_turn_larger_than_a_page_reads_as_it_was(tmp_path):
    noise = np.random.default_rng(3).random(4000)
    times = np.arange(4000, dtype=np.int64)
    batch = Batch(np.zeros(4000, np.uint32), noise, times, np.zeros(4000, np.uint32), 3999, 1)
    ledger = await Ledger.open(tmp_path, group_s=0)
    for _ in range(3):
        await ledger.commit(blocks=[Block("mill", ("force",), 0, 3999, 4000, samples.encode([batch]))])
    await ledger.close()
    assert Reader(tmp_path).samples("mill", "force").value.tolist() == np.repeat(noise, 3).tolist()
    assert list(Reader(tmp_path).damaged_blocks()) == []


@pytest.mark.parametrize(("keep", "least", "most"), [(Keep(hours=100 / 3600), 100, 220), (Keep(bytes=2_000), 0, 260)])
async def test_the_oldest_samples_go_beyond_what_is_to_be_kept(tmp_path, keep, least, most):
    ledger = await Ledger.open(tmp_path, group_s=0, keep=keep)
    await fill(ledger, 300)
    await ledger.close()
    reader = Reader(tmp_path)
    times = reader.samples("press1", "good").source_time
    assert times[-1] // SECOND == 299
    assert least <= (times[-1] - times[0]) // SECOND <= most
    used = reader._rows("SELECT sum(length(body)) FROM block")[0][0]
    assert keep.bytes is None or used <= keep.bytes + 1000
    reader.close()


async def test_the_line_file_says_how_long_samples_stay_how_large_the_ledger_gets_and_how_often_it_is_written(tmp_path):
    written = {"size": "100MiB", "samples": "36h", "samples_size": "1GB", "records": "90d", "commit": "2s"}
    table = LedgerTable.model_validate(written)
    ledger = await open_ledger(table, tmp_path)
    assert ledger._store._db.pragma("max_page_count") == 100 * 2**20 // 4096
    assert ledger._store._keep == Keep(bytes=10**9, hours=36, records_hours=2160)
    assert ledger._group_s == 2.0
    await ledger.close()
