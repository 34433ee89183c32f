"""Raw samples of a device as one compressed block: sorted by tag, delta, zigzag, byte shuffle, zstd. Pure.

A block is zstd of: head (rows, tags, time, token, unit), then columns of 64-bit integers (tag, rows per
tag, decimals, status, source time in units, value), then texts as JSON. Lossless, NaN payloads included.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

import numpy as np
import zstandard
from numpy.typing import NDArray

from agent.model import SECOND, Batch

HEAD = struct.Struct("<4sIIqqq")
MAGIC = b"tcs2"
OLD_HEAD = struct.Struct("<4sIIqq")
OLD_MAGIC = b"tcs1"  # times in ns; `scale` was 1 for whole numbers, else 0: it reads the same
POWERS = (1.0, 10.0, 100.0, 1000.0)
WHOLE = 2.0**53
MINUTE = 60 * SECOND
HOT, COLD = 3, 9  # zstd levels: of a block that is written every second, and of one that is kept
Longs = NDArray[np.int64]


def encode(batches: Sequence[Batch], level: int = HOT) -> bytes:
    """A block of all rows of `batches` (one device, in order of arrival), compressed as hard as `level` (zstd)."""
    index = np.concatenate([batch.index for batch in batches])
    value = np.concatenate([batch.value for batch in batches]).astype(np.float64)
    order = np.argsort(index, kind="stable")
    value = value[order]
    tags, counts = np.unique(index, return_counts=True)
    scale, longs = _scaled(value, counts)
    status = np.concatenate([batch.status for batch in batches])[order]
    source_time = np.concatenate([batch.source_time for batch in batches])[order]
    unit = int(np.gcd.reduce(source_time)) or 1
    columns = (tags, counts, scale, status, source_time // unit, longs)
    head = HEAD.pack(MAGIC, len(index), len(tags), batches[-1].time, batches[-1].token, unit)
    text = json.dumps(_text(batches, order), ensure_ascii=False).encode("utf-8", "surrogatepass")
    packed = b"".join(_pack(column.astype(np.int64)) for column in columns)
    return zstandard.ZstdCompressor(level=level).compress(head + packed + text)


def merge(blocks: Sequence[bytes]) -> bytes:
    """One block of all rows of `blocks` (one device and tag list, in order of arrival)."""
    return encode([decode(block) for block in blocks], COLD)


def thinned(block: bytes) -> tuple[int, bytes] | None:
    """The block with the last row of each tag and minute of source time, and its rows; None where that is all of it."""
    try:
        whole = decode(block)
    except ValueError:
        return None
    minute = whole.source_time // MINUTE
    same = (whole.index[1:] == whole.index[:-1]) & (minute[1:] == minute[:-1])
    rows = np.flatnonzero(np.concatenate([~same, np.ones(min(1, len(minute)), np.bool_)]))
    if len(rows) == len(minute):
        return None
    text = {place: whole.text[row] for place, row in enumerate(rows.tolist()) if row in whole.text}
    columns = (whole.index[rows], whole.value[rows], whole.source_time[rows], whole.status[rows])
    return len(rows), encode([Batch(*columns, whole.time, whole.token, text)], COLD)


def decode(block: bytes) -> Batch:
    """All rows of a block, by tag and within a tag in order of arrival; ValueError if it is none."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(block)
        is_old = raw[:4] == OLD_MAGIC
        offset = (OLD_HEAD if is_old else HEAD).size
        magic, rows, tags, time, token, unit = (*OLD_HEAD.unpack_from(raw), 1) if is_old else HEAD.unpack_from(raw)
    except (zstandard.ZstdError, struct.error) as error:
        raise ValueError(f"not a sample block: {error}") from None
    if magic not in (MAGIC, OLD_MAGIC):
        raise ValueError(f"not a sample block: starts with {magic!r}")
    columns = []
    for length in (tags, tags, tags, rows, rows, rows):
        columns.append(_unpack(raw[offset : offset + 8 * length]))
        offset += 8 * length
    index, counts, scale, status, units, longs = columns
    source_time = units * unit
    power = np.repeat(scale, counts)
    value = np.where(power > 0, longs / np.array(POWERS)[np.maximum(power - 1, 0)], longs.view(np.float64))
    text = {int(row): word for row, word in json.loads(raw[offset:].decode("utf-8", "surrogatepass")).items()}
    return Batch(
        np.repeat(index, counts).astype(np.uint32), value, source_time, status.astype(np.uint32), time, token, text
    )


def _scaled(value: NDArray[np.float64], counts: NDArray[np.intp]) -> tuple[Longs, Longs]:
    """For each tag 1 + the decimals all its values have, with the values as whole numbers; 0 with their bits else.

    Bits of such numbers differ widely between neighbours, the whole numbers do not. -0.0 has no whole number.
    """
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.intp)
    scale, longs = np.zeros(len(counts), np.int64), value.view(np.int64).copy()
    for decimals, power in enumerate(POWERS):
        with np.errstate(invalid="ignore", over="ignore"):
            whole = np.rint(value * power)
            exact = (np.abs(whole) < WHOLE) & (whole / power == value) & ~((value == 0) & np.signbit(value))
        fits = (np.logical_and.reduceat(exact, starts) if len(exact) else np.zeros(0, np.bool_)) & (scale == 0)
        scale[fits] = decimals + 1
        rows = np.repeat(fits, counts)
        longs[rows] = whole[rows].astype(np.int64)
    return scale, longs


def _text(batches: Sequence[Batch], order: NDArray[np.intp]) -> dict[int, str]:
    """Texts by their row in the block."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    text: dict[int, str] = {}
    start = 0
    for batch in batches:
        text |= {int(place[start + row]): word for row, word in batch.text.items()}
        start += len(batch.index)
    return text


def _pack(column: Longs) -> bytes:
    """Differences, zigzagged so that small ones have high bytes of zero, then all first bytes, all second, ..."""
    delta = np.diff(column, prepend=np.int64(0))
    zigzag = (delta << 1) ^ (delta >> 63)
    return zigzag.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _unpack(raw: bytes) -> Longs:
    shuffled = np.frombuffer(raw, np.uint8).reshape(8, -1)
    zigzag = np.ascontiguousarray(shuffled.T).view("<u8").ravel()
    delta = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    return np.cumsum(delta, dtype=np.int64)
