"""The panel of the running demo in a browser: every page fits, every figure is the sum of the ledger's records.

Pictures of all pages are left in artifacts/panel.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.system.test_panel_pages import CHROMIUM, TABS, browser, page, turn

__all__ = ["browser", "page"]  # fixtures
ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "artifacts" / "panel"
PAGES = (*(tab for tab in TABS if not tab.startswith("machine")), "machine/diecast1")
OPENED = "main .whys, main .all .fv"

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def panel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of the panel of a demo that runs for as long as the tests do."""
    folder = tmp_path_factory.mktemp("demo")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", "demo", "--for", "600s", "--speed", "20", "--data", str(folder)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        while not (line := (await child.stdout.readline()).decode()).startswith("panel"):
            assert line, "the demo ended before it had a panel"
        yield line.split()[1]
    finally:
        child.terminate()
        await child.communicate()


@pytest.mark.parametrize(("width", "lang"), [(360, "zh-CN"), (360, "en"), (1920, "zh-CN"), (1920, "en")])
async def test_every_page_of_the_demo_fits_its_screen(page: Page, panel: str, width: int, lang: str) -> None:
    await page.set_viewport_size({"width": width, "height": 1080 if width > 1000 else 780})
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.goto(f"{panel}?lang={lang}")
    await expect(page.locator(".cap")).to_contain_text("SIM", timeout=30_000)
    for tab in PAGES:
        await turn(page, tab)
        if tab == "devices":
            await page.locator(".wire summary").first.click()
            await expect(page.locator(".frames li").first).to_be_visible()
        await page.screenshot(path=PICTURES / f"{tab.replace('/', '-')}-{lang}-{width}.png", full_page=True)
        wide, room = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert (tab, wide) == (tab, room)


async def test_every_figure_of_the_demo_is_the_sum_of_its_records(page: Page, panel: str) -> None:
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{panel}?lang=en")
    await expect(page.locator("[data-figure=oee]")).to_be_visible(timeout=30_000)
    names = [await one.get_attribute("aria-label") for one in await page.locator(OPENED).all()]
    assert len(names) > 20
    for name in names:
        await page.get_by_role("button", name=name, exact=True).click()
        await expect(page.locator(".drawer .sum")).to_have_attribute("data-agrees", "true")
        await page.keyboard.press("Escape")
        await expect(page.locator(".drawer")).to_have_count(0)
