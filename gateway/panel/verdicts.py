"""What people said of parts that an inspection asked about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from agent.model import Record, Verdict
from gateway.payload import iso


class Part(NamedTuple):
    """What names an inspected part for good: a salvaged ledger numbers its records anew."""

    machine: str
    unit: str
    made: str


def part(inspection: Record) -> Part:
    """The part an inspection is of."""
    return Part(inspection.machine, str(inspection.body["unit"]), iso(inspection.time))


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict somebody gave: the record's seq and time, the verdict, the id and role of who gave it."""

    seq: int
    time: int
    verdict: Verdict
    by: str
    role: str


def latest(records: Iterable[Record]) -> dict[Part, Said]:
    """The verdict that holds, by part: the one recorded last."""
    found: dict[Part, Said] = {}
    for one in sorted(records, key=lambda record: record.seq):
        body = one.body
        verdict = Verdict(str(body["verdict"]))
        key = Part(one.machine, str(body["unit"]), str(body["made"]))
        found[key] = Said(one.seq, one.time, verdict, str(body["by"]), str(body["role"]))
    return found


def held(inspections: Iterable[Record], said: Mapping[Part, Said]) -> list[Record]:
    """The inspections, those that people judged with the verdict they gave."""
    return [
        replace(one, body={**one.body, "verdict": told.verdict.value}) if (told := said.get(part(one))) else one
        for one in inspections
    ]
