"""Every figure of a window counted tick by tick from the arrays of a week; nothing of the engine is asked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.weeks.calendar import TICK
from tests.weeks.week import STATES, STOPPED, UNSEEN, Machine, Week

WORDS = [state.word for state in STATES]
VERDICTS = ("pass", "reject", "ask")
SHORT = 300 // TICK


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure's numerator, denominator, observed and due seconds; the value follows."""

    numerator: float
    denominator: float
    covered: float
    expected: float


@dataclass(slots=True)
class Counted:
    """What one machine's arrays hold of a window: seconds planned and unplanned by state, stops, parts."""

    seconds: dict[str, float]
    breaks: dict[str, float]
    due: float
    calendar: float
    stops: int
    short: int
    good: int
    scrap: int
    good_seen: int
    scrap_seen: int
    verdicts: dict[str, int]
    rework: int
    energy: int
    counters: frozenset[str]

    @property
    def seen(self) -> float:
        return sum(self.seconds.values())

    @property
    def made_seen(self) -> int:
        return self.good_seen + self.scrap_seen


def counted(week: Week, machine: Machine, window: tuple[int, int], upto: int, now: int) -> Counted:
    """Count the ticks of [window) told up to tick `upto`, as of tick `now`."""
    first, last = window[0], min(window[1], upto)
    told = slice(first, max(first, last))
    code, planned = machine.code[told], week.calendar.planned[told]
    late, good, scrap = machine.late[told], machine.good[told], machine.scrap[told]
    made, bad = int(good.sum()), int(scrap.sum())
    any_late = bool(late.any())
    seconds, breaks = _seconds(code, planned)
    verdicts = np.bincount(machine.verdict[told].astype(np.int64) + 1, minlength=len(VERDICTS) + 1).tolist()
    stops, short = _stops(machine.code, week.calendar.planned, first, max(first, last))
    due = week.calendar.planned[first : min(window[1], now)]
    return Counted(
        seconds,
        breaks,
        int(due.sum()) * TICK,
        len(due) * TICK,
        stops,
        short,
        made,
        bad,
        int(good[~late].sum()) if any_late else made,
        int(scrap[~late].sum()) if any_late else bad,
        dict(zip(VERDICTS, verdicts[1:], strict=True)),
        int(machine.rework[told].sum()),
        int(machine.energy[told].sum()),
        machine.counters,
    )


