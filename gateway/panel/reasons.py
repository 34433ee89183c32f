"""Reasons that people gave for stops. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.model import Machine, Record
from gateway.panel.timeline import Segment

# What no PLC knows; the machine's own reasons come first.
COMMON = ("no-operator", "no-tool", "cleaning", "maintenance", "quality-check", "other")


@dataclass(frozen=True, slots=True)
class Told:
    """A reason somebody gave: the record's seq, the word, the id and role of who gave it."""

    seq: int
    word: str
    by: str
    role: str


def words(machine: Machine) -> tuple[str, ...]:
    """The reasons a stop of the machine may have."""
    return tuple(dict.fromkeys((*machine.stop_reasons.values(), *COMMON)))


def latest(records: Iterable[Record]) -> dict[int, Told]:
    """The reason that holds, by the seq of the stop it is for: the one recorded last."""
    found: dict[int, Told] = {}
    for one in sorted(records, key=lambda record: record.seq):
        body = one.body
        found[int(body["stop"])] = Told(one.seq, str(body["reason_word"]), str(body["by"]), str(body["role"]))
    return found


def reasoned(spans: Sequence[Segment], told: Mapping[int, Told]) -> list[Segment]:
    """The states, stops with the reason somebody gave in place of the PLC's."""
    return [replace(one, reason=told[one.seq].word) if one.seq in told else one for one in spans]
