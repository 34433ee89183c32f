"""An operator judges a part the inspection asked about: over a real ledger, two at once, and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.panel.roles import Role
from tests.system.panel_people import People
from tests.system.test_panel_fuzz import panel


@dataclass
class Line:
    client: httpx.AsyncClient
    people: People

    async def get(self, address: str, role: Role = Role.VIEWER) -> Any:
        reply = await self.client.get(f"/api/v1/{address}", headers=self.people.headers(role))
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def judge(self, seq: int, verdict: str, seen: int, role: Role = Role.OPERATOR) -> httpx.Response:
        said = {"verdict": verdict, "seen": seen}
        return await self.client.post(f"/api/v1/inspections/{seq}", json=said, headers=self.people.headers(role))

    async def asked(self) -> list[dict[str, Any]]:
        """The parts that wait for a person."""
        told = await self.get("inspections")
        assert told["open"] == len(told["asks"])
        found: list[dict[str, Any]] = told["asks"]
        return found

    async def judged(self) -> dict[tuple[str, str], float]:
        """Parts of the line by verdict and kind of window."""
        figures = (await self.get("line"))["figures"]
        named = [one for one in figures if one["name"].startswith("inspection_") and not one["machine"]]
        return {(one["name"][11:], one["window"]["kind"]): one["numerator"] for one in named}


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[Line]:
    async with (
        panel(folder) as (address, people),
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        yield Line(client, people)


def both(passed: int, rejected: int, asked: int) -> dict[tuple[str, str], float]:
    counted = {"pass": passed, "reject": rejected, "ask": asked}
    return {(word, kind): count for word, count in counted.items() for kind in ("hour", "shift")}


async def test_what_an_operator_says_is_a_record_and_the_figures_follow(tmp_path: Path) -> None:
    async with line(tmp_path) as here:
        [part] = await here.asked()
        assert (part["value"]["verdict"], part["seen"], await here.judged()) == ("ASK", 0, both(2, 3, 1))
        reply = await here.judge(part["seq"], "REJECT", 0)
        assert (reply.status_code, reply.json()["decided"]["verdict"]) == (200, "REJECT")
        assert (await here.asked(), await here.judged()) == ([], both(2, 4, 0))
        [record] = (await here.get("ledger?kind=verdict"))["records"]
        assert record["value"]["by"] == here.people.ids[Role.OPERATOR]
        assert "operator one" not in str(record)
        assert [(one["defect"], one["parts"]) for one in (await here.get("defects"))["classes"]] == [
            ("blowhole", 2), ("crack", 2),
        ]  # fmt: skip
        again = await here.judge(part["seq"], "PASS", record["seq"])
        assert (again.status_code, await here.judged()) == (200, both(3, 3, 0))
        newest = (await here.get("ledger?kind=verdict"))["records"][0]
        assert (newest["value"]["instead"], newest["value"]["was"]) == ("REJECT", record["seq"])
        [shown] = (await here.get("inspections"))["decided"]
        assert (shown["value"]["verdict"], shown["decided"]["verdict"], shown["seen"]) == ("ASK", "PASS", newest["seq"])


async def test_a_figure_taken_apart_shows_the_decision_and_agrees(tmp_path: Path) -> None:
    async with line(tmp_path) as here:
        [part] = await here.asked()
        decision = (await here.judge(part["seq"], "PASS", 0)).json()["seen"]
        for name in ("pass", "reject", "ask"):
            said = await here.get(f"explain?name=inspection_{name}")
            assert said["agrees"], name
        entries = {row["word"]: [(one["seq"], one["note"]) for one in row["entries"]] for row in said["rows"]}
        assert "ASK" not in entries
        assert (decision, f"{part['value']['unit']} (ASK #{part['seq']})") in entries["PASS"]


async def test_of_two_at_once_the_second_sees_what_the_first_said_and_is_asked(tmp_path: Path) -> None:
    async with line(tmp_path) as here:
        [part] = await here.asked()
        both_said = (("PASS", Role.OPERATOR), ("REJECT", Role.ENGINEER))
        replies = await asyncio.gather(*(here.judge(part["seq"], word, 0, role) for word, role in both_said))
        first, second = sorted(replies, key=lambda reply: reply.status_code)
        assert (first.status_code, second.status_code) == (200, 409)
        assert second.json()["part"] == first.json()
        assert sum((await here.judged()).values()) == 12
        assert len((await here.get("ledger?kind=verdict"))["records"]) == 1
        other = await here.judge(part["seq"], "REJECT", second.json()["part"]["seen"])
        assert (other.status_code, await here.judged()) == (200, both(2, 4, 0))


NOT_TAKEN = [("none", "PASS", 404), ("PASS", "PASS", 404), ("ASK", "ASK", 422)]


@pytest.mark.parametrize(("part", "verdict", "status"), NOT_TAKEN)
async def test_only_parts_that_were_asked_about_are_judged_and_nobody_asks_again(
    tmp_path: Path, part: str, verdict: str, status: int
) -> None:
    async with line(tmp_path) as here:
        told = {one["value"]["verdict"]: one["seq"] for one in (await here.get("inspections"))["inspections"]}
        seq = told.get(part, 10**6)
        assert (await here.judge(seq, verdict, 0)).status_code == status
        assert await here.judged() == both(2, 3, 1)
        assert len(await here.asked()) == 1
