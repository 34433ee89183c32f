"""What the policy sees of each candidate: 24 numbers without unit, the same for any line. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.scheduling.builder import Candidates, Floats, Ints, Rows, Shop

COUNT = 24


def features(of: Shop, at: Rows, among: Candidates) -> NDArray[np.float32]:
    """[N, 24] for the N active candidates, in order of `np.nonzero(among.active)`.

    Times are in mean run times of the problem; every number x enters as sign(x) * log(1 + |x|).
    """
    _, lots, ways = among.start.shape
    stations, _, families = of.setup.shape
    flat = np.flatnonzero(among.active)
    cell = flat // ways
    row, lot = np.divmod(cell, lots)
    step = at.next.take(cell)
    operation = of.row[lot] + step
    station, family, unit = among.station.take(flat), of.family[lot], of.unit
    start, end, change = among.start.take(flat), among.end.take(flat), among.setup.take(flat)
    run, setup, rest, weight = (
        among.duration.take(flat) / unit,
        change / unit,
        of.rest.take(operation) / unit,
        of.weight[lot],
    )
    slack = (of.due[lot] - end - of.tail.take(operation)) / unit
    urgency = np.log(weight / np.maximum(run, 1e-6)) - np.maximum(slack, 0.0) / 2
    thrifty = urgency - 2 * setup * unit / of.changeover
    size = among.active.sum((1, 2))
    above = _above_least(np.stack((start, end, slack, run, -(rest + run), -weight, -urgency, -thrifty)), size)
    here = row * stations + station
    kin = here * families + family
    after = row * stations + of.table[0, :, 0].take(operation + 1)
    goes_on = step + 1 < of.count[lot]
    columns = (
        run,
        setup,
        above[0] / unit,
        (start - at.free.take(here)) / unit,
        above[1] / unit,
        (end - among.end.min(2).take(cell)) / unit,
        rest,
        -above[4],
        of.count[lot] - step,
        slack,
        above[2],
        np.maximum(-slack, 0.0) * weight,
        weight,
        -above[5],
        -above[6],
        -above[7],
        change == 0,
        np.bincount(here)[here],
        np.bincount(kin)[kin],
        of.load[station],
        goes_on * (at.free.take(after) - end).clip(-1e15, 1e15) / unit,
        goes_on * (at.family.take(after) != family),
        above[3],
        np.repeat(size, size),
    )
    seen = np.empty((COUNT, len(flat)))
    for index, column in enumerate(columns):
        seen[index] = column
    logs: Floats = np.copysign(np.log1p(np.abs(seen)), seen)
    return logs.T.astype(np.float32, order="C")


def _above_least(figures: Floats, size: Ints) -> Floats:
    """How far each figure lies above the least of its row; rows of this size follow one another."""
    least: Floats = np.minimum.reduceat(figures, np.cumsum(size) - size, axis=1)
    return figures - np.repeat(least, size, axis=1)
