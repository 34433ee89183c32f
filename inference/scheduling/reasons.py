"""Why an operation is next on its station: what it was preferred to, and by how many seconds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from inference.scheduling.builder import Rollout, Shop, Step
from inference.scheduling.problem import Assignment, Schedule


def explained(of: Shop, built: Rollout, row: int) -> Schedule:
    """The schedule of a row with a reason for each job, what is frozen first."""
    return of.problem.frozen + tuple(_assignments(of, built.steps, row))


def _assignments(of: Shop, steps: Iterable[Step], row: int) -> Iterable[Assignment]:
    for step in steps:
        among = step.among
        lot, way = divmod(int(step.choice[row]), among.start.shape[2])
        key = (row, lot, way)
        yield Assignment(
            order=of.problem.lots[lot].order,
            operation=int(step.next[row, lot]),
            station=of.problem.stations[int(among.station[key])].name,
            start=int(among.start[key]),
            setup=int(among.setup[key]),
            end=int(among.end[key]),
            reason=_reason(of, step, row, lot, way),
        )


def _reason(of: Shop, step: Step, row: int, lot: int, way: int) -> dict[str, Any]:
    """The reason against the most wanted other lot that could have gone on this station now.

    `code` is the first of rush, same_family, ready_first, due_first, shortest that holds, preferred where none does,
    only_choice where there was no other lot. The seconds tell how much less the taken one needs of each.
    """
    among, station = step.among, step.among.station[row, lot, way]
    rivals = (among.station[row] == station) & np.isfinite(step.scores[row])
    rivals[lot] = False
    if not rivals.any():
        return {"code": "only_choice"}
    scores = np.where(rivals, step.scores[row], -np.inf)
    other, path = divmod(int(scores.argmax()), among.start.shape[2])
    taken, left = (row, lot, way), (row, other, path)
    saves = {
        "setup_s": _seconds(among.setup[left] - among.setup[taken]),
        "ready_s": _seconds(among.start[left] - among.start[taken]),
        "slack_s": _seconds(_slack(of, step, left) - _slack(of, step, taken)),
        "run_s": _seconds(among.duration[left] - among.duration[taken]),
    }
    return {"over": of.problem.lots[other].order, **_code(of, lot, other, int(among.setup[taken]), saves), **saves}


def _code(of: Shop, lot: int, other: int, setup: int, saves: dict[str, float]) -> dict[str, Any]:
    if of.weight[lot] > of.weight[other]:
        return {"code": "rush", "weight": float(of.weight[lot])}
    if setup == 0 and saves["setup_s"] > 0:
        return {"code": "same_family", "saves_s": saves["setup_s"]}
    if saves["ready_s"] > 0:
        return {"code": "ready_first", "saves_s": saves["ready_s"]}
    if saves["slack_s"] > 0:
        return {"code": "due_first"}
    if saves["run_s"] > 0:
        return {"code": "shortest", "saves_s": saves["run_s"]}
    return {"code": "preferred"}


def _slack(of: Shop, step: Step, key: tuple[int, int, int]) -> float:
    """Time left to the due date after the operation and the least that must follow it."""
    row, lot, _ = key
    return float(of.due[lot] - step.among.end[key] - of.tail[lot, step.next[row, lot]])


def _seconds(milliseconds: float) -> float:
    return round(float(milliseconds) / 1000, 3)
