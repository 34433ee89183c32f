"""State timelines of a machine, from the plant's truth and from the ledger's records; every instant in one state."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway import payload


def nanoseconds(iso: str) -> int:
    """ISO 8601 with milliseconds as integer nanoseconds since 1970 UTC."""
    return payload.nanoseconds(datetime.fromisoformat(iso))


@dataclass(frozen=True, slots=True)
class Timeline:
    """(word, start, end) in ns, in order, each starting where the one before ends."""

    spans: tuple[tuple[str, int, int], ...]

    @staticmethod
    def of_intervals(intervals: Iterable[Sequence[Any]], start: int, end: int) -> Timeline:
        """The plant's own [word, start, end] rows, clipped to [start, end)."""
        clipped = ((word, max(start, since), min(end, until)) for word, since, until in intervals)
        return Timeline(tuple(span for span in clipped if span[1] < span[2]))

    @staticmethod
    def of_records(records: Iterable[Mapping[str, Any]], machine: str, start: int, end: int) -> Timeline:
        """State records in order of seq: a state lasts to the next one; before the first it is unknown."""
        changes = [("unknown", start)]
        for record in records:
            if record["kind"] == "state" and record["machine"] == machine:
                moment = min(max(nanoseconds(record["time"]), changes[-1][1]), end)
                changes.append((record["value"]["word"], moment))
        ends = [since for _, since in changes[1:]] + [end]
        spans = ((word, since, until) for (word, since), until in zip(changes, ends, strict=True))
        return Timeline(tuple(span for span in spans if span[1] < span[2]))


def seconds_by_word(timeline: Timeline) -> dict[str, float]:
    """Seconds spent in each state."""
    total: dict[str, float] = defaultdict(float)
    for word, since, until in timeline.spans:
        total[word] += (until - since) / 1e9
    return dict(total)


def transitions(timeline: Timeline, word: str) -> int:
    """How often the state was entered or left."""
    words = [span[0] for span in timeline.spans]
    return sum((before == word) != (after == word) for before, after in itertools.pairwise(words))
