"""What a new ledger takes over from a damaged one: history, what was not told yet, and where each counter stands. Pure.

Records are kept in parts: history (every sink has it, or there is none: never told again), and then for each place at
which a sink stood the gap and what follows; its cursor is before that gap. A counter's parts that stood in records
which cannot be read are counted once, as late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from agent.counter import CounterState
from agent.model import SECOND, Kind, Record
from agent.storage.record import iso

Key = tuple[str, str]
Place = tuple[int, int]  # epoch, total
TOLD_RANGES = 20
OF_A_DRIVER = ("whole", "place", "since")  # what the keys of a driver's marks end with
EARLIER = 120 * SECOND  # plant time: source times may lag behind what their device vouches for


@dataclass(frozen=True, slots=True)
class Found:
    """What could be read of a damaged ledger: records by seq, as they were signed, and what it kept besides.

    `last` is its last seq as far as anything tells. `counters` are None where they cannot be proved, `cursors` where
    they make no sense. `now` is the time (ns) at which it was looked at.
    Records up to `gone` had been given up, told and summed: `base` is where each counter stood then.
    """

    ledger: str
    records: Sequence[tuple[Record, int]]
    last: int
    counters: Mapping[Key, CounterState] | None
    cursors: Mapping[str, int] | None
    gone: int = 0
    base: Mapping[Key, Place] = field(default_factory=dict)
    now: int = 0


@dataclass(frozen=True, slots=True)
class Heir:
    """The beginning of the new ledger; `base` is where each counter stood when its history ended."""

    history: Sequence[tuple[Record, int]]
    records: tuple[Record, ...]
    counters: Mapping[Key, CounterState]
    base: Mapping[Key, Place]
    unread: Sequence[Place]
    cursors: Mapping[str, int] = field(default_factory=dict)


def heir(found: Found) -> Heir:
    """The new ledger's beginning: from where each sink stood it is told the gap, and then only what it did not have."""
    unread = _unread([record.seq for record, _ in found.records], found.gone, found.last)
    stood = {sink: min(seq, found.last) for sink, seq in (found.cursors or {}).items()}
    places = sorted({*stood.values()}) or [found.last]
    history = [one for one in found.records if one[0].seq <= places[0]]
    facts = [record for record, _ in found.records]
    counters = counters_in(facts) if found.counters is None else found.counters
    bases = [_base(facts, counters, unread, place, found) for place in places]
    gap = _gap(found, unread)
    records: list[Record] = []
    begins: dict[int, int] = {}
    ends = [*zip(places[1:], bases[1:], strict=True), (None, None)]
    for place, base, (until, due) in zip(places, bases, ends, strict=True):
        begins[place] = len(history) + len(records)
        rest = [one for one in facts if one.seq > place and (until is None or one.seq <= until)]
        records += (gap, *_mended(rest, base, due or _stand(counters), gap))
    cursors = {sink: begins[seq] for sink, seq in stood.items()}
    return Heir(history, tuple(records), counters, bases[0], unread, cursors)


def sampled_since(marks: Mapping[str, str], device: str) -> int | None:
    """From which source time (ns) on a device's samples are needed to go on by its marks; None where it left none."""
    known = [marks.get(f"{device}.{word}") for word in OF_A_DRIVER]
    if None in known or not str(known[2]).removeprefix("-").isdigit():
        return None
    return int(str(known[2])) - EARLIER


def faces(marks: Mapping[str, str]) -> dict[str, str]:
    """The marks that need no samples beside them, which are those of no driver."""
    return {name: text for name, text in marks.items() if name.rpartition(".")[2] not in OF_A_DRIVER}


def _stand(counters: Mapping[Key, CounterState]) -> dict[Key, Place]:
    return {key: (state.epoch, state.total) for key, state in counters.items()}


