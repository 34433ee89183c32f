"""Proves a ledger from its rows and what it states of itself: nothing lost, doubled or altered. Pure.

A salvaged ledger begins with history copied from a damaged one, up to `floor`: it may have holes, and is checked
for its checksums, numbers and chain alone. From there on every rule holds, sums beginning at `base`.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from agent.counter import CounterState
from agent.model import Kind, Record, Verdict
from agent.storage.record import BEGIN, chained, content

FAR = 2**62
MILLISECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A record as it lies in the file."""

    seq: int
    kind: str
    machine: str
    time: int
    body: str
    simulated: int
    crc: int
    wall: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What the ledger says of itself; `base` is (epoch, total) of the counters where `floor` ends.

    Records up to `gone`, which every sink had, are given up; the chain stood at `gone_root` then.
    Up to `copied` a salvaged ledger holds what was left of another: states between two of them may be missing.
    """

    root: str
    counters: Mapping[tuple[str, str], CounterState]
    cursors: Mapping[str, int]
    floor: int = 0
    base: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    copied: int = 0
    gone: int = 0
    gone_root: str = BEGIN


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold at a record; `time` is the record's, None where it is the ledger's as a whole."""

    seq: int
    time: int | None
    words: str

    def __str__(self) -> str:
        return f"seq {self.seq}: {self.words}"


@dataclass(slots=True)
class Tally:
    """A counter through its records."""

    epoch: int
    total: int
    counted: int = 0
    seq: int = 0


@dataclass(slots=True)
class Report:
    """What was found. `violations` holds all of them, in order."""

    last: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)


def examine(rows: Iterable[Row], stated: Stated) -> Report:
    """Check every rule on rows in the order of the file."""
    proof = _Proof(stated)
    for row in rows:
        proof.take(row)
    return proof.end()


