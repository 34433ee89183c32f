"""Cold samples on a real ledger: merged by the minute with nothing changed, kept as long as asked."""

from __future__ import annotations

import numpy as np
import pytest

from agent import samples
from agent.ledger import Block, Keep, Ledger, Reader
from agent.model import SECOND, Batch
from agent.proof import report_of

TAGS = ("good", "force", "program")


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
    assert sum(number for _, _, number in rows) == 2 * 300 * 15
    blocks = [samples.decode(second(number).body) for number in range(300)]
    for place, tag in enumerate(TAGS):
        whole = [
            np.concatenate([getattr(one, name)[one.index == place] for one in blocks])
            for name in ("source_time", "value", "status")
        ]
        for device in ("press1", "trim1"):
            for column, wanted in zip(reader.samples(device, tag), whole, strict=True):
                np.testing.assert_array_equal(column, wanted)
    texts = [
        word for (body,) in reader._rows("SELECT body FROM block WHERE tag_list = 1 ORDER BY id")
        for word in samples.decode(body).text.values()
    ]  # fmt: skip
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
    assert sum(number for _, number in rows) == 260 * 15
    reader.close()


async def test_a_damaged_block_is_left_and_the_rest_goes_on(tmp_path):
    ledger = await Ledger.open(tmp_path, group_s=0)
    bad = second(5)
    await ledger.commit(blocks=[second(4), bad])
    ledger._store._db.execute("UPDATE block SET crc = crc + 1 WHERE id = 2")
    for number in range(6, 250):
        await ledger.commit(blocks=[second(number)])
    await ledger.close()
    reader = Reader(tmp_path)
    assert list(reader.damaged_blocks()) == [2]
    assert max(number for (number,) in reader._rows("SELECT rows FROM block")) == 900
    reader.close()


@pytest.mark.parametrize(("keep", "least", "most"), [(Keep(hours=100 / 3600), 100, 220), (Keep(bytes=20_000), 0, 280)])
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
