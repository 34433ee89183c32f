"""What people said of parts that an inspection asked about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from agent.model import Record, Verdict


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict somebody gave: the record's seq and time, the verdict, the id and role of who gave it."""

    seq: int
    time: int
    verdict: Verdict
    by: str
    role: str


def latest(records: Iterable[Record]) -> dict[int, Said]:
    """The verdict that holds, by the seq of the inspection it is of: the one recorded last."""
    found: dict[int, Said] = {}
    for one in sorted(records, key=lambda record: record.seq):
        body = one.body
        verdict = Verdict(str(body["verdict"]))
        found[int(body["inspection"])] = Said(one.seq, one.time, verdict, str(body["by"]), str(body["role"]))
    return found


def held(inspections: Iterable[Record], said: Mapping[int, Said]) -> list[Record]:
    """The inspections, those that people judged with the verdict they gave."""
    return [
        replace(one, body={**one.body, "verdict": said[one.seq].verdict.value}) if one.seq in said else one
        for one in inspections
    ]
