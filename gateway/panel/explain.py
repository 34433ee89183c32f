"""A figure taken apart again: the records it is the sum of, with what each of them adds. Pure.

Computed from the ledger's records alone, beside the books that made the figure: the two sums are
compared, and the page says whether they agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.model import SECOND, Kpi, Line, Record
from gateway.panel.timeline import Segment, segments

Spans = Sequence[tuple[int, int]]
LATE = ("late", "restart")
VERDICTS = {"inspection_pass": "PASS", "inspection_reject": "REJECT", "inspection_ask": "ASK"}
SHARES = {
    "utilization": "executing",
    "availability": "executing",
    "changeover_ratio": "changeover",
    "starved_ratio": "starved",
    "blocked_ratio": "blocked",
}
EXPLAINED = {*SHARES, *VERDICTS, "takt", "first_pass_yield", "good", "scrap"}
NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class Entry:
    """What one record adds: seconds of a state from `start` to `end`, or parts counted at `start`."""

    seq: int
    start: int
    end: int
    amount: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Entries of one machine that count alike: `kind` is state, count, verdict or planned, `word` says which."""

    machine: str
    kind: str
    word: str
    amount: float
    numerator: bool
    denominator: bool
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """The rows of a figure, and what they sum up to."""

    rows: tuple[Row, ...]
    numerator: float
    denominator: float

    def agrees(self, figure: Kpi) -> bool:
        """Whether the records give what the figure says."""
        return abs(self.numerator - figure.numerator) < NEAR and abs(self.denominator - figure.denominator) < NEAR


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger holds of a window: records up to one seq, and per machine up to when its state was observed.

    `states` of a machine begin with the one that stood when the window began; `planned` is that of the window.
    """

    states: Mapping[str, Sequence[Record]]
    counts: Sequence[Record]
    inspections: Sequence[Record]
    observed: Mapping[str, int]
    planned: Spans


def account(line: Line, figure: Kpi, facts: Facts) -> Account | None:
    """Every record that has a part in the figure, none left out; None for a figure that is no sum of records."""
    if figure.name not in EXPLAINED:
        return None
    names = [machine.name for machine in line.machines]
    mine = [figure.machine] if figure.machine else names
    last = [figure.machine] if figure.machine else names[-1:]
    if figure.name in SHARES:
        of = last if figure.name == "availability" else mine
        rows = [row for name in of for row in _states(name, figure, facts, numerator=(SHARES[figure.name],))]
    elif figure.name == "takt":
        seen = [row for name in last for row in _states(name, figure, facts, numerator=None)]
        rows = seen + [row for name in last for row in _counts(name, figure, facts, "", "good scrap", late=False)]
    elif figure.name == "first_pass_yield":
        rows = [row for name in last for row in _counts(name, figure, facts, "good", "good scrap")]
        rows += [row for name in mine if name not in last for row in _counts(name, figure, facts, "", "scrap")]
    elif figure.name in VERDICTS:
        rows = [row for name in mine for row in _verdicts(name, figure, facts)]
    else:
        of = last if figure.name == "good" else mine
        rows = [row for name in of for row in _counts(name, figure, facts, figure.name, "")]
        rows.append(_due(figure, facts, line.takt_s))
    return Account(tuple(rows), _sum(rows, "numerator"), _sum(rows, "denominator"))


def _sum(rows: Sequence[Row], part: str) -> float:
    return sum(row.amount for row in rows if getattr(row, part))


def within(spans: Spans, start: int, end: int) -> int:
    """How much of [start, end) lies in the spans."""
    return sum(max(0, min(end, b) - max(start, a)) for a, b in spans)


def state_entries(machine: str, start: int, end: int, facts: Facts) -> dict[str, list[tuple[Segment, int]]]:
    """Segments of a machine in [start, end) by word, each with its planned ns; what was not observed is unknown."""
    found: dict[str, list[tuple[Segment, int]]] = {}
    observed = min(end, facts.observed.get(machine, start))
    known = segments(facts.states.get(machine, ()), start, observed) if observed > start else []
    if end > observed:
        known = [*known, Segment("unknown", None, max(start, observed), end)]
    for one in known:
        if time := within(facts.planned, one.start, one.end):
            found.setdefault(one.word, []).append((one, time))
    return found


def _states(name: str, figure: Kpi, facts: Facts, numerator: tuple[str, ...] | None) -> list[Row]:
    """Seconds by state; `numerator` None: every state seen is in the numerator and none in the denominator."""
    end = min(figure.time, figure.window.end)
    rows = []
    for word, entries in state_entries(name, figure.window.start, end, facts).items():
        seen = word != "unknown"
        above = seen if numerator is None else word in numerator
        listed = tuple(Entry(one.seq, one.start, one.end, time / SECOND, one.reason) for one, time in entries)
        total = sum(time for _, time in entries) / SECOND
        rows.append(Row(name, "state", word, total, above, seen and numerator is not None, listed))
    return rows


def _counts(name: str, figure: Kpi, facts: Facts, above: str, below: str, *, late: bool = True) -> list[Row]:
    """Parts by counter; where `late` is False those made unseen stand apart and count nowhere."""
    rows: dict[tuple[str, bool], list[Entry]] = {}
    for record in facts.counts:
        body = record.body
        if record.machine != name or not figure.window.start <= record.time < figure.window.end:
            continue
        if body["counter"] not in {*above.split(), *below.split()}:
            continue
        apart = not late and body["note"] in LATE
        entry = Entry(record.seq, record.time, record.time, float(body["delta"]), body["note"])
        rows.setdefault((body["counter"], apart), []).append(entry)
    return [
        Row(name, "count", f"{word}-late" if apart else word, sum(one.amount for one in entries),
            word in above.split() and not apart, word in below.split() and not apart, tuple(entries))
        for (word, apart), entries in sorted(rows.items())
    ]  # fmt: skip


def _verdicts(name: str, figure: Kpi, facts: Facts) -> list[Row]:
    rows: dict[str, list[Entry]] = {}
    for record in facts.inspections:
        if record.machine == name and figure.window.start <= record.time < figure.window.end:
            entry = Entry(record.seq, record.time, record.time, 1.0, str(record.body["unit"]))
            rows.setdefault(str(record.body["verdict"]), []).append(entry)
    wanted = VERDICTS[figure.name]
    return [
        Row(
            name,
            "verdict",
            word,
            float(len(entries)),
            numerator=word == wanted,
            denominator=True,
            entries=tuple(entries),
        )
        for word, entries in sorted(rows.items())
    ]


def _due(figure: Kpi, facts: Facts, takt_s: float) -> Row:
    """What the planned time so far gives at the line's takt."""
    time = within(facts.planned, figure.window.start, figure.time) / SECOND
    return Row("", "planned", "planned", time / takt_s, numerator=False, denominator=True)
