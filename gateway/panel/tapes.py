"""Samples for the trends, read from the ledger bit by bit in a thread, so that a long window holds nobody up."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from agent.model import SECOND
from agent.storage.reader import Series
from gateway.panel.trend import before, joined, thinned
from gateway.panel.view import View

SLICE = 900 * SECOND  # plant time read at once
LATE = 120 * SECOND  # samples may come this much after their time; a gap that ends brings older ones
MOST = 96
NOTHING = Series(np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.uint32))


@dataclass(slots=True)
class Tape:
    """A tag's samples from the window's start to `upto`, thinned; `gaps` is how many were over then."""

    series: Series
    upto: int
    gaps: int


class Tapes:
    """Keeps the last MOST tapes; each call reads only what is new since the last. One reads at a time."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._kept: OrderedDict[tuple[str, str, int, int], Tape] = OrderedDict()
        self._reading = asyncio.Lock()

    async def of(self, device: str, tag: str, since: int, until: int, step: int, gaps: int) -> Series:
        """Samples of [since, until), thinned to `step` ns; a new number of gaps reads all again."""
        key = device, tag, since, step
        async with self._reading:
            tape = self._kept.pop(key, None)
            if tape is None or tape.gaps != gaps:
                tape = Tape(NOTHING, since, gaps)
            await self._read(tape, device, tag, since, until, step)
            self._kept[key] = tape
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return tape.series

    async def _read(self, tape: Tape, device: str, tag: str, since: int, until: int, step: int) -> None:
        start = max(since, tape.upto - LATE)
        start -= (start - since) % step if step else 0
        series = before(tape.series, start)
        while start < until:
            end = min(until, start + SLICE - SLICE % step if step else start + SLICE)
            found = await asyncio.to_thread(self._view.samples, device, tag, start, end)
            series = joined(series, thinned(found, step))
            start = end
        tape.series, tape.upto = series, until
