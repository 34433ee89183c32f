"""The gateway's health: measured as it is, off the loop, and told to whoever may look."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import httpx
import psutil

from agent.health.vitals import TICK_S, Vitals
from agent.ledger import Ledger
from gateway.panel.health import Health
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_bench import sample_bench
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import CELL1, LINE, SampleView


async def measured(vitals: Vitals) -> Health:
    """The first look."""
    while (found := vitals.now()) is None:  # noqa: ASYNC110 - a look tells nobody
        await asyncio.sleep(0.01)
    return found


async def test_what_is_told_is_what_the_system_has(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    vitals = Vitals(ledger, lambda: (CELL1,))
    task = asyncio.create_task(vitals.run())
    try:
        found = await measured(vitals)
    finally:
        task.cancel()
        await ledger.close()
    assert found.memory.total == psutil.virtual_memory().total
    assert found.disk.total == shutil.disk_usage(tmp_path).total
    assert 0 < found.memory.agent < found.memory.total
    assert found.processor.cores == os.cpu_count()
    assert (found.disk.per_hour, found.disk.hours_left) == (None, None)
    assert found.ledger.durable
    assert found.ledger.bytes > 0
    assert found.ledger.commit_ms == CELL1.latency_ms
    assert {"tanchang", "Python", "SQLite", "asyncua", "pymodbus"} <= found.versions.keys()


async def test_a_loop_that_was_held_up_is_told(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    vitals = Vitals(ledger, lambda: ())
    task = asyncio.create_task(vitals.run())
    try:
        await measured(vitals)
        time.sleep(TICK_S + 0.5)  # noqa: ASYNC251 - this is the hold-up
        while vitals.now().loop.worst_ms < 400:  # noqa: ASYNC110 - a look tells nobody
            await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await ledger.close()


async def test_before_the_first_look_nothing_is_made_up(tmp_path: Path) -> None:
    known = people(tmp_path / "access")
    bench = replace(sample_bench(tmp_path), health=lambda: None)
    async with (
        serving(create(LINE, SampleView(tmp_path), access=known.access, bench=bench)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        reply = await client.get("/api/v1/health", headers=known.headers(Role.VIEWER))
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
