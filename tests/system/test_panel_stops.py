"""An operator says why a machine stopped: over a real ledger, two at once, and what follows from it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_people import People
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, WORDS, SampleView, at, state_record
from tests.system.test_panel_fuzz import panel


async def stop_of_press1(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, object]:
    told = (await client.get("/api/v1/stops", headers=headers)).json()
    [stop] = [one for one in told["stops"] if one["machine"] == "press1"]
    return {**stop, "pareto": [(row["reason"], row["seconds"]) for row in told["pareto"]]}


async def say(client: httpx.AsyncClient, people: People, seq: object, reason: str, seen: int) -> httpx.Response:
    headers = people.headers(Role.OPERATOR)
    return await client.post(f"/api/v1/stops/{seq}", json={"reason": reason, "seen": seen}, headers=headers)


async def test_what_an_operator_says_is_a_record_and_the_pareto_follows(tmp_path: Path) -> None:
    async with panel(tmp_path) as (address, people), httpx.AsyncClient(base_url=f"http://{address}") as client:
        viewer = people.headers(Role.VIEWER)
        before = await stop_of_press1(client, viewer)
        plc = str(before["plc"])
        assert (before["reason"], before["seen"], before["pareto"]) == (plc, 0, [(plc, 35.0)])
        reply = await say(client, people, before["seq"], "cleaning", 0)
        assert (reply.status_code, reply.json()["reason"]) == (200, "cleaning")
        after = await stop_of_press1(client, viewer)
        assert (after["plc"], after["reason"], after["role"]) == (plc, "cleaning", "operator")
        assert (after["by"], after["pareto"]) == (people.ids[Role.OPERATOR], [("cleaning", 35.0)])
        machine = (await client.get("/api/v1/machines/press1", headers=viewer)).json()
        stopped = [(one["reason"], one["seconds"]) for one in machine["stops"] if one["word"] == "stopped"]
        assert stopped == [("cleaning", 35.0)]
        [record] = (await client.get("/api/v1/ledger?kind=reason", headers=viewer)).json()["records"]
        assert record["value"]["stop"] == before["seq"]
        assert "operator one" not in str(record)


async def test_of_two_at_once_the_second_sees_what_the_first_said_and_is_asked(tmp_path: Path) -> None:
    async with panel(tmp_path) as (address, people), httpx.AsyncClient(base_url=f"http://{address}") as client:
        seq = (await stop_of_press1(client, people.headers(Role.VIEWER)))["seq"]
        replies = await asyncio.gather(*(say(client, people, seq, word, 0) for word in ("cleaning", "no-tool")))
        first, second = sorted(replies, key=lambda reply: reply.status_code)
        assert (first.status_code, second.status_code) == (200, 409)
        assert second.json()["stop"] == first.json()
        seen = second.json()["stop"]["seen"]
        other = await say(client, people, seq, "maintenance", seen)
        assert (other.status_code, other.json()["reason"]) == (200, "maintenance")
        records = (await client.get("/api/v1/ledger?kind=reason", headers=people.headers(Role.VIEWER))).json()[
            "records"
        ]
        assert [(one["value"]["reason_word"], one["value"]["was"]) for one in records] == [
            ("maintenance", seen), (first.json()["reason"], None),
        ]  # fmt: skip


@pytest.mark.parametrize(("seq", "reason", "status"), [("999999", "cleaning", 404), (None, "bored", 422)])
async def test_only_a_known_reason_of_a_stop_of_the_shift_is_taken(
    tmp_path: Path, seq: str | None, reason: str, status: int
) -> None:
    async with panel(tmp_path) as (address, people), httpx.AsyncClient(base_url=f"http://{address}") as client:
        stop = await stop_of_press1(client, people.headers(Role.VIEWER))
        assert (await say(client, people, seq or stop["seq"], reason, 0)).status_code == status
        assert (await stop_of_press1(client, people.headers(Role.VIEWER)))["seen"] == 0


async def test_the_stops_listed_add_up_to_the_pareto_reason_by_reason(tmp_path: Path) -> None:
    pause = [
        ("press1", "11:55", "stop"),
        ("press1", "12:10", "run"),
        ("press1", "12:20", "stop"),
        ("press1", "12:40", "run"),
    ]
    view = SampleView(tmp_path)
    fresh = max(one.seq for one in view.history) + 1
    view.history += [state_record(name, at(time), WORDS[word], fresh + n) for n, (name, time, word) in enumerate(pause)]
    async with (
        serving(create(LINE, view)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        told = (await client.get("/api/v1/stops")).json()
    listed: dict[str | None, float] = {}
    for stop in told["stops"]:
        listed[stop["reason"]] = listed.get(stop["reason"], 0.0) + stop["seconds"]
    assert listed == {row["reason"]: row["seconds"] for row in told["pareto"]}
    press1 = {stop["start"][11:16]: stop["seconds"] for stop in told["stops"] if stop["machine"] == "press1"}
    # At 11:55 five minutes before the break count; at 12:20, within it, nothing is lost.
    assert press1["03:55"] == 300.0
    assert "04:20" not in press1
