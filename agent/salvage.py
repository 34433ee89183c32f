"""What a new ledger takes over from a damaged one: history, what was not told yet, and where each counter stands. Pure.

Records are kept in three parts: history (told already, or told to nobody: never told again), the gap, and what the
sinks had not acknowledged. A counter's parts that stood in records which cannot be read are counted once, as late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from agent.counter import CounterState
from agent.ledger_record import iso
from agent.model import Kind, Record

Key = tuple[str, str]
Place = tuple[int, int]  # epoch, total
TOLD_RANGES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What could be read of a damaged ledger: records by seq, as they were signed, and what it kept besides.

    `last` is its last seq as far as anything tells; `counters` and `cursors` are None where they cannot be proved.
    Records up to `gone` had been given up, told and summed: `base` is where each counter stood then.
    """

    ledger: str
    records: Sequence[tuple[Record, int]]
    last: int
    counters: Mapping[Key, CounterState] | None
    cursors: Mapping[str, int] | None
    gone: int = 0
    base: Mapping[Key, Place] = field(default_factory=dict)


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
    """The new ledger's beginning."""
    unread = _unread([record.seq for record, _ in found.records], found.gone, found.last)
    told = min(found.cursors.values(), default=found.last) if found.cursors is not None else found.last
    history = [one for one in found.records if one[0].seq <= told]
    rest = [record for record, _ in found.records if record.seq > told]
    counters = counters_in([record for record, _ in found.records]) if found.counters is None else found.counters
    base = _base(history, rest, counters, unread, told, found)
    gap = _gap(found, unread)
    records = (gap, *_mended(rest, base, counters, gap))
    cursors = dict.fromkeys(found.cursors or {}, len(history))
    return Heir(history, records, counters, base, unread, cursors)


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
    history: Sequence[tuple[Record, int]],
    rest: Sequence[Record],
    counters: Mapping[Key, CounterState],
    unread: Sequence[Place],
    told: int,
    found: Found,
) -> dict[Key, Place]:
    """Where each counter stood up to what was told; what of it cannot be read is taken to be told."""
    known = {(one.machine, one.body["counter"]): one for one, _ in history if one.kind is Kind.COUNT}
    first: dict[Key, Record] = {}
    for one in rest:
        if one.kind is Kind.COUNT:
            first.setdefault((one.machine, one.body["counter"]), one)
    base = {}
    for key, state in counters.items():
        seq = known[key].seq if key in known else found.gone
        hole = any(low <= told and high > seq for low, high in unread)
        if not hole:
            base[key] = _place(known[key].body)[1] if key in known else found.base.get(key, (0, 0))
        else:
            base[key] = _place(first[key].body)[0] if key in first else (state.epoch, state.total)
    return base


def _mended(
    rest: Sequence[Record], base: Mapping[Key, Place], counters: Mapping[Key, CounterState], gap: Record
) -> list[Record]:
    """What was not told, with the parts of unreadable records as late counts, so that every total is a sum."""
    now = dict(base)
    records: list[Record] = []
    for one in rest:
        if one.kind is Kind.COUNT:
            key = one.machine, one.body["counter"]
            before, after = _place(one.body)
            records += _late(key, now[key], before, one)
            now[key] = after
        records.append(one)
    for key, state in counters.items():
        records += _late(key, now[key], (state.epoch, state.total), gap)
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
    end = last.time if last else 0
    start = min((times.get(low - 1, end) for low, _ in unread), default=end)
    stop = max((times.get(high + 1, end) for _, high in unread), default=end)
    body = {"what": "ledger", "cause": "salvaged", "from": iso(min(start, stop)), "to": iso(max(start, stop))}
    told = {"ledger": found.ledger, "unread": [list(one) for one in unread[:TOLD_RANGES]]}
    return Record(Kind.GAP, "", end, {**body, "low": None, "high": None, **told}, bool(last and last.simulated))
