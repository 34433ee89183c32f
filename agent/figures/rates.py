"""The figures' formulas: from tallies to numerators, denominators and bounds. Pure; times in ns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from agent.figures.times import BLOCKED, CHANGEOVER, EXECUTING, STARVED, STOPPED, Tally
from agent.model import SECOND, Verdict

PER_CENT = 100.0
KILO = 1000.0
RATIOS = {"changeover_ratio": CHANGEOVER, "starved_ratio": STARVED, "blocked_ratio": BLOCKED}


class Seen(NamedTuple):
    """Observed and due time in ns, with the parts that the unseen rest may hide at the line's takt."""

    covered: int
    expected: int
    hidden: float

    @property
    def unseen(self) -> int:
        return self.expected - self.covered


class Rate(NamedTuple):
    """A figure before it gets a window and a unit. Bounds are None where unseen time cannot be bounded."""

    name: str
    numerator: float
    denominator: float
    seen: Seen
    low: float | None = None
    high: float | None = None


def machine_rates(
    tally: Tally, calendar: int, due: int, takt_s: float, micro_stop: int, has: frozenset[str], *, whole: bool
) -> list[Rate]:
    """One machine's figures; `calendar` and `due` (planned) are over. Those of the shift only where `whole`.

    `has` are the machine's counters beyond good and scrap.
    """
    seen = _seen(tally.observed, due, takt_s)
    good, scrap, target = tally.good, tally.scrap, due / SECOND / takt_s
    rates = [
        _of_time("utilization", tally.of(EXECUTING), seen),
        _yield("first_pass_yield", tally.first, tally.judged, seen.hidden, seen.hidden, seen),
        _takt(tally, seen),
        Rate("good", good, target, seen),
        Rate("scrap", scrap, target, seen),
        *_verdicts(tally.verdicts, seen),
    ]
    if whole:
        rates += _oee(tally, seen, takt_s)
        rates.append(_scrap_ratio(good, scrap, seen.hidden, seen.hidden, seen))
        rates += _times([tally], seen, _seen(tally.observed_calendar, calendar, takt_s), micro_stop)
        if "rework" in has:
            rates.append(Rate("rework_ratio", tally.rework, tally.judged, seen))
        if "energy" in has and tally.energy:
            rates.append(Rate("energy_per_part", tally.energy / KILO, good, seen))
    return rates


class Summed(NamedTuple):
    """The line's machines, the station that its parts leave, and what its own meter counted."""

    tallies: Sequence[Tally]
    last: Tally
    meter: Tally


def line_rates(
    line: Summed, calendar: int, due: int, takt_s: float, micro_stop: int, has: frozenset[str], *, whole: bool
) -> list[Rate]:
    """The line's figures: time and scrap summed over the machines, good parts, pace and OEE of the last station.

    `has` are the counters beyond good and scrap that any machine has, and "meter" where the line has its own.
    """
    tallies, last, meter = line
    number = len(tallies)
    seen = _seen(sum(tally.observed for tally in tallies), due * number, takt_s)
    at_end = _seen(last.observed, due, takt_s)
    scrap, target = sum(tally.scrap for tally in tallies), due / SECOND / takt_s
    rework = sum(tally.rework for tally in tallies)
    verdicts = {one.value: sum(tally.verdicts.get(one.value, 0) for tally in tallies) for one in Verdict}
    rates = [
        _of_time("utilization", sum(tally.of(EXECUTING) for tally in tallies), seen),
        _yield("first_pass_yield", last.good - rework, last.good + scrap, seen.hidden, at_end.hidden, seen),
        _takt(last, at_end),
        Rate("good", last.good, target, at_end),
        Rate("scrap", scrap, target, seen),
        *_verdicts(verdicts, seen),
    ]
    if whole:
        rates += _oee(last, at_end, takt_s)
        rates.append(_scrap_ratio(last.good, scrap, seen.hidden, at_end.hidden, seen))
        rates.append(_rolled(tallies, due, takt_s, seen))
        around = _seen(sum(tally.observed_calendar for tally in tallies), calendar * number, takt_s)
        rates += _times(tallies, seen, around, micro_stop)
        left = last.good + sum(tally.scrap for tally in tallies[1:])
        rates.append(Rate("wip_change", tallies[0].good - left, target, seen))
        if "rework" in has:
            rates.append(Rate("rework_ratio", rework, last.good + scrap, seen))
        energy = meter.energy if "meter" in has else sum(tally.energy for tally in tallies)
        if energy and has & {"meter", "energy"}:
            rates.append(Rate("energy_per_part", energy / KILO, last.good, seen))
    return rates


def _seen(covered: int, expected: int, takt_s: float) -> Seen:
    return Seen(covered, expected, (expected - covered) / SECOND / takt_s)


