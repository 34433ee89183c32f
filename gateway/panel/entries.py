"""What the ledger's records add to a figure: entries by record, rows of entries that count alike. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.figures.stops import Spans, within
from agent.kpi import MICRO_STOP
from agent.model import SECOND, Kpi, Record
from gateway.panel.timeline import Segment, segments
from gateway.panel.verdicts import latest, part

LATE = ("late", "restart")
STOPPED, UNKNOWN = "stopped", "unknown"
UNITS = {"energy": 1e-3}  # kWh of a Wh


@dataclass(frozen=True, slots=True)
class Entry:
    """What one record adds: seconds of a state from `start` to `end`, a stop of that time, or parts at `start`."""

    seq: int
    start: int
    end: int
    amount: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Entries of one machine that count alike: `kind` is state, stop, count, verdict or planned, `word` says which.

    `each` is what one of the amount stands for in the numerator: the takt in seconds, -1 where it is taken off.
    """

    machine: str
    kind: str
    word: str
    amount: float
    numerator: bool
    denominator: bool
    entries: tuple[Entry, ...] = ()
    each: float = 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger holds of a window: records up to one seq, and per machine up to when its state was observed.

    `states` of a machine begin with the one that stood when the window began; `planned` is that of the window.
    `verdicts` are what people said since it began.
    """

    states: Mapping[str, Sequence[Record]]
    counts: Sequence[Record]
    inspections: Sequence[Record]
    observed: Mapping[str, int]
    planned: Spans
    verdicts: Sequence[Record] = ()


def lived(machine: str, start: int, end: int, facts: Facts) -> list[Segment]:
    """The machine's states in [start, end), in order; what was not observed at the end is unknown."""
    observed = min(end, facts.observed.get(machine, start))
    known = segments(facts.states.get(machine, ()), start, observed) if observed > start else []
    if end > observed:
        known = [*known, Segment(UNKNOWN, None, max(start, observed), end)]
    return known


def state_entries(machine: str, start: int, end: int, facts: Facts) -> dict[str, list[tuple[Segment, int]]]:
    """Segments of a machine in [start, end) by word, each with its planned ns."""
    found: dict[str, list[tuple[Segment, int]]] = {}
    for one in lived(machine, start, end, facts):
        if time := within(facts.planned, one.start, one.end):
            found.setdefault(one.word, []).append((one, time))
    return found


def states(name: str, figure: Kpi, facts: Facts, above: str | None, *, below: bool = True) -> list[Row]:
    """Seconds by state; `above` is the state in the numerator, None all that were seen. `below`: those divide."""
    end = min(figure.time, figure.window.end)
    rows = []
    for word, entries in state_entries(name, figure.window.start, end, facts).items():
        seen = word != UNKNOWN
        listed = tuple(Entry(one.seq, one.start, one.end, time / SECOND, one.reason) for one, time in entries)
        total = sum(time for _, time in entries) / SECOND
        rows.append(Row(name, "state", word, total, seen and above in (None, word), seen and below, listed))
    return rows


def stops(name: str, figure: Kpi, facts: Facts) -> Iterator[tuple[Entry, bool]]:
    """Each stop that took planned time, with whether it is a micro-stop: short, and seen from end to end."""
    end = min(figure.time, figure.window.end)
    known = lived(name, figure.window.start, end, facts)
    at = 0
    while at < len(known):
        first = at
        while at < len(known) and known[at].word == STOPPED and (at == first or known[at - 1].end == known[at].start):
            at += 1
        if at == first:
            at += 1
            continue
        time = sum(within(facts.planned, one.start, one.end) for one in known[first:at])
        if time:
            whole = _touches(known, first - 1, first) and _touches(known, at, at - 1)
            entry = Entry(known[first].seq, known[first].start, known[at - 1].end, 1.0, known[first].reason)
            yield entry, whole and time < MICRO_STOP


def _touches(known: Sequence[Segment], neighbour: int, at: int) -> bool:
    """Whether an observed state stands right beside."""
    if not 0 <= neighbour < len(known) or known[neighbour].word == UNKNOWN:
        return False
    return known[min(neighbour, at)].end == known[max(neighbour, at)].start


def stop_row(name: str, figure: Kpi, facts: Facts, *, micro: bool) -> list[Row]:
    """How many stops there were, over which time is divided; of `micro` those that are, which are counted."""
    found = tuple(entry for entry, short in stops(name, figure, facts) if short or not micro)
    word = "micro-stop" if micro else STOPPED
    return [Row(name, "stop", word, float(len(found)), micro, not micro, found)] if found else []


def counts(
    name: str, figure: Kpi, facts: Facts, above: str, below: str, *, late: bool = True, each: float = 1.0
) -> list[Row]:
    """Parts, or kWh, by counter; where `late` is False those made unseen stand apart and count nowhere."""
    rows: dict[tuple[str, bool], list[Entry]] = {}
    for record in facts.counts:
        body = record.body
        if record.machine != name or not figure.window.start <= record.time < figure.window.end:
            continue
        if body["counter"] not in {*above.split(), *below.split()}:
            continue
        apart = not late and body["note"] in LATE
        amount = body["delta"] * UNITS.get(body["counter"], 1.0)
        entry = Entry(record.seq, record.time, record.time, float(amount), body["note"])
        rows.setdefault((body["counter"], apart), []).append(entry)
    return [
        Row(name, "count", f"{word}-late" if apart else word, sum(one.amount for one in entries),
            word in above.split() and not apart, word in below.split() and not apart, tuple(entries), each)
        for (word, apart), entries in sorted(rows.items())
    ]  # fmt: skip


def verdicts(name: str, figure: Kpi, facts: Facts, above: str) -> list[Row]:
    """Inspected parts by the verdict that holds; `above` is the one counted. Of a person's the record is that one."""
    rows: dict[str, list[Entry]] = {}
    said = latest(facts.verdicts)
    for record in facts.inspections:
        if record.machine == name and figure.window.start <= record.time < figure.window.end:
            verdict, seq, note = str(record.body["verdict"]), record.seq, str(record.body["unit"])
            if decided := said.get(part(record)):
                verdict, seq, note = decided.verdict.value, decided.seq, f"{note} ({verdict} #{seq})"
            rows.setdefault(verdict, []).append(Entry(seq, record.time, record.time, 1.0, note))
    return [
        Row(name, "verdict", word, float(len(entries)), word == above, denominator=True, entries=tuple(entries))
        for word, entries in sorted(rows.items())
    ]


def due(figure: Kpi, facts: Facts, takt_s: float) -> Row:
    """What the planned time so far gives at the line's takt."""
    time = within(facts.planned, figure.window.start, figure.time) / SECOND
    return Row("", "planned", "planned", time / takt_s, numerator=False, denominator=True)
