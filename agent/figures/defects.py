"""Rejected parts by class of defect, most first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from agent.model import Record, Verdict


class Reject(NamedTuple):
    """A part the inspection rejected; `seq` is its record, `defect` None where the model names no class."""

    seq: int
    machine: str
    time: int
    unit: str
    defect: str | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One class of defect; `share` is of all rejected parts, `cumulative` with all rows above it, 0..1."""

    defect: str | None
    share: float
    cumulative: float
    parts: tuple[Reject, ...]


def rejects(records: Iterable[Record], machine: str | None = None) -> list[Reject]:
    """The rejected parts among inspections, each record once; ASK is left to a person and is no reject."""
    found = {
        one.seq: Reject(
            one.seq, one.machine, one.time, str(one.body["unit"]), one.body["defect"], one.body.get("evidence")
        )
        for one in records
        if one.body["verdict"] == Verdict.REJECT.value and machine in (None, one.machine)
    }
    return list(found.values())


def pareto(parts: Iterable[Reject]) -> tuple[Row, ...]:
    """Rows by falling number, each with its parts, newest first; equal rows by name, None last."""
    groups: dict[str | None, list[Reject]] = {}
    for part in parts:
        groups.setdefault(part.defect, []).append(part)
    total = sum(len(group) for group in groups.values())
    rows, passed = [], 0
    for defect in sorted(groups, key=lambda one: (-len(groups[one]), one is None, one or "")):
        group = sorted(groups[defect], key=lambda one: (one.time, one.seq), reverse=True)
        passed += len(group)
        rows.append(Row(defect, len(group) / total, passed / total, tuple(group)))
    return tuple(rows)
