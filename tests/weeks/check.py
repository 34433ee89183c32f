"""The engine's account of a week beside the truth counted from its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from agent.model import SECOND, Kpi
from tests.weeks.calendar import TICK
from tests.weeks.played import Played, whole
from tests.weeks.truth import Fact, counted, figures
from tests.weeks.week import Week, generated

LOOKS = 97  # every so many polls the open windows are compared too


class DifferenceError(AssertionError):
    """What the engine says is not what the arrays hold."""


def checked(seed: int) -> int:
    """Play the week of a seed and compare every figure of every window; how many machine-weeks it was."""
    week = generated(seed)
    played = Played(week)
    for number, poll in enumerate(played.polls()):
        if number % LOOKS == 0:
            _compare_open(week, played, poll)
    _compare_closed(week, played)
    _compare_open(week, played, week.end)
    _compare_whole(week)
    return len(week.machines)


def _compare_open(week: Week, played: Played, poll: int) -> None:
    for entry in played.windows.look():
        if entry.book.window.start < week.calendar.time(poll):
            _compare(week, entry.figures(week.calendar.time(poll)), played.fed, poll)


def _compare_closed(week: Week, played: Played) -> None:
    """Every window of the calendar that is over was told, and none else."""
    windows = [("hour", one) for one in week.calendar.hours] + [("shift", one) for one in week.calendar.shifts]
    due = {
        (kind, week.calendar.time(start))
        for kind, (start, end) in windows
        if start < end and week.first < end and end <= week.end
    }
    if due != set(played.told):
        raise DifferenceError(f"windows: missing {due - set(played.told)}, too many {set(played.told) - due}")
    for page in played.told.values():
        _compare(week, page, [week.end] * len(week.machines), week.end)


def _compare(week: Week, page: Sequence[Kpi], upto: Sequence[int], now: int) -> None:
    window = page[0].window
    ticks = week.calendar.tick(window.start // SECOND), week.calendar.tick(window.end // SECOND)
    rows = [counted(week, one, ticks, end, now) for one, end in zip(week.machines, upto, strict=True)]
    meter = None if week.meter is None else int(week.meter[ticks[0] : max(ticks[0], min(ticks[1], upto[0]))].sum())
    truth = figures(rows, week.takt, meter, whole=window.kind == "shift")
    told = {(int(one.machine[1:]) if one.machine else -1, one.name): one for one in page}
    if told.keys() != truth.keys():
        raise DifferenceError(f"{window}: figures {sorted(told.keys() ^ truth.keys())}")
    for key, fact in truth.items():
        _compare_figure(told[key], fact)


def _compare_figure(told: Kpi, fact: Fact) -> None:
    mine = (fact.numerator, fact.denominator, fact.covered, fact.expected)
    theirs = (told.numerator, told.denominator, told.covered, told.expected)
    same = mine == theirs or all(isclose(a, b, rel_tol=1e-9, abs_tol=1e-6) for a, b in zip(mine, theirs, strict=True))
    value = _value(fact, told.unit)
    if not same:
        raise DifferenceError(f"{told.window} {told.machine} {told.name}: told {theirs}, true {mine}")
    if value is None or told.value is None:
        if value is not told.value:
            raise DifferenceError(f"{told.window} {told.machine} {told.name}: told {told.value}, true {value}")
    elif not isclose(value, told.value, rel_tol=1e-9, abs_tol=1e-9) or not _bounded(told):
        raise DifferenceError(
            f"{told.window} {told.machine} {told.name}: {told.low} {told.value} {told.high}, true {value}"
        )


def _bounded(told: Kpi) -> bool:
    value = told.value or 0.0
    return (told.low is None or told.low <= value + 1e-6) and (told.high is None or value - 1e-6 <= told.high)


def _value(fact: Fact, unit: str) -> float | None:
    if fact.denominator == 0:
        return None
    if unit in ("parts", "stops"):
        return fact.numerator
    return fact.numerator / fact.denominator * (100.0 if unit == "%" else 1.0)


def _compare_whole(week: Week) -> None:
    """Every second of the week is accounted for exactly once: planned or not, seen or not, in one state."""
    book = whole(week)
    for place, times in enumerate(book.times(week.calendar.time(week.end))):
        row = counted(week, week.machines[place], (week.first, week.end), week.end, week.end)
        states = {word: seconds for word, seconds in row.seconds.items() if seconds}
        busy = row.seen - row.seconds["idle"] - row.seconds["out_of_service"]
        mine = (states, float((week.end - week.first) * TICK), row.due, row.seen, row.due - row.seen, busy)
        theirs = (dict(times.states), times.calendar, times.planned, times.observed, times.unknown, times.busy)
        if mine != theirs or times.productive != row.seconds["executing"]:
            raise DifferenceError(f"m{place}: told {theirs}, true {mine}")
