"""Raw PLC totals to parts: wrap, reset, restart, suspect values. Pure.

A PLC counts up, modulo its register. What it counted between two readings is believed when the
machine could have made it in that time; otherwise the counter was reset, or the value is suspect.
A suspect value counts nothing and the old baseline stays. Either the next values go on from the old
baseline (a glitch) or they go on from the suspect value, and then a new epoch starts there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.model import SECOND

MARGIN = 1.5  # a machine may for a while be faster than its best rate
SLACK = 2  # parts that sampling may push from one interval into the next


@dataclass(frozen=True, slots=True)
class CounterState:
    """Where a counter stands: last believed raw value and its source time, parts of this epoch and of those before.

    `suspect` is a value not believed yet, seen first at `suspect_time`.
    """

    raw: int
    total: int
    epoch: int
    time: int
    before: int = 0
    suspect: int | None = None
    suspect_time: int = 0

    @property
    def counted(self) -> int:
        """Parts since the ledger began, over all epochs."""
        return self.before + self.total


@dataclass(frozen=True, slots=True)
class Count:
    """What one reading adds: `delta` parts. From `low` to `high` more may have been made and cannot be told."""

    delta: int
    note: str | None = None
    low: int = 0
    high: int = 0


NOTHING = Count(0)


def step(
    state: CounterState | None,
    raw: int,
    modulus: int,
    time: int,
    max_rate: float,
    unseen: str | None = None,
    late: int = 0,
    boot: int | None = None,
) -> tuple[CounterState, Count]:
    """The counter after reading `raw` (0 <= raw < modulus) of source time `time` (ns), and what it adds.

    `max_rate` is parts per second at best; `unseen` is the note for parts made while nobody looked: late, restart.
    A source time may miss the moment the value held by up to `late` ns, so that much more may have passed.
    `boot` is when the device started last (ns), where it tells: then what it shows may be all since then, or go on from
    before; the least of both is counted, and the bounds hold the other.
    A value older than the state adds nothing. sum(delta) == total within an epoch, whatever comes.
    """
    if state is None:
        return CounterState(raw, 0, 0, time), Count(0, "baseline")
    if time < state.time:
        return state, NOTHING
    possible = most(time - state.time + late, max_rate)
    delta = (raw - state.raw) % modulus
    booted = boot is not None and boot > state.time and raw <= most(time - boot + late, max_rate)
    if delta <= possible and not (booted and raw < state.raw):
        told = _told(state, raw, delta, modulus, possible, unseen)
        if booted and boot is not None:
            told = _perhaps_anew(told, state.raw + most(boot - state.time + late, max_rate), possible)
        return _counted(state, raw, delta, time), told
    if raw < state.raw and raw <= possible:
        return _epoch(state, raw, raw, time), Count(raw, "reset", 0, possible - raw)
    return _suspect(state, raw, modulus, time, max_rate, late)


def most(elapsed: int, max_rate: float) -> int:
    """The most parts a machine can have made in `elapsed` ns."""
    return int(max_rate * MARGIN * elapsed / SECOND) + SLACK


def _counted(state: CounterState, raw: int, delta: int, time: int) -> CounterState:
    return replace(state, raw=raw, total=state.total + delta, time=time, suspect=None, suspect_time=0)


def _told(state: CounterState, raw: int, delta: int, modulus: int, possible: int, unseen: str | None) -> Count:
    """The count of a believed reading; whole turns of the register that fit in the time cannot be seen."""
    turns = (possible - delta) // modulus
    note = unseen if unseen and delta else "wrap" if raw < state.raw else None
    return Count(delta, note, 0, turns * modulus)


def _perhaps_anew(told: Count, missed: int, possible: int) -> Count:
    """The count of a device that started since: if from 0, then `missed` parts at most are in no delta."""
    high = max(told.high, min(missed, possible - told.delta))
    return Count(told.delta, "reset", 0, high) if high else told


def _epoch(state: CounterState, raw: int, delta: int, time: int) -> CounterState:
    return CounterState(raw, delta, state.epoch + 1, time, state.counted)


def _suspect(
    state: CounterState, raw: int, modulus: int, time: int, max_rate: float, late: int
) -> tuple[CounterState, Count]:
    """Believe a suspect value once the counter has moved on from it as a machine would; until then count nothing."""
    if state.suspect is None:
        return replace(state, suspect=raw, suspect_time=time), Count(0, "suspect")
    if raw == state.suspect:
        return state, NOTHING
    moved = (raw - state.suspect) % modulus
    if moved <= most(time - state.suspect_time + late, max_rate):
        missed = most(state.suspect_time - state.time + late, max_rate)
        return _epoch(state, raw, moved, time), Count(moved, "reset", 0, missed)
    return replace(state, suspect=raw, suspect_time=time), Count(0, "suspect")
