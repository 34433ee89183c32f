"""What the policy sees of each candidate: 24 numbers without unit, the same for any line. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.scheduling.builder import Candidates, Floats, Rows, Shop

COUNT = 24


def features(of: Shop, at: Rows, among: Candidates) -> NDArray[np.float32]:
    """[N, 24] for the N active candidates, in order of `np.nonzero(among.active)`.

    Times are in mean run times of the problem; every number x enters as sign(x) * log(1 + |x|).
    """
    row, lot, way = np.nonzero(among.active)
    unit, key = of.unit, (row, lot, way)
    step = at.next[row, lot]
    station, family, end = among.station[key], of.family[lot], among.end[key]
    run, setup, start = among.duration[key] / unit, among.setup[key] / unit, among.start[key]
    rest, weight = of.rest[lot, step] / unit, of.weight[lot]
    slack = (of.due[lot] - end - of.tail[lot, step]) / unit
    bounds = np.flatnonzero(np.diff(row, prepend=-1))
    size = np.diff(bounds, append=len(row))

    def spread(reduce: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """A figure of each row, handed to its candidates."""
        return np.repeat(reduce.reduceat(values, bounds), size)

    urgency = np.log(weight / np.maximum(run, 1e-6)) - np.maximum(slack, 0.0) / 2
    thrifty = urgency - 2 * setup * unit / of.changeover
    here = row * len(of.load) + station
    kin = here * of.setup.shape[2] + family
    ahead = np.minimum(step + 1, of.rest.shape[1] - 1)
    goes_on = step + 1 < of.count[lot]
    then = of.station[lot, ahead, 0]
    quickest = among.end.min(2)[row, lot]
    columns = (
        run,
        setup,
        (start - spread(np.minimum, start)) / unit,
        (start - at.free[row, station]) / unit,
        (end - spread(np.minimum, end)) / unit,
        (end - quickest) / unit,
        rest,
        (rest + run) - spread(np.maximum, rest + run),
        (of.count[lot] - step).astype(np.float64),
        slack,
        slack - spread(np.minimum, slack),
        np.maximum(-slack, 0.0) * weight,
        weight,
        weight - spread(np.maximum, weight),
        urgency - spread(np.maximum, urgency),
        thrifty - spread(np.maximum, thrifty),
        (among.setup[key] == 0).astype(np.float64),
        np.bincount(here)[here].astype(np.float64),
        np.bincount(kin)[kin].astype(np.float64),
        of.load[station],
        goes_on * (at.free[row, then] - end).clip(-1e15, 1e15) / unit,
        goes_on * (at.family[row, then] != family).astype(np.float64),
        run - spread(np.minimum, run),
        np.repeat(size, size).astype(np.float64),
    )
    seen: Floats = np.stack(columns, 1)
    logs: Floats = np.sign(seen) * np.log1p(np.abs(seen))
    return logs.astype(np.float32)
