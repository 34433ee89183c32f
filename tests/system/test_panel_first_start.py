"""The panel of an agent that starts for the first time: a code on the console, loopback until there is an admin."""

from __future__ import annotations

import asyncio
import re
import stat
from pathlib import Path

import httpx
import pytest

from agent import panel as agent_panel
from agent.configuration.tables import PanelTable
from agent.model import Fault
from gateway.panel.access import TOKEN
from tests.system.panel_view import LINE, SampleView

LISTEN = "127.0.0.5"
ADMIN = {"name": "Li Wei", "secret": "ladle-furnace-7"}


async def answers(client: httpx.AsyncClient, host: str, port: str) -> bool:
    try:
        return (await client.get(f"http://{host}:{port}/api/v1/me")).status_code == 200
    except httpx.TransportError:
        return False


async def answering(client: httpx.AsyncClient, host: str, port: str) -> None:
    while True:
        if await answers(client, host, port):
            return
        await asyncio.sleep(0.05)


async def test_the_panel_moves_to_where_it_shall_listen_once_there_is_an_admin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Another address of this machine stands for one that others reach.
    monkeypatch.setattr(agent_panel, "is_loopback", lambda host: host == "127.0.0.1")
    table, faults = PanelTable(listen=f"{LISTEN}:0"), list[Fault]()
    async with asyncio.TaskGroup() as group, httpx.AsyncClient(trust_env=False) as client:
        async with agent_panel.panel(group, table, LINE, SampleView(tmp_path), tmp_path, faults.append):
            said = capsys.readouterr().err
            [(port, code)] = re.findall(r":(\d+)/#access with the code ([A-Z0-9-]+)", said)
            kept = tmp_path / "access" / "first-admin.code"
            assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (code, 0o600)
            assert await answers(client, "127.0.0.1", port)
            assert not await answers(client, LISTEN, port)
            assert (await client.get(f"http://127.0.0.1:{port}/api/v1/line")).status_code == 401
            reply = await client.post(
                f"http://127.0.0.1:{port}/api/v1/claim", json={**ADMIN, "code": code}, headers={TOKEN: "page"}
            )
            assert reply.status_code == 201
            async with asyncio.timeout(40):
                await answering(client, LISTEN, port)
            assert not await answers(client, "127.0.0.1", port)
            assert not kept.exists()
        assert not await answers(client, LISTEN, port)
    assert faults == []


async def test_a_damaged_file_of_users_is_a_fault_and_the_panel_lets_nobody_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "access").mkdir()
    (tmp_path / "access" / "users.json").write_text("{")
    table, faults = PanelTable(listen="127.0.0.1:0"), list[Fault]()
    async with (
        asyncio.TaskGroup() as group,
        agent_panel.panel(group, table, LINE, SampleView(tmp_path), tmp_path, faults.append),
    ):
        assert capsys.readouterr().err == ""
    assert [(one.source, one.code) for one in faults] == [("panel", "users_unreadable")]
    assert "users.json" in faults[0].remedy
