"""What may leave the plant: the live lane through an allow-list, deny by default. Pure.

No records, counts, orders, scores, model or part ids, images, addresses or faults. Parts become a band,
products an alias, stop reasons one of four public words, ratios are rounded to 0.1, and a figure of
fewer than 30 parts is hidden. The takt stays: whoever films the line can time it. There is no `_online`:
a connection has one last will, and a promise that nobody takes back is worse than a heartbeat that stops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.model import Line
from gateway.payload import Json
from gateway.topic import LINE, TREE, Topic

MIN_PARTS = 30
BANDS = (0, 30, 100, 200, 500, *(n * 10**e for e in range(3, 9) for n in (1, 2, 5)))

# Public stop reasons follow from the state alone: no word of the PLC's own gets through.
REASONS = {"stopped": "technical", "starved": "material", "blocked": "material", "changeover": "changeover"}

WHOLE = (
    *("site", "area", "line", "display", "timezone", "machines", "seq", "root", "speed"),
    *("takt_s", "least_coverage", "wall"),
)
STATE = ("name", "display", "state", "cause", "word", "since", "observed")
FIGURE = ("name", "machine", "window", "unit", "target", "revision", "closed", "time", "sim")
JOB = ("machine", "start")
RATIOS = {"utilization": ("shift", "hour"), "first_pass_yield": ("shift", "hour"), "takt": ("shift", "hour")}
OF_PARTS = ("first_pass_yield", "takt")
JOBS = 5


def public(line: Line, topic: Topic, payload: Mapping[str, Any]) -> tuple[Topic, Json] | None:
    """The public twin of a live payload; None for what must not leave."""
    narrow = CONTRACTS.get(topic.contract)
    if narrow is None or topic.tree != TREE or "seq" in payload:
        return None
    value = narrow(line, payload["value"])
    return topic.public, {"value": value, **{key: payload[key] for key in ("time", "quality", "sim")}}


def band(parts: float) -> list[int]:
    """The round band [low, high) a number of parts lies in: 1234 -> [1000, 2000]."""
    above = next((n for n, edge in enumerate(BANDS) if edge > parts), len(BANDS) - 1)
    return [BANDS[above - 1], BANDS[above]]


def alias(line: Line, product: str) -> dict[str, str]:
    """Display names that tell products apart and nothing else."""
    names = list(line.products)
    letter = chr(ord("A") + names.index(product)) if product in names[:26] else "?"
    return {"en": f"Product {letter}", "zh-CN": f"产品 {letter}"}


def _whole(_line: Line, value: Json) -> Json:
    return _pick(value, WHOLE)


def _state(_line: Line, value: Json) -> Json:
    return {**_pick(value, STATE), "reason_word": REASONS.get(value["word"])}


def _figures(_line: Line, value: list[Json]) -> list[Json]:
    return [_figure(one) for one in value if one["window"]["kind"] in RATIOS.get(one["name"], ())]


def _figure(one: Json) -> Json:
    """Ratios without what they are made of; `n_band` tells the parts a figure rests on."""
    parts = one["denominator"] if one["name"] in OF_PARTS else None
    hidden = parts is not None and parts < MIN_PARTS
    rounded = {key: None if hidden or one[key] is None else round(one[key], 1) for key in ("value", "low", "high")}
    n_band = None if parts is None else band(parts)
    return {**_pick(one, FIGURE), **rounded, "coverage": round(one["coverage"], 2), "n_band": n_band}


def _inspection(_line: Line, value: Json) -> Json:
    return {"last": _pick(value["last"], ("verdict", "time")), "image": None}


def _plan(line: Line, value: Json) -> Json:
    """The next job of each machine, at most five; its order by rank."""
    following: dict[str, Json] = {}
    for job in value["jobs"]:
        following.setdefault(job["machine"], job)
    jobs = [
        {
            **_pick(job, JOB),
            "order": str(rank),
            "product": alias(line, job["product"])["en"],
            "display": alias(line, job["product"]),
            "reason": _pick(job["reason"], ("code",)),
        }
        for rank, job in enumerate(list(following.values())[:JOBS], start=1)
    ]
    return {"jobs": jobs, "rung": value["rung"]}


def _pick(value: Json, keys: tuple[str, ...]) -> Json:
    return {key: value[key] for key in keys if key in value}


CONTRACTS: dict[str, Callable[[Line, Any], Any]] = {
    LINE: _whole,
    "_state": _state,
    "_kpi": _figures,
    "_inspection": _inspection,
    "_plan": _plan,
}
