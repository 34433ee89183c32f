"""What a display knows of one line: live messages in, one document out. Pure; `mono` is any monotonic clock in seconds.

Only the live lane counts here: absolute messages without `seq`. The line is STALE after three missed
heartbeats, and what is stale is shown as not seen: every machine UNKNOWN since the last beat.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway.tour.figure import pick, pick_takt, shown
from gateway.tour.heard import (
    Figure,
    FiguresHeard,
    InspectionHeard,
    JobValue,
    LineHeard,
    OnlineHeard,
    PlanHeard,
    StateHeard,
)
from gateway.tour.story import tell

BEAT_S = 2.0
MISSED_TO_STALE = 3
JOBS_SHOWN = 3
LAMPS = {
    "stopped": "red",
    "starved": "amber",
    "blocked": "amber",
    "executing": "green",
    "changeover": "blue",
    "idle": "white",
    "out_of_service": "none",
}
OF_LINE: dict[str, type[BaseModel]] = {
    "_line": LineHeard,
    "_online": OnlineHeard,
    "_kpi": FiguresHeard,
    "_plan": PlanHeard,
}
OF_MACHINE: dict[str, type[BaseModel]] = {"_state": StateHeard, "_kpi": FiguresHeard, "_inspection": InspectionHeard}


class Hall:
    """The last word of every live topic below `root` (such as tanchang/v1/foshan/appliances/cooker3)."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._held: dict[tuple[str, str], Any] = {}
        self._beat: float | None = None

    def take(self, topic: str, payload: bytes, mono: float, *, retained: bool = False) -> bool:
        """Hold a live message; False, and nothing changed, for a record or what does not fit docs/wire.md.

        A retained heartbeat proves no life: the first one counts as two beats late, later ones as none.
        """
        machine, _, contract = topic.removeprefix(f"{self._root}/").rpartition("/")
        shape = (OF_MACHINE if machine else OF_LINE).get(contract)
        if shape is None or not topic.startswith(f"{self._root}/"):
            return False
        if not payload:  # a cleared retained message
            return self._held.pop((machine, contract), None) is not None
        try:
            fields = json.loads(payload)
            if not isinstance(fields, dict) or "seq" in fields:
                return False
            self._held[machine, contract] = shape.model_validate(fields)
        except (ValidationError, ValueError):
            return False
        if contract == "_line" and not retained:
            self._beat = mono
        elif contract == "_line" and self._beat is None:
            self._beat = mono - (MISSED_TO_STALE - 1) * BEAT_S
        return True

    def document(self, mono: float) -> dict[str, Any]:
        """Everything a page shows, JSON-ready, in sections that are sent on when they change."""
        heard: LineHeard | None = self._held.get(("", "_line"))
        online: OnlineHeard | None = self._held.get(("", "_online"))
        silent_s = 0.0 if self._beat is None else max(0.0, mono - self._beat)
        missed = min(MISSED_TO_STALE, int(silent_s / BEAT_S))
        offline = online is not None and not online.value
        simulated = any(held.sim for held in self._held.values())
        stale = heard is not None and (missed >= MISSED_TO_STALE or offline)
        now = heard.time if heard else None
        ages = _Ages(now, heard.value.speed if heard else 1.0, silent_s)
        machines = [self._machine(name, ages, stale) for name in heard.value.machines] if heard else []
        return {
            "line": _line(heard),
            "marks": {
                "sim": simulated,
                "stale": stale,
                "offline": offline,
                "missed": missed,
                "since": _iso(now) if stale else None,
                "waiting": heard is None,
            },
            "machines": machines,
            "figures": self._figures(ages, simulated),
            "inspection": self._inspection(simulated),
            "jobs": self._jobs(now),
            "story": None if stale else tell(machines),
        }

    def _machine(self, name: str, ages: _Ages, stale: bool) -> dict[str, Any]:
        heard: StateHeard | None = self._held.get((name, "_state"))
        kpis: FiguresHeard | None = self._held.get((name, "_kpi"))
        if heard is None:
            unheard = dict.fromkeys(("since", "good", "scrap", "utilization"))
            return {"name": name, **_unseen(None), **unheard, "display": {}, "lag": MISSED_TO_STALE, "sim": False}
        fields = heard.value.model_dump(mode="json", exclude={"name", "observed"})
        lag = min(MISSED_TO_STALE, int(ages.of(heard.value.observed) / BEAT_S))
        seen = {**fields, "lamp": LAMPS.get(heard.value.word, "unknown")}
        if stale and seen["word"] != "unknown":
            seen |= _unseen(ages.now)
        if seen["lamp"] == "unknown":
            lag = MISSED_TO_STALE
        utilization = pick(kpis.value, "utilization") if kpis else None
        return {
            "name": name,
            **seen,
            "lag": lag,
            "sim": heard.sim,
            "utilization": utilization and shown(utilization, ages.of(utilization.time), heard.sim),
        }

    def _figures(self, ages: _Ages, simulated: bool) -> dict[str, Any]:
        heard: FiguresHeard | None = self._held.get(("", "_kpi"))
        held: tuple[Figure, ...] = heard.value if heard else ()
        chosen = {name: pick(held, name) for name in ("utilization", "first_pass_yield", "good")}
        chosen["takt"] = pick_takt(held)
        return {name: figure and shown(figure, ages.of(figure.time), simulated) for name, figure in chosen.items()}

    def _inspection(self, simulated: bool) -> dict[str, Any] | None:
        """Last verdict of the first station that inspects, with its counts of this shift."""
        found = [(machine, held) for (machine, contract), held in self._held.items() if contract == "_inspection"]
        if not found:
            return None
        machine, heard = min(found, key=lambda entry: entry[0])
        kpis = [self._held[place, "_kpi"].value for place in (machine, "") if (place, "_kpi") in self._held]
        counts = {word: _first(kpis, f"inspection_{word}") for word in ("pass", "reject", "ask")}
        return {
            "machine": machine,
            "sim": heard.sim or simulated,
            "counts": {word: figure and figure.value for word, figure in counts.items()},
            **heard.value.model_dump(mode="json"),
        }

    def _jobs(self, now: datetime | None) -> dict[str, Any] | None:
        """The orders that start next, one row an order, at its first operation; what has begun is no longer next."""
        heard: PlanHeard | None = self._held.get(("", "_plan"))
        if heard is None:
            return None
        first: dict[str, JobValue] = {}
        for job in sorted(heard.value.jobs, key=lambda job: job.start):
            first.setdefault(job.order, job)
        coming = [job.model_dump(mode="json") for job in first.values() if now is None or job.start >= now]
        return {"sim": heard.sim, "rung": heard.value.rung, "next": coming[:JOBS_SHOWN]}


class _Ages:
    """Wall seconds since something of the plant's clock was true."""

    def __init__(self, now: datetime | None, speed: float, silent_s: float) -> None:
        self.now, self._speed, self._silent_s = now, speed, silent_s

    def of(self, time: datetime | None) -> float:
        if time is None or self.now is None:
            return self._silent_s
        return max(0.0, (self.now - time).total_seconds()) / self._speed + self._silent_s


def _first(kpis: Iterable[Iterable[Figure]], name: str) -> Figure | None:
    """The shift's figure of that name from the first that has it."""
    return next((found for figures in kpis if (found := pick(figures, name))), None)


def _line(heard: LineHeard | None) -> dict[str, Any] | None:
    if heard is None:
        return None
    return {**heard.value.model_dump(mode="json", exclude={"machines"}), "time": _iso(heard.time), "sim": heard.sim}


def _unseen(since: datetime | None) -> dict[str, Any]:
    """What overrides a state that nobody vouches for."""
    unknown = {"state": "UNKNOWN", "cause": None, "word": "unknown", "lamp": "unknown"}
    return {**unknown, "reason_word": None, "cycle_s": None, "since": _iso(since)}


def _iso(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None
