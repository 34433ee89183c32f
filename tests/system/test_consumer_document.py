"""The consumer that the documentation prints, run as it stands there, killed and started again."""

import asyncio
import re
import sqlite3
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.broker import program, start_broker
from tests.system.uplink_rig import BASE, Agent, WatchedLedger

ROOT = Path(__file__).parents[2]
(PRINTED,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "consumer.md").read_text(encoding="utf-8"), re.DOTALL)


@asynccontextmanager
async def running(folder, port):
    command = (sys.executable, str(folder / "consumer.py"), "127.0.0.1", str(port), BASE, "mes")
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env={"PYTHONPATH": str(ROOT)})
    try:
        yield
        assert process.returncode is None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto")
async def test_the_printed_consumer_counts_every_part_once_however_often_it_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.record_lane.PATIENCE_S", 1.0)
    assert len([line for line in PRINTED.splitlines() if line.strip()]) <= 30
    (tmp_path / "consumer.py").write_text(PRINTED, encoding="utf-8")
    ledger = await WatchedLedger.open(tmp_path / "ledger")
    async with start_broker(tmp_path / "broker") as broker:
        agent = Agent(ledger, tmp_path, broker.port, consumer="mes", raw=("json", "binary"))
        async with agent.running():
            for upto in (250, 600):
                async with running(tmp_path, broker.port):
                    await agent.make(upto - ledger.last_seq)
                    await agent.moved("mqtt:mes", upto - 150)
            async with running(tmp_path, broker.port):
                await agent.moved("mqtt:mes", 600)
    await ledger.close()
    with sqlite3.connect(tmp_path / "parts.db") as db:
        assert db.execute("SELECT machine, counter, made FROM parts").fetchall() == [("press1", "good", 600)]
        assert db.execute("SELECT seq FROM last").fetchall() == [(600,)]
    db.close()
