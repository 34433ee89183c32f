"""State records -> a gapless time line of one machine. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.model import Record


@dataclass(frozen=True, slots=True)
class Segment:
    """One state from `start` to `end`, plant nanoseconds; `reason` is the stop reason in words, where there is one.

    `seq` is the record it begins with, 0 where no record tells of it.
    """

    word: str
    reason: str | None
    start: int
    end: int
    seq: int = field(default=0, compare=False)


def segments(records: Iterable[Record], since: int, until: int) -> list[Segment]:
    """The states in [since, until) without overlap, in order; nothing before the first record is invented.

    A record that was dated back ends what stood before it, and the later of two at one instant holds.
    """
    ordered = sorted(records, key=lambda record: (record.time, record.seq))
    found: list[Segment] = []
    for index, record in enumerate(ordered):
        end = ordered[index + 1].time if index + 1 < len(ordered) else until
        start, end = max(record.time, since), min(end, until)
        if start >= end:
            continue
        word, reason = str(record.body["word"]), record.body.get("reason_word")
        if found and (found[-1].word, found[-1].reason) == (word, reason) and found[-1].end == start:
            found[-1] = Segment(word, reason, found[-1].start, end, found[-1].seq)
        else:
            found.append(Segment(word, reason, start, end, record.seq))
    return found
