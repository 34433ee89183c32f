"""The API made up by schemathesis, over a real ledger, as each role has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent import wiring
from agent.ledger import Ledger, Reader
from agent.recorder import Recorder
from agent.view import AgentView
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_bench import sample_bench
from tests.system.panel_fuzz import fuzzed
from tests.system.panel_people import People, people
from tests.system.panel_serve import serving
from tests.system.test_panel_drill import FILE, refuse, told

EXAMPLES = 2  # per route and role; `make faults PART=panel` takes more


@asynccontextmanager
async def panel(folder: Path) -> AsyncIterator[tuple[str, People]]:
    """A panel over a ledger that holds a story, with its address and people."""
    ledger = await Ledger.open(folder)
    rules, devices = wiring.machine_rules(FILE, FILE.devices), wiring.device_rules(FILE.devices)
    recorder = Recorder(FILE.equipment, rules, devices, wiring.calendar(FILE), ledger, mono_ns=lambda: 0)
    await recorder.restore()
    await told(recorder)
    reader = Reader(folder)
    known = people(folder / "access")
    view = AgentView(recorder, ledger, reader, folder / "evidence", refuse, FILE)
    try:
        async with serving(
            create(FILE.equipment, view, access=known.access, bench=sample_bench(folder / "bench"))
        ) as address:
            yield address, known
    finally:
        reader.close()
        await ledger.close()


async def test_whatever_a_role_sends_is_no_failure_of_ours(tmp_path: Path) -> None:
    async with panel(tmp_path) as (address, known):
        for role in (None, *Role):
            found = await asyncio.to_thread(fuzzed, address, known, role, EXAMPLES)
            assert found[200] > 0