def counters_in(records: Sequence[Record]) -> dict[Key, CounterState]:
    """Each counter as its last record tells: what was made since then the PLC's own total will tell."""
    states: dict[Key, CounterState] = {}
    for one in records:
        if one.kind is not Kind.COUNT:
            continue
        key, body = (one.machine, one.body["counter"]), one.body
        old = states.get(key)
        before = 0 if old is None else old.before if body["epoch"] == old.epoch else old.counted
        states[key] = CounterState(body["raw"], body["total"], body["epoch"], one.time, before)
    return states


def _unread(seqs: Sequence[int], gone: int, last: int) -> list[Place]:
    """The ranges of seq that are missing beyond `gone`, up to `last`."""
    ends = [gone, *seqs, max(last, *seqs, 0) + 1 if seqs else last + 1]
    return [(one + 1, other - 1) for one, other in pairwise(ends) if other > one + 1]


def _place(body: Mapping[str, Any]) -> tuple[Place, Place]:
    """Where a counter stood before and after a count."""
    return (body["epoch"], body["total"] - body["delta"]), (body["epoch"], body["total"])


def _base(
    facts: Sequence[Record],
    counters: Mapping[Key, CounterState],
    unread: Sequence[Place],
    told: int,
    found: Found,
) -> dict[Key, Place]:
    """Where each counter stood up to what was told; what of it cannot be read is taken to be told."""
    known: dict[Key, Record] = {}
    first: dict[Key, Record] = {}
    for one in facts:
        if one.kind is Kind.COUNT:
            key = one.machine, one.body["counter"]
            if one.seq <= told:
                known[key] = one
            else:
                first.setdefault(key, one)
    base = {}
    for key, state in counters.items():
        seq = known[key].seq if key in known else found.gone
        hole = any(low <= told and high > seq for low, high in unread)
        if not hole:
            base[key] = _place(known[key].body)[1] if key in known else found.base.get(key, (0, 0))
        else:
            base[key] = _place(first[key].body)[0] if key in first else (state.epoch, state.total)
    return base


def _mended(rest: Sequence[Record], base: Mapping[Key, Place], due: Mapping[Key, Place], gap: Record) -> list[Record]:
    """What was not told, with the parts of unreadable records as late counts, so that every total is a sum.

    It leads each counter from where it stood to where it is due.
    """
    now = dict(base)
    records: list[Record] = []
    for one in rest:
        if one.kind is Kind.COUNT:
            key = one.machine, one.body["counter"]
            before, after = _place(one.body)
            records += _late(key, now[key], before, one)
            now[key] = after
        records.append(one)
    for key, place in due.items():
        records += _late(key, now[key], place, gap)
    return records


def _late(key: Key, now: Place, due: Place, like: Record) -> list[Record]:
    """The counts that lead from one place to another, one an epoch."""
    records = []
    for epoch in range(now[0], due[0] + 1):
        start = now[1] if epoch == now[0] else 0
        total = due[1] if epoch == due[0] else start
        if total > start or epoch > now[0]:
            body = {"counter": key[1], "delta": total - start, "total": total, "epoch": epoch, "raw": None}
            records.append(Record(Kind.COUNT, key[0], like.time, {**body, "note": "late"}, like.simulated))
    return records


def _gap(found: Found, unread: Sequence[Place]) -> Record:
    """The record that tells of it, with the times around what could not be read."""
    times = {record.seq: record.time for record, _ in found.records}
    last = found.records[-1][0] if found.records else None
    end = last.time if last else found.now  # of a file in which nothing can be read not even its age is known
    start = min((times.get(low - 1, end) for low, _ in unread), default=end)
    stop = max((times.get(high + 1, end) for _, high in unread), default=end)
    body = {"what": "ledger", "cause": "salvaged", "from": iso(min(start, stop)), "to": iso(max(start, stop))}
    told = {"ledger": found.ledger, "unread": [list(one) for one in unread[:TOLD_RANGES]]}
    return Record(Kind.GAP, "", end, {**body, "low": None, "high": None, **told}, bool(last and last.simulated))
