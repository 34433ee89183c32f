"""What the machine page adds to the line's figures: time by state, stops, the spread of cycles. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.figures.stops import Reasoned, Row, Spans, pareto, within
from agent.model import BAD, SECOND, Record
from agent.storage.reader import Series
from gateway.panel.entries import LATE
from gateway.panel.timeline import Segment

STANDING = ("stopped", "starved", "blocked", "changeover", "idle", "out_of_service")
MOST_BINS = 24
STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
EDGE = 0.99


@dataclass(frozen=True, slots=True)
class Spread:
    """Seen cycles in bins of `step` seconds from `start`; `over` lie beyond the last bin. None of it is filled in."""

    count: int
    start: float
    step: float
    bins: tuple[int, ...]
    over: int
    median: float | None
    p95: float | None
    slower: int


def seconds(spans: Sequence[Segment], planned: Spans) -> dict[str, float]:
    """Planned seconds by state word."""
    found: dict[str, int] = {}
    for one in spans:
        if time := within(planned, one.start, one.end):
            found[one.word] = found.get(one.word, 0) + time
    return {word: time / SECOND for word, time in found.items()}


def stops(machine: str, spans: Sequence[Segment], planned: Spans) -> tuple[Row, ...]:
    """Every way the machine stood, the longest in sum first; what was not observed is none of them."""
    stood = (Reasoned(machine, one.reason, one.start, one.end, one.word) for one in spans if one.word in STANDING)
    return pareto(stood, planned)


def cycles_told(counts: Sequence[Record], cycle: Series) -> list[float]:
    """The machine's own cycle time at each part: the value it held when the part was counted.

    Parts counted several at once, and those made unseen, have no cycle that anybody saw.
    """
    times = cycle.source_time.tolist()
    found = []
    for record in counts:
        at = bisect_right(times, record.time) - 1
        if record.body["delta"] != 1 or record.body["note"] in LATE or at < 0 or cycle.status[at] & BAD:
            continue
        value = float(cycle.value[at])
        if math.isfinite(value) and value > 0:
            found.append(value)
    return found


def cycles_counted(counts: Sequence[Record], spans: Sequence[Segment]) -> list[float]:
    """Seconds from part to part, where the machine was seen to run all the while."""
    running = [(one.start, one.end) for one in spans if one.word == "executing"]
    found = []
    for before, after in pairwise(counts):
        alone = after.body["delta"] == 1 and after.body["note"] is None
        if alone and any(a <= before.time < after.time <= b for a, b in running):
            found.append((after.time - before.time) / SECOND)
    return found


def spread(cycles: Sequence[float], target: float) -> Spread:
    """The cycles in bins of one of STEPS; the slowest hundredth may lie beyond them."""
    ordered = sorted(cycles)
    if not ordered:
        return Spread(0, 0.0, STEPS[0], (), 0, None, None, 0)
    top = max(ordered[math.ceil(EDGE * len(ordered)) - 1], target)
    low = min(ordered[0], target)
    step = next((one for one in STEPS if (top - low) / one <= MOST_BINS - 2), STEPS[-1])
    first = math.floor(low / step)
    bins = [0] * min(MOST_BINS, math.floor(top / step) - first + 1)
    over = 0
    for value in ordered:
        place = math.floor(value / step) - first
        if place < len(bins):
            bins[place] += 1
        else:
            over += 1
    slower = sum(value > target for value in ordered)
    return Spread(
        len(ordered), first * step, step, tuple(bins), over, _at(ordered, 0.5), _at(ordered, 0.95), slower
    )  # fmt: skip


def _at(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie, by nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