def _seconds(code: NDArray[np.int8], planned: NDArray[np.bool_]) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds by state word of the planned and of the other ticks; UNSEEN is the first place of each."""
    places = len(WORDS) + 1
    counts = np.bincount(code.astype(np.int64) + 1 + planned * places, minlength=2 * places).tolist()
    by_word = [{w: n * TICK for w, n in zip(WORDS, counts[at + 1 : at + places], strict=True)} for at in (places, 0)]
    return by_word[0], by_word[1]


def _stops(code: NDArray[np.int8], planned: NDArray[np.bool_], first: int, last: int) -> tuple[int, int]:
    """Runs of STOPPED with a planned tick, and those of them that are short and have a seen state on both sides."""
    here = code[first:last] == STOPPED
    if not here.any():
        return 0, 0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], here, [False]))))
    stops = short = 0
    for begin, end in zip(edges[::2] + first, edges[1::2] + first, strict=True):
        length = int(planned[begin:end].sum())
        stops += length > 0
        inside = begin > first and end < last
        if inside and code[begin - 1] != UNSEEN and code[end] != UNSEEN:
            short += 0 < length < SHORT
    return stops, short


def figures(rows: list[Counted], takt: float, meter: int | None, *, whole: bool) -> dict[tuple[int, str], Fact]:
    """All figures by (machine's place, name); the line's place is -1. `meter`: Wh of the line's own."""
    facts: dict[tuple[int, str], Fact] = {}
    for place, row in enumerate(rows):
        facts |= {(place, name): fact for name, fact in _common([row], row, row.scrap, takt, alone=True).items()}
        if whole:
            facts |= {(place, name): fact for name, fact in _shift([row], row, row.scrap, takt).items()}
            facts |= {(place, name): fact for name, fact in _beside([row], None).items()}
    last, scrap = rows[-1], sum(row.scrap for row in rows)
    facts |= {(-1, name): fact for name, fact in _common(rows, last, scrap, takt, alone=False).items()}
    if whole:
        facts |= {(-1, name): fact for name, fact in _shift(rows, last, scrap, takt).items()}
        facts |= {(-1, name): fact for name, fact in _beside(rows, meter).items()}
        facts[-1, "rolled_throughput_yield"] = _rolled(rows)
        facts[-1, "wip_change"] = _wip(rows, takt)
    return facts


def _common(rows: list[Counted], last: Counted, scrap: int, takt: float, *, alone: bool) -> dict[str, Fact]:
    seen, due = sum(row.seen for row in rows), sum(row.due for row in rows)
    running = sum(row.seconds["executing"] for row in rows)
    facts = {
        "utilization": Fact(running, seen, seen, due),
        "first_pass_yield": Fact(last.good - sum(row.rework for row in rows), last.good + scrap, seen, due),
        "takt": Fact(last.seen, last.made_seen, last.seen, last.due),
        "good": Fact(last.good, last.due / takt, last.seen, last.due),
        "scrap": Fact(scrap, last.due / takt, last.seen if alone else seen, last.due if alone else due),
    }
    verdicts = {word: sum(row.verdicts[word] for row in rows) for word in VERDICTS}
    judged = sum(verdicts.values())
    asked = {f"inspection_{word}": Fact(count, judged, seen, due) for word, count in verdicts.items() if judged}
    return facts | asked


def _shift(rows: list[Counted], last: Counted, scrap: int, takt: float) -> dict[str, Fact]:
    seen, due = sum(row.seen for row in rows), sum(row.due for row in rows)
    running = sum(row.seconds["executing"] for row in rows)
    in_breaks = sum(row.breaks["executing"] for row in rows)
    around = seen + sum(sum(row.breaks.values()) for row in rows)
    stops = sum(row.stops for row in rows)
    at_end = (last.seen, last.due)
    facts = {
        "utilization_calendar": Fact(running + in_breaks, around, around, sum(row.calendar for row in rows)),
        "availability": Fact(last.seconds["executing"], last.seen, *at_end),
        "effectiveness": Fact(takt * last.made_seen, last.seconds["executing"], *at_end),
        "quality_ratio": Fact(last.good_seen, last.made_seen, *at_end),
        "oee": Fact(takt * last.good_seen, last.seen, *at_end),
        "scrap_ratio": Fact(scrap, last.good + scrap, seen, due),
        "mtbf": Fact(running, stops, seen, due),
        "mttr": Fact(sum(row.seconds["stopped"] for row in rows), stops, seen, due),
        "micro_stops": Fact(sum(row.short for row in rows), seen, seen, due),
    }
    for word in ("changeover", "starved", "blocked"):
        facts[f"{word}_ratio"] = Fact(sum(row.seconds[word] for row in rows), seen, seen, due)
    return facts


def _beside(rows: list[Counted], meter: int | None) -> dict[str, Fact]:
    """What only machines with the counter have."""
    seen, due = sum(row.seen for row in rows), sum(row.due for row in rows)
    scrap, good, facts = sum(row.scrap for row in rows), rows[-1].good, {}
    if any("rework" in row.counters for row in rows):
        facts["rework_ratio"] = Fact(sum(row.rework for row in rows), good + scrap, seen, due)
    energy = sum(row.energy for row in rows) if meter is None else meter
    if energy:
        facts["energy_per_part"] = Fact(energy / 1000, good, seen, due)
    return facts


def _wip(rows: list[Counted], takt: float) -> Fact:
    """Parts between the stations: each passes into the gap before the next one and out of it good or as scrap."""
    between = sum(before.good - after.good - after.scrap for before, after in pairwise(rows))
    return Fact(between, rows[-1].due / takt, sum(row.seen for row in rows), sum(row.due for row in rows))


def _rolled(rows: list[Counted]) -> Fact:
    """Every part of the first station is sent through the yields of those that counted any."""
    seen, due = sum(row.seen for row in rows), sum(row.due for row in rows)
    counting = [row for row in rows if row.good + row.scrap]
    if not counting:
        return Fact(0.0, 0.0, seen, due)
    first = left = float(counting[0].good + counting[0].scrap)
    for row in counting:
        left -= left * (row.scrap + row.rework) / (row.good + row.scrap)
    return Fact(left, first, seen, due)
