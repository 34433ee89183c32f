"""Raw samples of a device as one compressed block: sorted by tag, delta, zigzag, byte shuffle, zstd. Pure.

A block is zstd of: head (rows, tags, time, token), then columns of 64-bit integers (tag, rows per tag,
whole or float, status, source time, value), then texts as JSON. Lossless, NaN payloads included.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

import numpy as np
import zstandard
from numpy.typing import NDArray

from agent.model import Batch

HEAD = struct.Struct("<4sIIqq")
MAGIC = b"tcs1"
WHOLE = 2.0**53
HOT, COLD = 3, 9  # zstd levels: of a block that is written every second, and of one that is kept
Longs = NDArray[np.int64]


def encode(batches: Sequence[Batch], level: int = HOT) -> bytes:
    """A block of all rows of `batches` (one device, in order of arrival), compressed as hard as `level` (zstd)."""
    index = np.concatenate([batch.index for batch in batches])
    value = np.concatenate([batch.value for batch in batches]).astype(np.float64)
    order = np.argsort(index, kind="stable")
    value = value[order]
    tags, counts = np.unique(index, return_counts=True)
    whole = _whole(value, counts)
    # bits of whole numbers differ widely between neighbours, the numbers themselves do not
    with np.errstate(invalid="ignore"):
        longs = np.where(np.repeat(whole, counts), value.astype(np.int64), value.view(np.int64))
    status = np.concatenate([batch.status for batch in batches])[order]
    source_time = np.concatenate([batch.source_time for batch in batches])[order]
    columns = (tags, counts, whole, status, source_time, longs)
    head = HEAD.pack(MAGIC, len(index), len(tags), batches[-1].time, batches[-1].token)
    text = json.dumps(_text(batches, order), ensure_ascii=False).encode("utf-8", "surrogatepass")
    packed = b"".join(_pack(column.astype(np.int64)) for column in columns)
    return zstandard.ZstdCompressor(level=level).compress(head + packed + text)


def merge(blocks: Sequence[bytes]) -> bytes:
    """One block of all rows of `blocks` (one device and tag list, in order of arrival)."""
    return encode([decode(block) for block in blocks], COLD)


def decode(block: bytes) -> Batch:
    """All rows of a block, by tag and within a tag in order of arrival; ValueError if it is none."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(block)
        magic, rows, tags, time, token = HEAD.unpack_from(raw)
    except (zstandard.ZstdError, struct.error) as error:
        raise ValueError(f"not a sample block: {error}") from None
    if magic != MAGIC:
        raise ValueError(f"not a sample block: starts with {magic!r}")
    columns, offset = [], HEAD.size
    for length in (tags, tags, tags, rows, rows, rows):
        columns.append(_unpack(raw[offset : offset + 8 * length]))
        offset += 8 * length
    index, counts, whole, status, source_time, longs = columns
    is_whole = np.repeat(whole, counts).astype(bool)
    value = np.where(is_whole, longs.astype(np.float64), longs.view(np.float64))
    text = {int(row): word for row, word in json.loads(raw[offset:].decode("utf-8", "surrogatepass")).items()}
    return Batch(
        np.repeat(index, counts).astype(np.uint32), value, source_time, status.astype(np.uint32), time, token, text
    )


def _whole(value: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """For each tag whether all its values are whole numbers that an int64 holds exactly, -0.0 not among them."""
    exact = (np.abs(value) < WHOLE) & (np.floor(value) == value) & ~((value == 0) & np.signbit(value))
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.intp)
    return np.logical_and.reduceat(exact, starts) if len(exact) else np.zeros(0, np.bool_)


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