def _of_time(name: str, time: int, seen: Seen) -> Rate:
    """Bounds: no unseen time was spent so, or all of it."""
    low, high = _ratio(time, seen.expected), _ratio(time + seen.unseen, seen.expected)
    return Rate(name, time / SECOND, seen.covered / SECOND, seen, low, high)


def _yield(name: str, good: int, judged: int, hidden_bad: float, hidden_good: float, seen: Seen) -> Rate:
    """Bounds: unseen time made parts at takt, all bad or all good; none at all where more was mended than was good."""
    hidden_bad = hidden_bad if good >= 0 or not judged else 0.0
    low, high = _ratio(good, judged + hidden_bad), _ratio(good + hidden_good, judged + hidden_good)
    return Rate(name, good, judged, seen, low, high)


def _scrap_ratio(good: int, scrap: int, hidden_bad: float, hidden_good: float, seen: Seen) -> Rate:
    """Bounds: unseen time made parts at takt, all good or all bad."""
    judged = good + scrap
    low, high = _ratio(scrap, judged + hidden_good), _ratio(scrap + hidden_bad, judged + hidden_bad)
    return Rate("scrap_ratio", scrap, judged, seen, low, high)


def _takt(tally: Tally, seen: Seen) -> Rate:
    """No bounds: what unseen time did to the pace is not known, coverage alone tells of it."""
    return Rate("takt", seen.covered / SECOND, tally.good + tally.scrap - tally.late, seen)


def _oee(tally: Tally, seen: Seen, takt_s: float) -> list[Rate]:
    """Availability x effectiveness x quality ratio = OEE, exactly: all of the time that was seen.

    Effectiveness has no bounds, as the pace has none. OEE: unseen time made no good part, or good ones at takt, or at
    the pace seen where that is quicker.
    """
    executing = tally.of(EXECUTING)
    good, scrap = tally.good - (tally.late - tally.late_scrap), tally.scrap - tally.late_scrap
    made_in = good * takt_s * SECOND
    quickest = max(1.0, made_in / seen.covered) if seen.covered else 1.0
    return [
        _of_time("availability", executing, seen),
        Rate("effectiveness", (good + scrap) * takt_s, executing / SECOND, seen),
        _yield("quality_ratio", good, good + scrap, seen.hidden, seen.hidden, seen),
        Rate(
            "oee",
            good * takt_s,
            seen.covered / SECOND,
            seen,
            _ratio(made_in, seen.expected),
            _ratio(made_in + seen.unseen * quickest, seen.expected),
        ),
    ]


def _times(tallies: Sequence[Tally], seen: Seen, around: Seen, micro_stop: int) -> list[Rate]:
    """What the time went to. No bounds for stops: how many an unseen time held is not known."""
    executing = sum(tally.of(EXECUTING) for tally in tallies)
    always = executing + sum(tally.unplanned.get(EXECUTING, 0) for tally in tallies)
    stopped = sum(tally.of(STOPPED) for tally in tallies)
    stops = sum(tally.failures for tally in tallies)
    short = sum(tally.micro_stops(micro_stop) for tally in tallies)
    return [
        _of_time("utilization_calendar", always, around),
        Rate("mtbf", executing / SECOND, stops, seen),
        Rate("mttr", stopped / SECOND, stops, seen),
        *(_of_time(name, sum(tally.of(word) for tally in tallies), seen) for name, word in RATIOS.items()),
        Rate("micro_stops", short, seen.covered / SECOND, seen),
    ]


@dataclass(frozen=True, slots=True)
class _Station:
    """A station's yield, and between what unseen time leaves it."""

    share: float
    low: float
    high: float


def _rolled(tallies: Sequence[Tally], due: int, takt_s: float, seen: Seen) -> Rate:
    """The chance of a part to leave every station good, of the stations that counted parts; their bounds multiply."""
    counted = [tally for tally in tallies if tally.judged > 0]
    if not counted:
        return Rate("rolled_throughput_yield", 0.0, 0.0, seen)
    stations = [_station(tally, _seen(tally.observed, due, takt_s).hidden) for tally in counted]
    first = counted[0].judged
    low, high = prod(one.low for one in stations) * PER_CENT, prod(one.high for one in stations) * PER_CENT
    share = prod(one.share for one in stations)
    return Rate("rolled_throughput_yield", share * first, first, seen, low, high)


def _station(tally: Tally, hidden: float) -> _Station:
    good, judged = tally.first, tally.judged
    return _Station(good / judged, good / (judged + hidden), (good + hidden) / (judged + hidden))


def _verdicts(verdicts: Mapping[str, int], seen: Seen) -> list[Rate]:
    inspected = sum(verdicts.values())
    if not inspected:
        return []
    counts = {verdict.value: verdicts.get(verdict.value, 0) for verdict in Verdict}
    return [Rate(f"inspection_{word.lower()}", count, inspected, seen) for word, count in counts.items()]


def _ratio(numerator: float, denominator: float) -> float | None:
    """Per cent."""
    return numerator / denominator * PER_CENT if denominator > 0 else None
