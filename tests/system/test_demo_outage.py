"""A Modbus server that goes away in a running demo: unknown and unseen on every screen; then it heals."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from agent.demo.run import Demo, Settings

MODBUS = {"press1", "assembly1"}
SILENT = MODBUS | {"meter1"}
OUTER_S = 60.0  # each wait is over with its event; this is for a machine that is far too busy
COUNTS = "all => Object.fromEntries(all.map(({dataset: d}) => [d.machine, {good: +d.good, scrap: +d.scrap}]))"
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")


def words(document: Mapping[str, Any]) -> dict[str, str]:
    return {machine["name"]: machine["word"] for machine in document["machines"]}


def unknown(document: Mapping[str, Any]) -> set[str]:
    return {name for name, word in words(document).items() if word == "unknown"}


def coverage(document: Mapping[str, Any], machine: str) -> float:
    figure = next(one["utilization"] for one in document["machines"] if one["name"] == machine)
    return float(figure["coverage"]) if figure else 0.0


async def board_page(browser: Browser, demo: Demo) -> Page:
    page = await browser.new_page(viewport={"width": 1920, "height": 1080})
    await page.goto(f"{demo.addresses['board']}?lang=en")
    await page.wait_for_selector("[data-machine=press1][data-good]")
    return page


async def panel(demo: Demo, what: str) -> dict[str, Any]:
    def get() -> Any:
        with urllib.request.urlopen(f"{demo.addresses['panel']}api/v1/{what}", timeout=10) as answer:
            return json.load(answer)

    document: dict[str, Any] = await asyncio.to_thread(get)
    return document


async def panel_shows(demo: Demo, what: str, condition: Callable[[dict[str, Any]], bool]) -> None:
    """Ask the panel until it does."""
    async with asyncio.timeout(OUTER_S):
        while not condition(await panel(demo, what)):  # noqa: ASYNC110 - an answer tells only when asked
            await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_an_outage_is_shown_as_unknown_and_heals_by_itself(tmp_path: Path) -> None:
    wanted = Settings(duration=60.0, speed=20.0, seed=3, report=None, data=None, kill_at=None, tamper=None)
    async with AsyncExitStack() as stack, async_playwright() as playwright:
        demo = Demo(wanted, tmp_path, stack)
        async with asyncio.timeout(OUTER_S):
            await demo.start()
            await demo.board.shows(lambda document: words(document)["testpack1"] == "executing")
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        page = await board_page(browser, demo)

        await demo.plant.tell("modbus off")
        async with asyncio.timeout(OUTER_S):
            await demo.board.shows(lambda document: unknown(document) == MODBUS)
        before = coverage(demo.board.document, "press1")
        async with asyncio.timeout(OUTER_S):
            await demo.board.shows(lambda document: coverage(document, "press1") < before - 0.02)
        assert words(demo.board.document)["diecast1"] != "unknown"
        station = await page.wait_for_selector("[data-machine=press1][data-state=unknown]")
        assert station is not None
        assert re.search(r"not seen since\s+\d\d:\d\d", await station.inner_text())
        await panel_shows(demo, "faults", lambda one: {fault["source"] for fault in one["faults"]} == SILENT)
        devices = {one["name"]: one for one in (await panel(demo, "devices"))["devices"]}
        assert {name for name, one in devices.items() if not one["connected"]} == SILENT
        assert {tag["quality"] for tag in devices["press1"]["tags"]} == {"bad"}
        assert {tag["quality"] for tag in devices["cell1"]["tags"]} == {"good"}
        faults = (await panel(demo, "faults"))["faults"]
        assert all(fault["remedy"] for fault in faults)

        await demo.plant.tell("modbus on")
        async with asyncio.timeout(OUTER_S):
            await demo.board.shows(lambda document: not unknown(document))
        await page.wait_for_selector("[data-machine=press1]:not([data-state=unknown])")
        await panel_shows(demo, "faults", lambda one: one["faults"] == [])

        report = await demo.judge()
        shown = await page.eval_on_selector_all("[data-machine][data-good]", COUNTS)
        await browser.close()
    assert report["differences"] == []
    assert shown == report["made"]
    assert {gap["what"] for gap in report["gaps"]} == SILENT
    assert all((seconds > 0) == (name in MODBUS) for name, seconds in report["unknown_seconds"].items())
