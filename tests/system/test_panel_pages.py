"""The panel in a browser: what is shown equals what the view holds, and marks are never lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from agent.model import Line, LineNow, Window
from gateway import assets
from gateway.panel.server import create
from tests.system.panel_serve import serving
from tests.system.panel_view import (
    CELL1,
    FIGURES,
    LINE,
    LINE_NOW,
    MACHINES,
    TIMES,
    TRIM1,
    SampleView,
    at,
    kpi,
    samples_of,
)

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TABS = ("overview", "devices", "stops", "inspections", "plan", "faults", "ledger", "health", "setup", "machine/trim1")
REAL = False
# Cards, and utilization by its denominators.
SHOWN_ELSEWHERE = ("utilization", "first_pass_yield", "takt", "good", "utilization_calendar")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests of this module; each gets a page of its own."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that fails the test on any error in it, a refused script or style included."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    await context.close()
    assert wrong == []


@asynccontextmanager
async def shown(
    page: Page, view: SampleView, lang: str = "en", tab: str = "overview", line: Line = LINE
) -> AsyncIterator[str]:
    """The panel of `view` open in `page`, for as long as the block lasts."""
    async with serving(create(line, view, beat_s=0.2)) as address:
        await page.goto(f"http://{address}/?lang={lang}#{tab}")
        await expect(page.locator("nav a[aria-current]")).to_be_visible()
        yield address


async def turn(page: Page, tab: str) -> None:
    await page.evaluate("tab => { location.hash = tab }", tab)
    await expect(page.locator(f"html[data-answered='{tab}']")).to_be_visible()
    await expect(page.locator(f"main.tab-{tab.partition('/')[0]} .sec").first).to_be_visible()


async def unfold(page: Page) -> None:
    """Open the raw frames of every device, by key."""
    for summary in await page.locator(".wire summary").all():
        await summary.press("Enter")
    await expect(page.locator("[data-device=meter1] .frames li").first).to_be_visible()


def having(**changes: object) -> LineNow:
    return replace(LINE_NOW, **changes)  # type: ignore[arg-type]  # names and types are the test's to know


async def test_figures_of_the_page_are_the_view_s(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        values = page.locator(".figs .value .num")
        await expect(values).to_have_text(["88.2", "97.6", "18.2", "1,052"])
        await expect(page.locator(".figs .goal")).to_have_text(
            ["target 90", "target 97", "target 17.0", "target 1,189"]
        )
        await expect(page.locator(".figs .covered")).to_contain_text(["94.4 %", "98.9 %", "100 %", "100 %"])
        words = page.locator(".stations .say b:not(.mark)")
        await expect(words).to_have_text(["Running", "Stopped", "No data", "Starved", "Running"])
        await expect(page.locator("[data-machine=press1] .why")).to_have_text("die protection")


async def test_coverage_decides_how_a_figure_is_shown(page: Page, tmp_path: Path) -> None:
    low = kpi("utilization", "press1", "%", (17874.0, 20220.0, 88.4), 0.499, low=40.0, high=90.0)
    view = SampleView(tmp_path, having(figures=(low, *(f for f in FIGURES if f.machine != "press1"))))
    async with shown(page, view):
        await expect(page.locator("[data-kpi='utilization trim1 shift'] .num")).to_have_text("61–89")
        await expect(page.locator("[data-kpi='utilization trim1 shift'] .num")).to_have_class("num range")
        await expect(page.locator("[data-kpi='utilization diecast1 shift'] .num")).to_have_class("num")
        await expect(page.locator("[data-kpi='utilization press1 shift']")).to_have_text("—")


async def test_below_the_site_s_coverage_a_figure_reads_no_data_since(page: Page, tmp_path: Path) -> None:
    strict = replace(LINE, least_coverage=0.95)
    takt = kpi("takt", "", "s", (1802.0, 99.0, 18.2), 0.3, target=17.0)
    figures = (*(takt if f.name == "takt" else f for f in FIGURES), kpi("mtbf", "", "s", (900.0, 0.0, None), 1.0))
    async with shown(page, SampleView(tmp_path, having(figures=figures)), line=strict):
        await expect(page.locator(".figs .num")).to_have_text(["—", "97.6", "—", "1,052"])
        card = page.get_by_role("region", name="Utilization")
        await expect(card.locator(".excuse")).to_have_text("no data since 14:03")
        # The last station is seen again: its earlier silence has no beginning to name.
        takt_card = page.get_by_role("region", name="Takt")
        await expect(takt_card.locator(".excuse")).to_have_text("under 95 % was seen: no value")
        await expect(page.locator("[data-kpi='utilization trim1 shift']")).to_have_text("—")
    async with shown(page, SampleView(tmp_path), line=replace(LINE, least_coverage=0.0)):
        await expect(page.locator(".figs .num").first).to_have_text("88.2")


async def test_a_yield_of_few_parts_is_not_shown(page: Page, tmp_path: Path) -> None:
    few = kpi("first_pass_yield", "", "%", (28.0, 29.0, 96.6), 1.0, target=97.0)
    async with shown(page, SampleView(tmp_path, having(figures=(few,)))):
        card = page.get_by_role("region", name="First pass yield")
        await expect(card.locator(".value")).to_have_text("—")
        await expect(card.locator(".excuse")).to_have_text("n < 30, not shown")


async def test_the_sim_mark_is_on_every_page_and_in_each_group(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        await expect(page.locator(".figs .fig .mark.sim")).to_have_count(4)
        bare = page.locator(".sec:not(:has(.mark.sim))")
        await expect(bare).to_have_text(["Faults1 open"])  # nothing of it comes from a device
        for tab in TABS:
            await turn(page, tab)
            await expect(page.locator(".cap")).to_have_text("SIMsimulated")
            if tab not in ("health", "setup"):  # the gateway itself is no simulation
                await expect(page.locator("main .sec .mark.sim").first).to_be_visible()
            assert (await page.title()).startswith("SIM")


async def test_a_real_line_carries_no_sim_mark(page: Page, tmp_path: Path) -> None:
    real = having(
        simulated=REAL,
        figures=tuple(replace(f, simulated=REAL) for f in FIGURES),
        machines=tuple(replace(m, simulated=REAL) for m in MACHINES),
    )
    async with shown(page, SampleView(tmp_path, real)):
        await expect(page.locator(".figs .num").first).to_have_text("88.2")
        await expect(page.locator(".cap, .mark.sim")).to_have_count(0)


async def test_a_silent_machine_is_hatched_and_marked_stale(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        row = page.locator("[data-machine=trim1]")
        await expect(row.locator(".mark.stale")).to_contain_text("stale 29")
        await expect(row.locator(".stack")).to_have_attribute("data-lit", "unknown")
        await expect(row.locator(".lane-unknown")).to_have_count(3)
        await expect(row.locator(".cyc .num")).to_have_text("—")


async def test_a_commit_reaches_the_open_page(page: Page, tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    async with shown(page, view):
        await expect(page.locator(".figs .num").nth(3)).to_have_text("1,052")
        good = kpi("good", "", "parts", (1053.0, 1190.0, 1053.0), 1.0)
        view.commit(having(figures=tuple(good if f.name == "good" else f for f in FIGURES)))
        await expect(page.locator(".figs .num").nth(3)).to_have_text("1,053")


async def test_figures_go_stale_when_the_server_falls_silent(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        await expect(page.locator(".figs .num").first).to_have_class("num")
    await expect(page.locator(".silence")).to_contain_text("does not answer")
    await expect(page.locator(".figs .mark.stale")).to_have_count(4)
    await expect(page.locator(".figs .num").first).to_have_class("num range")
    await expect(page.locator(".figs .excuse").first).to_have_text("stopped at 14:32")
    await expect(page.locator(".stations .say b:not(.mark)")).to_have_text(["No data"] * 5)
    await expect(page.locator("[data-machine=press1] .why")).to_have_text("last seen: Stopped")
    drawn = await page.evaluate("[...document.querySelectorAll('use')].map((u) => u.getBoundingClientRect().width > 0)")
    assert all(drawn)
    assert len(drawn) > 10


async def test_the_face_of_a_figure_follows_its_coverage_at_every_edge(page: Page, tmp_path: Path) -> None:
    faces = """async ([figures, least]) => {
        const { coverageClass, face, scale } = await import("/shared/figure.js");
        return figures.map((f) => {
            const { kind, text } = face("en", f, least);
            return [coverageClass(f.coverage, least), kind, text, !!scale("en", f, least)?.box];
        });
    }"""
    shape = {
        "name": "utilization",
        "unit": "%",
        "value": 84.84,
        "low": 61.2,
        "high": 88.9,
        "denominator": 900,
        "target": 90,
    }
    edges = (1.0, 0.98, 0.9799, 0.8, 0.7999, 0.5, 0.4999, 0.0)
    async with shown(page, SampleView(tmp_path)):
        found = await page.evaluate(faces, [[{**shape, "coverage": share} for share in edges], 0.5])
        assert [f[0] for f in found] == ["full", "full", "most", "most", "part", "part", "none", "none"]
        assert [f[2] for f in found] == ["84.8"] * 4 + ["61–89"] * 2 + ["—"] * 2
        assert [f[3] for f in found] == [True] * 6 + [False] * 2
        takt = {**shape, "name": "takt", "unit": "s", "value": 17.94, "low": None, "high": None, "coverage": 0.6}
        assert await page.evaluate(faces, [[takt], 0.5]) == [["part", "seen", "17.9", False]]
        strict = await page.evaluate(faces, [[{**shape, "coverage": share} for share in edges], 0.98])
        assert [f[0] for f in strict] == ["full", "full", *["none"] * 6]


async def test_the_drawer_says_why_and_closes_by_key(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        await page.get_by_role("button", name="Why: Utilization").focus()
        await page.keyboard.press("Enter")
        drawer = page.get_by_role("dialog")
        for said in ("84,175 ÷ 95,437", "94.4 %", "83.2–88.9 %", "2026-11-20 08:00–20:00", "#48213"):
            await expect(drawer).to_contain_text(said)
        await page.keyboard.press("Escape")
        await expect(drawer).to_have_count(0)
        await expect(page.get_by_role("button", name="Why: Utilization")).to_be_focused()


async def test_devices_show_quality_age_and_what_is_stale(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path), tab="devices"):
        await expect(page.locator("[data-device=trim1] .mark.stale")).to_contain_text("stale")
        await expect(page.locator("[data-device=trim1] tr.old")).to_have_count(2)
        await expect(page.locator("[data-device=trim1] .q").first).to_have_text("bad")
        await expect(page.locator("[data-device=cell1] tr.old")).to_have_count(0)


async def test_the_language_changes_in_place_and_is_kept(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path), lang="zh-CN") as address:
        await expect(page.locator("h1")).to_have_text("电饭煲三线")
        await page.get_by_role("button", name="EN").click()
        await expect(page.locator("h1")).to_have_text("Rice cooker line 3")
        await page.goto(f"http://{address}/#plan")
        await expect(page.locator("main h2")).to_have_text("Plan")


def looked_into(folder: Path) -> SampleView:
    """A line whose trim1 can be taken apart: its figure is what its records say, its tags have samples."""
    whole = kpi("utilization", "trim1", "%", (7980.0, 7980.0, 100.0), 0.72, low=61.1, high=89.0)
    view = SampleView(folder, having(figures=(whole, *(f for f in FIGURES if f.machine != "trim1"))))
    view.tapes["trim1", "light"] = samples_of([(at("10:00"), 4.0), (at("11:55"), 4.0), (at("13:36"), 4.0)])
    view.tapes["trim1", "current"] = samples_of([(at("10:00") + s * 10**9, 8.0 + s % 7) for s in range(0, 4000, 5)])
    return view


async def test_a_station_leads_to_its_page_with_ribbon_twin_stops_and_trends(page: Page, tmp_path: Path) -> None:
    async with shown(page, looked_into(tmp_path)):
        await page.locator("[data-machine=trim1] a").click()
        await expect(page.locator(".id h2")).to_contain_text("Robot trim")
        await expect(page.locator(".id .word")).to_have_text("No data since 14:03")
        await expect(page.locator(".id .mark.stale")).to_contain_text("stale 29")
        await expect(page.locator(".day .lane-unknown")).to_have_count(3)
        await expect(page.locator(".day .unplanned")).to_have_count(2)
        await expect(page.locator(".day .sr tbody tr")).to_have_count(6)
        await expect(page.locator("[data-word=executing] b")).to_have_text("133:00")
        await expect(page.locator("[data-tag=current] canvas")).to_be_visible()
        await expect(page.locator("[data-tag=current] .lv .num")).to_have_text("13.0")
        assert await page.locator("[data-tag=current] .gap").count() > 0
        await expect(page.locator("main .sec:not(:has(.mark.sim))")).to_have_count(0)
        await expect(page.locator("main .figs .fig")).to_have_count(4)


async def test_the_overview_names_what_limits_the_line_and_each_denominator(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        await expect(page.locator(".limit .said")).to_have_text(
            "Die casting limits the line: it waits 1.2 % of its time. The next waits 3.0 points more."
        )
        await expect(page.locator("[data-waits=assembly1] .shares")).to_contain_text("Starved 8.9 %")
        presets = page.locator(".presets li")
        await expect(presets.locator(".num")).to_have_text(["88.2", "76.4", "76.4"])
        await expect(presets.nth(0)).to_contain_text("1,403 min running ÷ 1,591 min planned and observed")
        model = page.locator("[data-times=trim1] td")
        await expect(model).to_have_text(
            ["Calendar time392:05", "Planned time (PBT)337:00", "Observed243:00", "Busy time (AUBT)242:00",
             "Production time (APT)206:00", "Not seen94:00"]
        )  # fmt: skip
        await expect(page.locator(".cycles h2")).to_have_text("Cycles of the last station: Test and pack")
        others = [f.name for f in FIGURES if not f.machine and f.name not in SHOWN_ELSEWHERE]
        lines = page.locator("section:has(h2:text-is('All figures')) [data-figure]")
        assert [await line.get_attribute("data-figure") for line in await lines.all()] == others
        for button in (
            page.locator("[data-waits=assembly1] button"),
            *[line.locator("button") for line in await lines.all()],
        ):
            await button.click()
            await expect(page.get_by_role("dialog").locator(".steps")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_effectiveness_over_100_is_told_with_what_to_look_for(page: Page, tmp_path: Path) -> None:
    cause = "Look for: a takt that is set too slow, parts made in breaks, a counter that counts twice, a lamp"
    async with shown(page, SampleView(tmp_path)):
        row = page.locator("[data-figure=effectiveness]")
        await expect(row.locator(".num")).to_have_text("104.3")
        await expect(row.locator(".over")).to_contain_text(cause)
        await expect(page.locator(".over")).to_have_count(1)
        await row.locator("button").click()
        await expect(page.get_by_role("dialog").locator(".over")).to_contain_text(cause)


async def test_the_overview_can_be_of_the_hour(page: Page, tmp_path: Path) -> None:
    hour = Window("hour", "14:00", at("14:00"), at("15:00"))
    last = replace(kpi("utilization", "", "%", (600.0, 1925.0, 31.2), 1.0), window=hour)
    lived = {"shift": TIMES, "hour": tuple(replace(one, calendar=1925.0) for one in TIMES)}
    async with shown(page, SampleView(tmp_path, having(figures=(*FIGURES, last), times=lived))):
        await page.get_by_role("button", name="this hour").click()
        await expect(page.locator(".figs .num").first).to_have_text("31.2")
        await expect(page.locator(".now .sec .note")).to_have_text("14:00–15:00")
        await expect(page.locator("[data-times=trim1] td").first).to_have_text("Calendar time32:05")
        await expect(page.locator(".presets .note").last).to_have_text("The other two are told of shifts.")


async def test_rejects_by_class_open_into_their_records(page: Page, tmp_path: Path) -> None:
    view = SampleView(tmp_path, links=(CELL1, TRIM1, replace(CELL1, name="diecast1")))
    async with shown(page, view, tab="inspections"):
        await expect(page.locator("#by-defect + .note")).to_have_text("1 rejected of 3 inspected")
        row = page.locator("[data-defect=blowhole]")
        await expect(row.locator(".t")).to_have_text("100 % · with those above 100 %")
        await row.get_by_role("button").focus()
        await page.keyboard.press("Enter")
        [record] = [one for one in view.history if one.body.get("verdict") == "REJECT"]
        await expect(row.locator(".entries li")).to_have_text([f"14:31:52diecast1-001148#{record.seq}"])
        await turn(page, "machine/diecast1")
        await expect(page.locator("[data-defect=blowhole] .row .num")).to_have_text("1")
        await turn(page, "machine/trim1")
        await expect(page.locator("[data-defect]")).to_have_count(0)


async def test_the_window_of_a_machine_s_figures_can_be_the_hour(page: Page, tmp_path: Path) -> None:
    hour = Window("hour", "14:00", at("14:00"), at("15:00"))
    last = replace(kpi("utilization", "press1", "%", (600.0, 1925.0, 31.2), 1.0), window=hour)
    async with shown(page, SampleView(tmp_path, having(figures=(*FIGURES, last))), tab="machine/press1"):
        await expect(page.locator(".figs .num").first).to_have_text("88.4")
        await page.get_by_role("button", name="this hour").click()
        await expect(page.locator(".figs .num").first).to_have_text("31.2")
        await expect(page.get_by_role("button", name="this hour")).to_have_attribute("aria-pressed", "true")


async def test_three_clicks_lead_from_a_figure_to_its_raw_samples(page: Page, tmp_path: Path) -> None:
    async with shown(page, looked_into(tmp_path)):
        await page.get_by_role("button", name="Why: trim1").click()
        drawer = page.get_by_role("dialog")
        await expect(drawer.locator(".sum")).to_have_attribute("data-agrees", "true")
        await drawer.get_by_role("button", name="Running").click()
        shown_seconds = await drawer.locator(".entries b").all_text_contents()
        assert sum(int(m) * 60 + int(s) for m, s in (one.split(":") for one in shown_seconds)) == 7980
        await drawer.locator(".entries button").last.click()
        await expect(drawer.locator(".raw tr")).to_have_count(1)
        await expect(drawer.locator(".raw code")).to_have_text("4 = Running")
        await expect(drawer).to_contain_text("HR6")
        axe = assets.WEB / "node_modules" / "axe-core" / "axe.min.js"
        await page.evaluate(axe.read_text() + ";0")
        found = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]] == []


async def test_a_figure_that_its_records_do_not_give_says_so(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path)):
        await page.get_by_role("button", name="Why: trim1").click()
        await expect(page.get_by_role("dialog").locator(".sum")).to_contain_text("It differs from the figure")
