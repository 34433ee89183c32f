"""A second of raw values as one payload, in columns (docs/wire.md, `_raw`). Pure."""

from __future__ import annotations

import numpy as np

from agent.model import BAD, UNCERTAIN, Samples
from gateway.payload import Json, iso


def raw(samples: Samples) -> Json:
    """The envelope of the samples; a value that is no number is null, text stands as text."""
    batches = samples.batches
    status = np.concatenate([batch.status for batch in batches])
    return {
        "value": {
            "device": samples.device,
            "tags": list(samples.tags),
            "tag": np.concatenate([batch.index for batch in batches]).tolist(),
            "value": _values(samples),
            "time": (np.concatenate([batch.source_time for batch in batches]) // 1_000_000).tolist(),
            "status": status.tolist(),
        },
        "time": iso(batches[-1].time),
        "quality": quality(int(status.max(initial=0))),
        "sim": samples.simulated,
    }


def _values(samples: Samples) -> list[float | str | None]:
    values: list[float | str | None] = []
    for batch in samples.batches:
        row: list[float | str | None] = batch.value.tolist()
        for place in np.flatnonzero(~np.isfinite(batch.value)).tolist():
            row[place] = None
        for place, text in batch.text.items():
            row[place] = text
        values += row
    return values


def quality(worst: int) -> str:
    """The worst status of the values, by the severity in its two highest bits."""
    return "bad" if worst & BAD else "uncertain" if worst & UNCERTAIN else "good"
