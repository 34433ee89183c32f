"""The line as Sparkplug metrics: as it stands, and record by record. Pure.

A machine is a device, the line is the node. Metric times are plant time; what was not observed is STALE or null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.model import Inspection, Kind, Kpi, Line, LineNow, Machine, MachineNow, Record, State
from gateway.live import last_inspections
from gateway.payload import encode, finite, record
from gateway.sparkplug.metric import DataType, Metric, Quality, Value

LEDGER = "tc/ledger"
SEQ = "tc/seq"
RECORD = "tc/record"
DURABLE = "tc/durable"
SIMULATED = "tc/simulated"
EQUIPMENT = "Properties/Equipment"
FAULTS = "faults"
COUNTERS = ("good", "scrap")
NODE = ""

Said = Sequence[tuple[str, DataType, Value]]


def node(line: Line, now: LineNow, seq: int) -> list[Metric]:
    """Every metric of the node. `seq` is the last record told so far: the next one told is its successor."""
    quality = Quality.GOOD if now.durable else Quality.BAD
    return [
        Metric(EQUIPMENT, DataType.STRING, f"{line.site}/{line.area}/{line.line}", now.time),
        Metric(LEDGER, DataType.STRING, now.ledger, now.time),
        Metric(SEQ, DataType.INT64, seq, now.time),
        Metric(RECORD, DataType.STRING, None, now.time),
        Metric(DURABLE, DataType.BOOLEAN, now.durable, now.time, quality),
        Metric(SIMULATED, DataType.BOOLEAN, now.simulated, now.time),
        Metric(FAULTS, DataType.INT32, len(now.faults), now.time, simulated=now.simulated),
        *_figures(now.figures, NODE),
    ]


def devices(line: Line, now: LineNow, seq: int, lost: Iterable[str]) -> dict[str, list[Metric]]:
    """Every metric of each machine that is not lost, in the order of the line."""
    words = {machine.name: machine for machine in line.machines}
    seen = last_inspections(now.inspections)
    gone = frozenset(lost)
    return {
        one.name: [
            *_machine(words[one.name], one, now),
            *_inspected(seen.get(one.name), now.time),
            Metric(SEQ, DataType.INT64, seq, now.time),
            Metric(SIMULATED, DataType.BOOLEAN, one.simulated, now.time),
            *_figures(now.figures, one.name),
        ]
        for one in now.machines
        if one.name not in gone
    }


def told(ledger: str, one: Record, alive: Iterable[str]) -> tuple[str, list[Metric]]:
    """A record as the metrics of its device, or of the node ("") where it has none or the device is not `alive`.

    Every record brings its seq, so that a consumer who takes all of them sees whether one is missing.
    """
    values: Said = ()
    if one.machine in alive:
        values = _values(one)
    device = one.machine if values else NODE
    if not values:
        values = ((RECORD, DataType.STRING, encode(record(ledger, one)).decode()),)
    unseen = one.kind is Kind.STATE and one.body["state"] == State.UNKNOWN.value
    marked = Metric(
        SEQ,
        DataType.INT64,
        one.seq,
        one.time,
        quality=Quality.STALE if unseen else Quality.GOOD,
        simulated=one.simulated,
        note=(one.body["note"] or "") if one.kind is Kind.COUNT else "",
    )
    metrics = [replace(marked, name=name, type=kind, value=value) for name, kind, value in values]
    return device, [*metrics, replace(marked, quality=Quality.GOOD, note="")]


def _values(one: Record) -> Said:
    """What a record says of a machine's own metrics; nothing where it says something else."""
    body = one.body
    if one.kind is Kind.COUNT and body["counter"] in COUNTERS:
        return ((body["counter"], DataType.INT64, body["total"]),)
    if one.kind is Kind.STATE:
        return _state(body["state"], body["cause"], body["reason"], body["reason_word"])
    if one.kind is Kind.INSPECTION:
        return _verdict(body["unit"], body["verdict"], body["score"], body["defect"])
    return ()


def _state(state: str, cause: str | None, reason: int | None, word: str | None) -> Said:
    return (
        ("state", DataType.STRING, state),
        ("cause", DataType.STRING, cause),
        ("reason", DataType.INT64, reason),
        ("reason_word", DataType.STRING, word),
    )


def _verdict(unit: str | None, verdict: str | None, score: float | None, defect: str | None) -> Said:
    return (
        ("inspection/unit", DataType.STRING, unit),
        ("inspection/verdict", DataType.STRING, verdict),
        ("inspection/score", DataType.DOUBLE, score),
        ("inspection/defect", DataType.STRING, defect),
    )


def _machine(machine: Machine, one: MachineNow, now: LineNow) -> Iterable[Metric]:
    quality = Quality.STALE if one.state.state is State.UNKNOWN else Quality.GOOD
    word = machine.stop_reasons.get(one.state.reason) if one.state.reason is not None else None
    for name, kind, value in _state(one.state.state.value, one.state.cause, one.state.reason, word):
        yield Metric(name, kind, value, min(one.since, now.time), quality, "", one.simulated)
    for name, total in zip(COUNTERS, (one.good, one.scrap), strict=True):
        yield Metric(name, DataType.INT64, total, one.observed, quality, "parts", one.simulated)
    yield Metric("cycle", DataType.DOUBLE, finite(one.cycle_s), one.observed, quality, "s", one.simulated)


def _inspected(last: Inspection | None, time: int) -> Iterable[Metric]:
    if last is None:
        return [Metric(name, kind, None, time) for name, kind, _ in _verdict(None, None, None, None)]
    values = _verdict(last.unit, last.verdict.value, last.score, last.defect)
    return [Metric(name, kind, value, last.time, simulated=last.simulated) for name, kind, value in values]


def _figures(figures: Iterable[Kpi], machine: str) -> Iterable[Metric]:
    for one in figures:
        if one.machine == machine:
            quality = Quality.STALE if one.value is None else Quality.GOOD
            name, coverage = f"kpi/{one.window.kind}/{one.name}", round(one.coverage, 3)
            yield Metric(
                name, DataType.DOUBLE, finite(one.value), one.time, quality, one.unit, one.simulated, coverage=coverage
            )
