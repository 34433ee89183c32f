"""Panel abuse: slow WebSocket clients and a flood of log-ins from many addresses, a made-up API; machines go first.

The panel lives in the loop that reads the machines. How late that loop gets is measured against a process that does
nothing at the same time, so that a busy machine is not taken for a slow panel.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.faults.lag import Lag, idle
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
MOST_MS = 200.0
COMMIT_S = 0.1
SUMMED = ("answers",)


def one(seed: int, folder: Path, *, clients: int, seconds: float, examples: int) -> Found:
    """Both kinds of abuse, one after the other."""
    (folder / "flood").mkdir()
    late, idle_late, refused = asyncio.run(_flooded(folder / "flood", clients, seconds))
    assert late <= MOST_MS + idle_late, f"the loop came {late:.0f} ms late, an idle process {idle_late:.0f} ms"
    answers = asyncio.run(_made_up(folder / "api", examples, seed))
    return {"lost": 0, "double": 0, "unexplained": 0, "late_ms": round(late), "refused": refused, "answers": answers}


async def _flooded(folder: Path, clients: int, seconds: float) -> tuple[float, float, int]:
    """The worst lag of the loop that serves the panel and commits, that of an idle process, log-ins turned away."""
    view, known, lag = SampleView(folder), people(folder / "access", guests=True), Lag()
    queue = get_context("spawn").Queue()
    async with serving(create(LINE, view, access=known.access)) as address:
        witness = get_context("spawn").Process(target=idle, args=(queue, seconds))
        abuse = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.faults.panel_abuse",
            address,
            str(clients),
            str(seconds),
            stdout=subprocess.PIPE,
        )
        witness.start()
        measuring = asyncio.create_task(lag.run())
        reading = asyncio.create_task(_commits(view))
        said = (await abuse.communicate())[0]
        for task in (measuring, reading):
            task.cancel()
    assert abuse.returncode == 0
    idle_late = await asyncio.to_thread(queue.get)
    witness.join()
    seated, refused = map(int, said.split())
    assert seated >= min(clients, 32), f"of {clients} clients only {seated} got in"
    assert refused > 0, "no log-in was turned away"
    return lag.worst_ms, idle_late, refused


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
