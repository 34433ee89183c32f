"""What the panel costs and how fast it shows: first paint of a cold browser, PLC to pixel, memory beside the agent.

There is no peer: each figure is held to a bound of its own. The agent runs as shipped; the browser is chromium on the
same machine, so both share its cores.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from playwright.async_api import Browser, Page, async_playwright

from agent.demo.stage import Process, free_port, running
from tests.bench.result import Result, Target

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
COLD_STARTS = 7
TURNS = 40
SEED = 20261122
PAUSE_S = (1.2, 1.8)  # longer than a turn takes to be seen, and in no step with anybody's period
SETTLE_S = 8.0
PANEL = '[panel]\nlisten = "127.0.0.1:{port}"\nguests = true\n'
LINE = """site = "bench"
area = "bench"
line = "bench"
takt = "1s"
{panel}
[[device]]
name = "plc"
driver = "opcua"
url = "{url}"
namespace = "urn:tanchang:bench"
security = "none"
tag = [
  {{ name = "light", node = "s=light", datatype = "u32" }},
  {{ name = "good", node = "s=good", datatype = "u32" }},
]
[[machine]]
name = "machine1"
good = "plc.good"
state = {{ tag = "plc.light", executing = [4], stopped = [1] }}
"""
# What stands in the frame after the one in which the word changed is on the screen.
WATCH = """() => {
  window.turned = [];
  const word = () => document.querySelector("[data-machine=machine1] .say b")?.textContent ?? "";
  let last = word();
  const look = () => {
    const now = word();
    if (now !== last) requestAnimationFrame((at) => turned.push((performance.timeOrigin + at) / 1000));
    last = now;
    requestAnimationFrame(look);
  };
  look();
}"""
PAINTED = """() => new Promise((done) => new PerformanceObserver((list, observer) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) { observer.disconnect(); done(paint.startTime / 1000); }
}).observe({ type: "paint", buffered: true }))"""


@asynccontextmanager
async def _agent(folder: Path, url: str, port: int | None) -> AsyncIterator[Process]:
    """An agent that reads the PLC, with a panel where there is a port."""
    name = "panel" if port else "bare"
    path = folder / f"{name}.toml"
    path.write_text(LINE.format(url=url, panel=PANEL.format(port=port) if port else ""), encoding="utf-8")
    arguments = ["run", str(path), "--data", str(folder / name)]
    async with running(name, "agent.cli", arguments, folder / f"{name}.log") as agent:
        await agent.event("first_value")
        yield agent


async def _memory(agent: Process) -> float:
    """RSS in MB once it has settled."""
    await asyncio.sleep(SETTLE_S)
    return psutil.Process(agent.child.pid).memory_info().rss / 2**20


async def _first_paints(browser: Browser, address: str) -> list[float]:
    """Seconds from asking for the page to its first content, each time with nothing cached; sorted."""
    found = []
    for _ in range(COLD_STARTS):
        context = await browser.new_context(viewport={"width": 1920, "height": 1080})
        page = await context.new_page()
        await page.goto(address)
        found.append(await page.evaluate(PAINTED))
        await page.locator("[data-machine=machine1]").wait_for()
        await context.close()
    return sorted(found)


async def _plc_to_pixel(page: Page, plc: Process) -> list[float]:
    """Seconds from a write in the PLC to the frame that shows it, sorted; every turn must have been seen."""
    pauses = random.Random(SEED)
    await page.evaluate(WATCH)
    turned = []
    for _ in range(TURNS):
        await plc.tell("turn")
        turned.append((await plc.event("turned"))["at"])
        await asyncio.sleep(pauses.uniform(*PAUSE_S))
    seen: list[float] = await page.evaluate("turned")
    if len(seen) != len(turned):
        raise AssertionError(f"{len(turned)} turns, {len(seen)} on the page: one took longer than {PAUSE_S[0]} s")
    return sorted(on_page - at for at, on_page in zip(turned, seen, strict=True))


def _at(found: Sequence[float], share: float) -> float:
    """By nearest rank, of sorted ones."""
    return found[min(len(found) - 1, int(share * len(found)))]


async def measure() -> Result:
    """The agent without and with a panel, one after the other, before the same PLC."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        async with running("plc", "tests.bench.panel_plc", [], folder / "plc.log") as plc:
            url = str((await plc.event("ready"))["url"])
            async with _agent(folder, url, None) as agent:
                bare = await _memory(agent)
            async with _agent(folder, url, port) as agent, async_playwright() as driver:
                browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
                address = f"http://127.0.0.1:{port}/?lang=en"
                paints = await _first_paints(browser, address)
                page = await browser.new_page(viewport={"width": 1920, "height": 1080})
                await page.goto(address)
                await page.locator("[data-machine=machine1] .say b").wait_for()
                delays = await _plc_to_pixel(page, plc)
                shown = await _memory(agent)
                await browser.close()
    figures = {
        "first paint, cold": {"median s": _at(paints, 0.5), "worst s": paints[-1]},
        "PLC to pixel": {"median s": _at(delays, 0.5), "p95 s": _at(delays, 0.95), "worst s": delays[-1]},
        "agent": {"RSS MB": bare},
        "agent, panel, one page open": {"RSS MB": shown},
    }
    targets = [
        Target("first paint on a cold cache over loopback, worst, s", paints[-1], 1.0),
        Target("PLC state change to panel pixel, p95, s", _at(delays, 0.95), 1.0),
        Target("RSS of the panel beside the agent, MB", shown - bare, 50.0),
    ]
    return Result("panel", figures, targets)
