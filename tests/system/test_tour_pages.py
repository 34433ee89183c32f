"""The tour's pages in a browser: what is shown equals what was said, marks stay, nothing overflows."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.tour.display import Display
from gateway.tour.server import create
from gateway.tour.settings import Settings
from tests import tour_line as line
from tests.system.panel_serve import serving

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WIDE, TALL = (1920, 1080), (1080, 1920)
PAGES = [("board", WIDE), ("board", TALL), ("overlay-16x9", WIDE), ("overlay-9x16", TALL)]
SETTINGS = Settings("127.0.0.1", 1, line.PATH, capability="loopback")
TREES = {"hall": "tanchang/v1", "public": "tanchang-public/v1"}

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all
chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed")


class Stage:
    """A display, the clock it lives by, and the address it is served at."""

    def __init__(self, profile: str = "hall", delay_s: float = 0.0) -> None:
        self.now, self.profile = 1000.0, profile
        self.display = Display(line.PATH, profile, delay_s, lambda: self.now)
        self.address = ""

    def say(self, messages: list[line.Message]) -> None:
        self.now += 0.3  # a document younger than that is not made anew
        for topic, payload in line.wire(messages):
            self.display.take(topic.replace("tanchang/v1", TREES[self.profile]), payload, retained=False)

    def page(self, name: str, query: str = "lang=en") -> str:
        return f"http://{self.address}/t/loopback/{name}?{query}"


@asynccontextmanager
async def staged(profile: str = "hall", delay_s: float = 0.0) -> AsyncIterator[Stage]:
    stage = Stage(profile, delay_s)
    async with serving(create(SETTINGS, stage.display)) as stage.address:
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, address: str, size: tuple[int, int] = WIDE) -> AsyncIterator[Page]:
    """A drawn page; fails the test on any error or refusal in it."""
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    await page.goto(address)
    await page.locator("html[data-drawn]").wait_for()
    yield page
    await page.close()
    assert wrong == []


@chromium
async def test_the_board_shows_the_counts_and_figures_of_the_messages_and_marks_them_all(browser: Browser) -> None:
    async with staged() as stage:
        stage.say(line.whole())
        async with opened(browser, stage.page("board")) as page:
            for name, (good, scrap) in line.COUNTS.items():
                station = page.locator(f"li[data-machine={name}]")
                await expect(station).to_have_attribute("data-good", str(good))
                await expect(station).to_have_attribute("data-scrap", str(scrap))
                await expect(station.locator(".c b")).to_have_text([f"{good:,}", f"{scrap:,}"])
            await expect(page.locator(".hero .val .num")).to_have_text(["88.2", "97.6", "18.2"])
            await expect(page.locator("#counts .counts .num")).to_have_text(["1,109", "27", "12"])
            await expect(page.locator("li .word")).to_have_text(["Running", "Stopped", "No data", "Starved", "Running"])
            for group in (".tower", ".hero", "li.st", "#part", "#counts", "#jobs"):
                assert await page.locator(group).count() == await page.locator(f"{group} [data-mark=sim]").count()


@chromium
async def test_a_count_moves_on_the_page_when_a_message_says_so(browser: Browser) -> None:
    async with staged() as stage:
        stage.say(line.whole())
        async with opened(browser, stage.page("board")) as page:
            messages = line.machine("press1", line.GOOD["press1"])
            messages[0][1]["value"]["good"] = 1111
            stage.say(messages)
            station = page.locator("li[data-machine=press1]")
            await expect(station).to_have_attribute("data-good", "1111")
            await expect(station.locator(".word")).to_have_text("Running")
            await expect(station.locator(".c b").first).to_have_text("1,111")


@chromium
async def test_a_stale_line_is_drawn_as_not_seen_and_heals(browser: Browser) -> None:
    async with staged() as stage:
        stage.say(line.whole(line.GOOD))
        async with opened(browser, stage.page("board")) as page:
            await expect(page.locator("[data-lamp=green]")).to_have_attribute("data-count", "5")
            stage.now += 7
            await expect(page.locator("[data-lamp=foot]")).to_have_attribute("data-count", "5")
            await expect(page.locator(".hero [data-mark=stale]")).to_have_text(["stopped 14:32"] * 3)
            assert await page.locator("#takt .val .num").evaluate("e => getComputedStyle(e).fontWeight") == "400"
            stage.say(line.whole(line.GOOD))
            await expect(page.locator("[data-lamp=green]")).to_have_attribute("data-count", "5")
            await expect(page.locator("[data-mark=stale]")).to_have_count(0)


@chromium
async def test_a_yield_of_few_parts_says_why_it_is_hidden(browser: Browser) -> None:
    async with staged() as stage:
        topic, payload = line.line_figures()
        payload["value"][1] |= {"denominator": 12.0}
        stage.say([line.heartbeat(), (topic, payload)])
        async with opened(browser, stage.page("board")) as page:
            await expect(page.locator("#first_pass_yield .val")).to_have_text("—under 30 parts, hidden")
            await expect(page.locator("#first_pass_yield .den")).to_contain_text("n = 12")


@chromium
@pytest.mark.parametrize("profile", ["hall", "public"])
async def test_below_the_site_s_coverage_a_figure_says_since_when_there_is_no_data(
    browser: Browser, profile: str
) -> None:
    async with staged(profile) as stage:
        stage.say([*line.whole(), line.heartbeat(least=0.95)])
        async with opened(browser, stage.page("board")) as page:
            await expect(page.locator("#utilization .val")).to_have_text("—no data since 14:03")
            await expect(page.locator("#first_pass_yield .val .num")).to_have_text("97.6")
            await expect(page.locator("li[data-machine=trim1] .u .num")).to_have_text("—")
            assert await spills(page) == []


@chromium
async def test_an_overlay_lets_the_picture_through_but_never_hides_its_marks(browser: Browser) -> None:
    async with staged("public", 30.0) as stage:
        stage.say(line.whole())
        stage.now += 31
        for query in ("lang=en", "lang=en&bg=solid&guides=1", "lang=en&sim=0&marks=0&bg=none"):
            async with opened(browser, stage.page("overlay-16x9", query)) as page:
                await expect(page.locator("[data-mark=sim]")).to_have_count(5)
                await expect(page.locator("[data-mark=delayed]").first).to_be_visible()
                shot = Image.open(io.BytesIO(await page.screenshot(omit_background=True))).convert("RGBA")
                assert (shot.getpixel((3, 3)) == (0, 0, 0, 0)) == ("bg=solid" not in query)


@chromium
async def test_a_page_that_hears_nothing_more_shows_itself_as_not_seen(browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
    await page.clock.install()
    async with staged() as stage:
        stage.say(line.whole(line.GOOD))
        await page.goto(stage.page("board"))
        await expect(page.locator("[data-lamp=green]")).to_have_attribute("data-count", "5")
    await page.clock.fast_forward("00:16")
    await expect(page.locator("[data-lamp=foot]")).to_have_attribute("data-count", "5")
    await expect(page.locator("#story")).to_contain_text("Data stopped at 14:32")
    await page.close()


@chromium
async def test_figures_wait_two_seconds_between_changes_and_the_newest_wins(browser: Browser) -> None:
    paced = """async () => {
      const { calm } = await import("/tour/calm.js");
      let now = 10000, timers = [], shown = [];
      const pace = calm(2000, () => now, (job, ms) => timers.push([now + ms, job]));
      const put = (v, atOnce) => pace(v, (it) => shown.push([now, it, v]), atOnce);
      const run = (to) => { now = to; timers = timers.filter(([at, job]) => (at <= now ? job() : true)); };
      put(1); put(1); run(10500); put(2); run(11000); put(3); run(12000); run(16000); put(4); run(16100); put(5, true);
      return shown;
    }"""
    async with staged() as stage, opened(browser, stage.page("board")) as page:
        shown = await page.evaluate(paced)
        assert shown == [[10000, 1, 1], [12000, 3, 3], [16000, 4, 4], [16100, 5, 5]]


@chromium
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_nothing_overflows_in_any_state_at_any_size(browser: Browser, lang: str) -> None:
    async with staged() as stage:
        for name, size in PAGES:
            async with opened(browser, stage.page(name, f"lang={lang}"), size) as page:
                assert await spills(page) == []
                stage.say(line.whole(coverage=0.6, low=41.0, high=88.0))
                await page.locator("[data-machine=press1][data-state=stopped]").wait_for()
                assert await spills(page) == []
                stage.now += 7
                await page.locator("[data-machine=press1][data-state=unknown]").wait_for()
                assert await spills(page) == []
        assert stage.display.document()["marks"]["stale"]


SPILLS = """() => [...document.querySelectorAll('body *')].filter((e) => {
  if (e.closest('svg') || !e.clientWidth) return false;
  const [box, style] = [e.getBoundingClientRect(), getComputedStyle(e)];
  const words = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
  const wide = style.display !== 'inline' && e.scrollWidth > e.clientWidth + 1;
  const out = box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
  return wide || out || (words && parseFloat(style.fontSize) < 24);
}).map((e) => `${e.tagName}.${e.className} ${e.scrollWidth}>${e.clientWidth} ${e.textContent.slice(0, 40)}`)"""


async def spills(page: Page) -> list[str]:
    """Elements wider than their box, or outside of the picture; type smaller than the design's least."""
    found: list[str] = await page.evaluate(SPILLS)
    return found


async def test_without_the_capability_there_is_nothing() -> None:
    async with staged() as stage, httpx.AsyncClient(base_url=f"http://{stage.address}") as client:
        for address in ("/", "/t/wrong/board", "/t/loopback/other", "/tour/../server.py", "/lib/nothing.mjs", "/docs"):
            assert (await client.get(address)).status_code == 404
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{stage.address}/t/wrong/ws/v1")
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{stage.address}/t/loopback/ws/v1", origin="http://elsewhere.example")  # type: ignore[arg-type]  # a str NewType


async def test_pages_are_never_cached_unasked_and_carry_a_policy() -> None:
    async with staged() as stage, httpx.AsyncClient() as client:
        first = await client.get(stage.page("board"))
        assert first.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in first.headers["content-security-policy"]
        again = await client.get(stage.page("board"), headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 304
