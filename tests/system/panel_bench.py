"""An engineer's workbench as the panel may find it: the double of agent/workbench.py."""

from __future__ import annotations

from pathlib import Path

from gateway.panel.health import Clock, Disk, Health, Loop, Memory, Processor, Store
from gateway.panel.workbench import Workbench

GIB = 1 << 30
HEALTH = Health(
    time=1_763_620_325.0,
    machine_up_s=12.4 * 86_400,
    agent_up_s=9_000.0,
    processor=Processor(4, 37.5, 12.5),
    memory=Memory(4 * GIB, 3 * GIB, 150 << 20),
    disk=Disk(32 * GIB, 8 * GIB, GIB / 4, 32.0),
    clock=Clock(synchronised=True, offset_s=0.0003, error_s=0.012),
    ledger=Store(durable=True, bytes=GIB, limit=2 * GIB, commit_ms=42.5, worst_ms=211.4),
    loop=Loop(0.4, 18.2),
    versions={"tanchang": "0.1.0", "Python": "3.11.2"},
)


def sample_bench(folder: Path) -> Workbench:
    """Everything an engineer works with, in a folder of the test's."""
    return Workbench(lambda: HEALTH)