class _Proof:
    """The rules, with what they remember from row to row."""

    def __init__(self, stated: Stated) -> None:
        self._stated = stated
        self._root = stated.gone_root
        self._words: dict[str, tuple[str, int]] = {}
        self._asked: dict[tuple[str, str, int], str] = {}
        self.report = Report(last=stated.gone, tallies={key: Tally(*at) for key, at in stated.base.items()})

    def take(self, row: Row) -> None:
        """One more row."""
        report, due = self.report, self.report.last + 1
        if row.seq > due:
            self._wrong(row, f"comes after {due - 1}: {row.seq - due} records before it are missing")
        elif row.seq < due:
            self._wrong(row, f"comes after {due - 1}: it is there twice or out of order")
        report.last = max(report.last, row.seq)
        body = self._opened(row)
        if body is None:
            return
        report.kinds[row.kind] += 1
        if row.seq > self._stated.floor:
            self._tell(row, body)

    def end(self) -> Report:
        """The rules that need the end."""
        report, stated = self.report, self._stated
        if self._root != stated.root:
            self._whole("the chain over all records does not end where the ledger says: one was altered or is missing")
        for sink, seq in stated.cursors.items():
            if seq > report.last:
                self._whole(f"the cursor of {sink} stands at {seq}, beyond the last record")
        for key in sorted(stated.counters.keys() | report.tallies.keys()):
            self._total(key)
        return report

    def _total(self, key: tuple[str, str]) -> None:
        tally, state = self.report.tallies.get(key), self._stated.counters.get(key)
        name = ".".join(key)
        if state is None or tally is None:
            where = "but has no record" if tally is None else "but the ledger keeps no total of it"
            self._whole(f"{name} is counted {where}", 0 if tally is None else tally.seq)
        elif (state.epoch, state.total) != (tally.epoch, tally.total):
            said = f"epoch {state.epoch} total {state.total}"
            self._whole(f"{name}: the ledger keeps {said}, its records say {tally.epoch} and {tally.total}", tally.seq)

    def _opened(self, row: Row) -> Mapping[str, Any] | None:
        """The body of a row that is what was written; the chain goes on over it."""
        try:
            body = json.loads(row.body)
            record = Record(Kind(row.kind), row.machine, row.time, body, bool(row.simulated), row.seq)
            signed = content(record, row.body, row.wall)
        except (TypeError, ValueError) as error:
            self._wrong(row, f"cannot be read ({error})")
            return None
        self._root = chained(self._root, signed)
        if zlib.crc32(signed) != row.crc or row.simulated not in (0, 1):
            self._wrong(row, "is not what was written: its checksum differs")
            return None
        return body if isinstance(body, Mapping) else {}

    def _tell(self, row: Row, body: Mapping[str, Any]) -> None:
        rules = {Kind.COUNT: self._count, Kind.STATE: self._state, Kind.GAP: self._gap}
        rules |= {Kind.INSPECTION: self._inspection, Kind.VERDICT: self._verdict}
        try:
            if rule := rules.get(Kind(row.kind)):
                rule(row, body)
        except (KeyError, TypeError, ValueError) as error:
            self._wrong(row, f"a {row.kind} needs {error}")

    def _count(self, row: Row, body: Mapping[str, Any]) -> None:
        delta, total, epoch = body["delta"], body["total"], body["epoch"]
        name = f"{row.machine}.{body['counter']}"
        tally = self.report.tallies.setdefault((row.machine, body["counter"]), Tally(epoch, 0))
        if epoch not in (tally.epoch, tally.epoch + 1):
            self._wrong(row, f"{name}: epoch {epoch} follows epoch {tally.epoch}")
        before = tally.total if epoch == tally.epoch else 0
        if delta < 0 or before + delta != total:
            self._wrong(row, f"{name}: {before} and a delta of {delta} are not the total {total}")
        tally.epoch, tally.total, tally.seq = epoch, total, row.seq
        tally.counted += delta

    def _state(self, row: Row, body: Mapping[str, Any]) -> None:
        """A state begins where the one before ends: it names it, and does not begin before it."""
        if row.seq <= self._stated.copied:
            return
        word, time = self._words.get(row.machine, (body["previous"], row.time))
        if body["previous"] != word:
            self._wrong(row, f"{row.machine}: was {word}, but this state follows {body['previous']}")
        if row.time < time:
            self._wrong(row, f"{row.machine}: this state begins before the one it follows")
        self._words[row.machine] = body["word"], row.time

    def _inspection(self, row: Row, body: Mapping[str, Any]) -> None:
        if body["verdict"] == Verdict.ASK.value:
            self._asked[row.machine, body["unit"], row.time // MILLISECOND] = body["verdict"]

    def _verdict(self, row: Row, body: Mapping[str, Any]) -> None:
        """A person's verdict takes the place of the one that held; where records are missing that may not be known."""
        made = datetime.fromisoformat(body["made"]) - EPOCH
        key = row.machine, body["unit"], made // timedelta(milliseconds=1)
        before = self._asked.get(key)
        if before is None and not (self._stated.gone or self._stated.copied or self._stated.floor):
            self._wrong(row, f"{body['unit']}: nothing asked about this part")
        elif before not in (None, body["instead"]):
            self._wrong(row, f"{body['unit']}: was {before}, but this verdict replaces {body['instead']}")
        self._asked[key] = body["verdict"]

    def _gap(self, row: Row, body: Mapping[str, Any]) -> None:
        if body["cause"] == "clock_set_back":
            self._words = {name: (word, -FAR) for name, (word, _) in self._words.items()}
        if datetime.fromisoformat(body["from"]) > datetime.fromisoformat(body["to"]):
            self._wrong(row, f"the gap of {body['what']} ends before it begins")
        if body["low"] is not None and body["high"] is not None and not 0 <= body["low"] <= body["high"]:
            self._wrong(row, f"the gap of {body['what']} has no bounds: {body['low']} to {body['high']}")

    def _wrong(self, row: Row, words: str) -> None:
        self.report.violations.append(Violation(row.seq, row.time, words))

    def _whole(self, words: str, seq: int | None = None) -> None:
        self.report.violations.append(Violation(self.report.last if seq is None else seq, None, words))
