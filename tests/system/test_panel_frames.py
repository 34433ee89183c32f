"""Raw frames on the panel: what the view holds is what comes out, newest first, and stands still while it is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from gateway.panel.server import create
from tests.system.panel_frames import FRAMES
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView
from tests.system.test_panel_pages import CHROMIUM, browser, page, shown, unfold

__all__ = ["browser", "page"]  # fixtures
in_a_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed")

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_frames_come_newest_first_with_octets_and_what_they_are(tmp_path: Path) -> None:
    async with (
        serving(create(LINE, SampleView(tmp_path))) as address,
        httpx.AsyncClient(base_url=f"http://{address}/api/v1/devices", trust_env=False) as client,
    ):
        told = (await client.get("meter1/frames")).json()
        assert (told["device"], told["sim"], told["broken"]) == ("meter1", True, None)
        assert told["last"][2] == {
            "time": "2026-11-20T06:31:41.210Z",
            "sent": False,
            "size": 9,
            "octets": "00120000000" + "30a8302",
            "parts": [
                {"word": "transaction", "id": "18"},
                {"word": "unit", "unit": 10},
                {"word": "exception", "code": 2},
            ],
        }
        assert [one["sent"] for one in told["refused"]] == [False, True]
        broken = (await client.get("trim1/frames")).json()["broken"]
        assert broken["time"] == "2026-11-20T06:03:00.013Z"
        assert "did not answer within 2 s" in broken["why"]
        assert [one["octets"] for one in broken["frames"]] == [one.octets.hex() for one in FRAMES["trim1"].before[::-1]]
        assert (await client.get("nobody/frames")).status_code == 404


@in_a_browser
async def test_the_page_says_what_each_frame_is(page: Page, tmp_path: Path) -> None:
    async with shown(page, SampleView(tmp_path), tab="devices"):
        await expect(page.locator(".frames")).to_have_count(0)
        await unfold(page)
        meter, cell, trim = (page.locator(f"[data-device={name}] .wire") for name in ("meter1", "cell1", "trim1"))
        await expect(meter.locator("li :is(b, p)")).to_have_text(
            [
                "19 · unit 10 · 12 registers",
                "19 · unit 10 · read holding registers HR119 ×12",
                "18 · unit 10 · exception 2 illegal data address",
                "18 · unit 10 · read holding registers HR118 ×2",
            ]
        )
        wrong = meter.locator("li").nth(2)
        await expect(wrong.locator("b")).to_have_count(1)
        await expect(wrong.locator(".way")).to_have_text("↓ received")
        await expect(wrong.locator(".t").first).to_have_text("14:31:41.210")
        await expect(wrong.locator("code")).to_have_text("00 12 00 00 00 03 0A 83 02")
        await expect(cell.locator("li p").nth(2)).to_have_text("PublishResponse · sequence 814 · 212 values")
        await expect(cell.locator("li p").nth(3)).to_have_text("PublishRequest · acknowledges 813")
        await expect(cell).to_contain_text("they are shown decrypted")
        await expect(cell.locator("li code").nth(2)).to_contain_text("+ 4,686 more")
        await cell.get_by_role("button", name="More octets").click()
        await expect(cell.locator("li code").nth(2)).to_contain_text("+ 4,474 more")
        await expect(trim.locator(".mark.sim")).to_be_visible()
        await expect(trim.locator(".mark.stale")).to_contain_text("stale")
        await expect(cell.locator(".mark.stale")).to_have_count(0)


@in_a_browser
async def test_what_was_refused_and_what_came_before_a_break_have_a_place_of_their_own(
    page: Page, tmp_path: Path
) -> None:
    async with shown(page, SampleView(tmp_path), lang="zh-CN", tab="devices"):
        await unfold(page)
        await page.locator("[data-device=meter1]").get_by_role("button", name="被拒绝 1").click()
        await expect(page.locator("[data-device=meter1] .frames li b")).to_have_text(
            "18 · 单元 10 · 异常码 2 非法数据地址"
        )
        trim = page.locator("[data-device=trim1]")
        await expect(trim.locator(".frames li")).to_have_count(6)
        await trim.get_by_role("button", name="断线前 5").click()
        await expect(trim.locator(".frames li")).to_have_count(5)
        await expect(trim.locator(".wire")).to_contain_text("连接于 14:03:00.013 中断")
        await expect(page.locator("[data-device=cell1]").get_by_role("button", name="断线前")).to_have_count(0)


@in_a_browser
async def test_frames_follow_the_wire_until_they_are_held(page: Page, tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    last = FRAMES["meter1"].last
    async with shown(page, view, tab="devices"):
        await unfold(page)
        meter = page.locator("[data-device=meter1] .wire")
        view.wires["meter1"] = replace(FRAMES["meter1"], last=last[:3])
        await expect(meter.locator("li")).to_have_count(3)
        hold = meter.get_by_role("button", name="Hold")
        await hold.focus()
        await page.keyboard.press("Enter")
        await expect(hold).to_have_attribute("aria-pressed", "true")
        view.wires |= {"meter1": replace(FRAMES["meter1"], last=last[:1]), "cell1": replace(FRAMES["cell1"], last=())}
        await expect(page.locator("[data-device=cell1] .wire")).to_contain_text("No frame yet")
        await expect(meter.locator("li")).to_have_count(3)
        await hold.click()
        await expect(meter.locator("li")).to_have_count(1)
        small = "[...document.querySelectorAll('.wire :is(summary, button)')].filter((e) => e.offsetHeight < 44).length"
        assert await page.evaluate(small) == 0
        await meter.locator("summary").press("Enter")
        await expect(page.locator("[data-device=meter1] .frames")).to_have_count(0)
