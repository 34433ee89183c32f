"""Panel abuse: slow WebSocket clients and a flood of log-ins from many addresses, a made-up API; machines go first.

The panel lives in the loop that reads the machines. What counts is how long that loop works in one go, in processor
time, so that a machine which others keep busy is not taken for a slow panel; the delay by the wall is told besides.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from pathlib import Path

from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.faults.lag import Lag
from tests.faults.part import Found
from tests.system.panel_fuzz import fuzzed
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, LINE_NOW, SampleView
from tests.system.test_panel_fuzz import panel

FULL = 3
QUICK = 1
FULL_FORM = {"clients": 1000, "seconds": 20.0, "examples": 100}
QUICK_FORM = {"clients": 200, "seconds": 4.0, "examples": 2}
MOST_MS = 200.0  # of processor time in one go
COMMIT_S = 0.1
SUMMED = ("answers",)


def one(seed: int, folder: Path, *, clients: int, seconds: float, examples: int) -> Found:
    """Both kinds of abuse, one after the other."""
    (folder / "flood").mkdir()
    # As the agent does once it runs: what is there from the start is not looked through again and again.
    gc.collect()
    gc.freeze()
    try:
        lag, refused = asyncio.run(_flooded(folder / "flood", clients, seconds))
    finally:
        gc.unfreeze()
    assert lag.busy_ms <= MOST_MS, f"the loop was busy for {lag.busy_ms:.0f} ms in one go ({lag.wall_ms:.0f} ms late)"
    answers = asyncio.run(_made_up(folder / "api", examples, seed))
    counts = {"lost": 0, "double": 0, "unexplained": 0}
    return counts | {
        "busy_ms": round(lag.busy_ms),
        "late_ms": round(lag.wall_ms),
        "refused": refused,
        "answers": answers,
    }


async def _flooded(folder: Path, clients: int, seconds: float) -> tuple[Lag, int]:
    """The worst lag of the loop that serves the panel and commits, and log-ins turned away."""
    view, known, lag = SampleView(folder), people(folder / "access", guests=True), Lag()
    async with serving(create(LINE, view, access=known.access)) as address:
        abuse = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.panel_abuse", address, str(clients), str(seconds), stdout=PIPE
        )
        tasks = [asyncio.create_task(lag.run()), asyncio.create_task(_commits(view))]
        said = (await abuse.communicate())[0]
        for task in tasks:
            task.cancel()
    assert abuse.returncode == 0
    seated, refused = map(int, said.split())
    assert seated >= min(clients, 32), f"of {clients} clients only {seated} got in"
    assert refused > 0, "no log-in was turned away"
    return lag, refused


async def _commits(view: SampleView) -> None:
    """The line as it is told by machines that are read."""
    step = 0
    while True:
        await asyncio.sleep(COMMIT_S)
        step += 1
        view.commit(replace(LINE_NOW, seq=LINE_NOW.seq + step))


async def _made_up(folder: Path, examples: int, seed: int) -> int:
    async with panel(folder) as (address, known):
        found = [await asyncio.to_thread(fuzzed, address, known, role, examples, seed) for role in (None, *Role)]
    return sum(sum(one.values()) for one in found)
