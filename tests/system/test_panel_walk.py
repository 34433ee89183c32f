"""Every page of the panel, walked through: narrow and wide, in both languages, by keyboard, before a real ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from gateway import assets
from gateway.panel.server import create
from tests.system.panel_serve import serving
from tests.system.panel_view import FIGURES, LINE, SampleView, kpi
from tests.system.test_panel_drill import panel_of_press1
from tests.system.test_panel_pages import CHROMIUM, TABS, browser, having, looked_into, page, shown, turn, unfold

__all__ = ["browser", "page"]  # fixtures
AXE = (assets.WEB / "node_modules" / "axe-core" / "axe.min.js").read_text() + ";0"
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
DIGITS = {"%": 1, "s": 1, "kWh": 3}
# Text that ends at the edge of its box without saying so.
CUT = """() => [...document.querySelectorAll("body *:not(.sr)")].filter((e) => {
  const style = getComputedStyle(e);
  const cuts = style.overflowX === "hidden" && style.textOverflow !== "ellipsis";
  return cuts && e.textContent && e.scrollWidth > e.clientWidth + 1;
}).map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`)"""

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]


@pytest.mark.parametrize(
    ("width", "lang", "scheme"),
    [(360, "zh-CN", "light"), (360, "en", "dark"), (1920, "zh-CN", "dark"), (1920, "en", "light")],
)
async def test_every_page_fits_its_screen_and_the_accessibility_rules(
    page: Page, tmp_path: Path, width: int, lang: str, scheme: str
) -> None:
    await page.set_viewport_size({"width": width, "height": 1080 if width > 1000 else 780})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    async with shown(page, looked_into(tmp_path), lang=lang):
        await page.evaluate(AXE)
        for tab in TABS:
            await turn(page, tab)
            if tab == "devices":
                await unfold(page)
            wide, room = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert (tab, wide) == (tab, room)
            assert (tab, await page.evaluate(CUT)) == (tab, [])
            found = await page.evaluate(RULES)
            assert [(tab, v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]] == []


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_no_page_is_wider_than_a_tablet(page: Page, tmp_path: Path, lang: str) -> None:
    await page.set_viewport_size({"width": 1024, "height": 780})
    async with shown(page, SampleView(tmp_path), lang=lang):
        for tab in TABS:
            await turn(page, tab)
            wide, room = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert (tab, wide) == (tab, room)


# What may take the focus, numbered in the order it stands there.
NUMBERED = """() => {
  const takes = "a[href], button, input, select, textarea, summary, [tabindex]";
  const all = [...document.querySelectorAll(takes)];
  const found = all.filter((e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility());
  found.forEach((e, i) => { e.dataset.walk = i; });
  document.activeElement?.blur();
  return found.length;
}"""
FOCUSED = """() => {
  const e = document.activeElement;
  const seen = getComputedStyle(e).outlineStyle !== "none" || getComputedStyle(e).boxShadow !== "none";
  return [Number(e.dataset.walk ?? -1), seen, e.getBoundingClientRect().width > 0];
}"""


async def test_every_control_of_every_page_is_reached_by_tab_and_shows_the_focus(page: Page, tmp_path: Path) -> None:
    await page.set_viewport_size({"width": 360, "height": 780})
    async with shown(page, looked_into(tmp_path), lang="zh-CN"):
        for tab in TABS:
            await turn(page, tab)
            if tab == "devices":
                await unfold(page)
            count, reached = await page.evaluate(NUMBERED), {}
            for _ in range(2 * count + 10):  # the walk begins where the page was left, and passes the browser's own bar
                await page.keyboard.press("Tab")
                number, seen, there = await page.evaluate(FOCUSED)
                reached[number] = seen and there
                if len(reached.keys() - {-1}) == count:
                    break
            reached.pop(-1, None)
            assert (tab, reached) == (tab, dict.fromkeys(reached, True))
            assert (tab, sorted(reached)) == (tab, list(range(count)))


async def test_every_figure_shown_is_the_sum_of_the_ledger_s_records(page: Page, tmp_path: Path) -> None:
    async with panel_of_press1(tmp_path) as address, httpx.AsyncClient(base_url=f"http://{address}/api/v1") as client:
        seen = set()
        for place in ("overview", "machine/press1"):
            await page.goto(f"http://{address}/?lang=en#{place}")
            await expect(page.locator(".all .value").first).to_be_visible()
            for shown_ in await page.locator("main .value").all():
                key = await shown_.get_attribute("data-kpi") or ""
                name, machine, window = key.split(" ")
                asked = {"name": name, "machine": machine, "window": window}
                told = (await client.get("/explain", params=asked)).json()
                assert (key, told["agrees"]) == (key, True)
                await expect(shown_.locator(".num")).to_have_text(_written(told))
                seen.add(key)
        assert len(seen) > 40
        await page.locator("[data-figure=effectiveness] .fv").click()
        await expect(page.locator(".drawer .sum")).to_have_attribute("data-agrees", "true")


def _written(told: dict[str, object]) -> list[str]:
    """A figure as a page writes it, from the records' sums alone."""
    figure, above, below = told["figure"], told["numerator"], told["denominator"]
    assert isinstance(figure, dict)
    assert isinstance(above, float | int)
    assert isinstance(below, float | int)
    few = figure["name"] == "first_pass_yield" and below < 30
    if not below or few or figure["coverage"] < 0.5:
        return ["—"]
    unit = figure["unit"]
    value = above if unit in ("parts", "stops") else above / below * (100 if unit == "%" else 1)
    if 0.5 <= figure["coverage"] < 0.8 and unit == "%" and figure["low"] is not None:
        return [f"{figure['low'] // 1:,.0f}–{-(-figure['high'] // 1):,.0f}"]
    return [f"{value:,.{DIGITS.get(unit, 0)}f}"]


async def test_a_page_heals_once_the_gateway_is_back(page: Page, tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    async with shown(page, view) as address:
        await expect(page.locator(".figs .num").nth(3)).to_have_text("1,052")
    await expect(page.locator(".figs .mark.stale")).to_have_count(4)
    for tab in TABS:
        await turn(page, tab)
        await expect(page.locator(".silence p")).to_be_visible()
    await turn(page, "overview")
    good = replace(kpi("good", "", "parts", (1060.0, 1190.0, 1060.0), 1.0), time=view.line_now.time)
    view.commit(having(figures=tuple(good if f.name == "good" else f for f in FIGURES)))
    async with serving(create(LINE, view, beat_s=0.2), int(address.rpartition(":")[2])):
        await expect(page.locator(".figs .num").nth(3)).to_have_text("1,060", timeout=20_000)
        await expect(page.locator(".figs .num").nth(3)).to_have_class("num")
        await expect(page.locator(".silence p, .figs .mark.stale")).to_have_count(0)
        await expect(page.locator(".stations .say b:not(.mark)")).to_have_text(
            ["Running", "Stopped", "No data", "Starved", "Running"]
        )
