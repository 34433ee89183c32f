"""Every page by keyboard alone: Tab reaches whatever can be used, in sight and with a mark that can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from drivers.opcua import pki
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_bench import Shown, sample_bench, showed
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView
from tests.system.test_panel_door import enter
from tests.system.test_panel_pages import CHROMIUM, TABS, browser, page, turn, unfold

__all__ = ["browser", "page"]  # fixtures
PARTS = ("setup/certificates", "setup/browse", "access")
ROUNDS = 4  # a page may bring more while it is walked through

# What has had the focus is marked; `weak` has what cannot be seen to have it.
WATCH = """() => {
  window.weak = [];
  document.addEventListener("focusin", ({ target }) => {
    target.met = true;
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const box = target.getBoundingClientRect();
    const inSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    const marked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    if (!marked || !inSight) window.weak.push(target.outerHTML.slice(0, 120));
  });
}"""
UNMET = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => one.offsetParent !== null && !one.disabled && !one.met).map((one) => one.outerHTML.slice(0, 120))"""

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]


async def walked(page: Page) -> list[str]:
    """What Tab did not reach in some rounds through the page."""
    for _ in range(ROUNDS):
        left = await page.evaluate(UNMET)
        if not left:
            break
        many = await page.evaluate("document.querySelectorAll('a, button, input, select, textarea, [tabindex]').length")
        for _ in range(many + 2):
            await page.keyboard.press("Tab")
    return list(left)


async def test_tab_reaches_all_that_can_be_used_on_every_page(page: Page, tmp_path: Path) -> None:
    known, view = people(tmp_path / "access"), SampleView(tmp_path)
    showed(tmp_path, pki.PENDING, 400)
    bench = sample_bench(tmp_path, Shown())
    async with serving(create(LINE, view, beat_s=0.2, access=known.access, bench=bench)) as address:
        await enter(page, known, Role.ADMIN, f"http://{address}/")
        await page.goto(f"http://{address}/?lang=en")
        await expect(page.locator("nav a[aria-current]")).to_be_visible()
        await page.evaluate(WATCH)
        for tab in (*TABS, *PARTS):
            await turn(page, tab)
            if tab == "devices":
                await unfold(page)
            assert (tab, await walked(page)) == (tab, [])
        assert await page.evaluate("window.weak") == []


async def test_what_tab_misses_and_what_shows_no_focus_would_be_told(page: Page, tmp_path: Path) -> None:
    async with serving(create(LINE, SampleView(tmp_path), beat_s=0.2)) as address:
        await page.goto(f"http://{address}/?lang=en#plan")
        await expect(page.locator("nav a[aria-current]")).to_be_visible()
        await page.evaluate(WATCH)
        await page.evaluate("""() => {
          document.querySelector(".me").tabIndex = -1;
          const bare = new CSSStyleSheet();
          bare.replaceSync(".lang:focus-visible { outline: none }");
          document.adoptedStyleSheets = [bare];
        }""")
        (missed,) = await walked(page)
        assert 'class="me"' in missed
        weak = await page.evaluate("window.weak")
        assert weak
        assert all('class="lang"' in one for one in weak)
