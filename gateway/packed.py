"""About a second of raw values as one binary payload, lossless (docs/wire.md, `_samples`). Pure."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from agent.model import Samples
from gateway.payload import encode, iso
from gateway.raw import quality

MAGIC = b"TCS1"
HEADER = struct.Struct("<4sII")
LEVEL = 1  # higher ones cost more time than they save bytes


def packed(samples: Samples) -> bytes:
    """Magic, sizes of header and columns, header as JSON, then the compressed columns, little-endian.

    The columns one after the other: tag and status (u32), source time in ns as a difference to the one before (i64),
    value (f64). Each is told in bytes of equal weight side by side, which compresses best.
    """
    batches = samples.batches
    status = np.concatenate([batch.status for batch in batches])
    times = np.concatenate([batch.source_time for batch in batches])
    columns = (
        np.concatenate([batch.index for batch in batches]).astype("<u4"),
        status.astype("<u4"),
        np.diff(times, prepend=0).astype("<i8"),
        np.concatenate([batch.value for batch in batches]).astype("<f8"),
    )
    body = zlib.compress(b"".join(_by_weight(column) for column in columns), LEVEL)
    head = encode(
        {
            "device": samples.device,
            "tags": list(samples.tags),
            "count": len(status),
            "text": _texts(samples),
            "time": iso(batches[-1].time),
            "quality": quality(int(status.max(initial=0))),
            "sim": samples.simulated,
        }
    )
    return HEADER.pack(MAGIC, len(head), len(body)) + head + body


def _by_weight(column: np.ndarray) -> bytes:
    """All first bytes, then all second ones, and so on."""
    return column.view(np.uint8).reshape(-1, column.itemsize).T.tobytes()


def _texts(samples: Samples) -> dict[str, str]:
    """What is no number, by its place among all rows."""
    texts: dict[str, str] = {}
    before = 0
    for batch in samples.batches:
        texts |= {str(before + place): text for place, text in batch.text.items()}
        before += len(batch.index)
    return texts
