"""The engineer's pages in a browser: by keyboard, in both languages, narrow and wide, by the accessibility rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Dialog, Page, expect

from drivers.opcua import pki
from gateway.panel.roles import Role
from gateway.panel.server import create
from gateway.panel.workbench import Workbench
from tests.system.panel_bench import HEALTH, TEXT, Shown, sample_bench, showed
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView
from tests.system.test_panel_door import enter, fits
from tests.system.test_panel_pages import CHROMIUM, browser, page

__all__ = ["browser", "page"]  # fixtures
SIZES = ((360, 780), (1920, 1080))

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]


@asynccontextmanager
async def opened(
    page: Page, folder: Path, tab: str, lang: str = "en", bench: Workbench | None = None, role: Role = Role.ENGINEER
) -> AsyncIterator[SampleView]:
    """The page of somebody of that role, for as long as the block lasts."""
    known, view = people(folder / "access"), SampleView(folder)
    app = create(LINE, view, beat_s=0.2, access=known.access, bench=bench or sample_bench(folder))
    async with serving(app) as address:
        await enter(page, known, role, f"http://{address}/")
        await page.goto(f"http://{address}/?lang={lang}#{tab}")
        await expect(page.locator("main .sec").first).to_be_visible()
        yield view


async def fits_everywhere(page: Page) -> None:
    """Narrow and wide."""
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await fits(page)


async def test_health_says_how_long_the_disk_lasts_and_marks_what_is_wrong(page: Page, tmp_path: Path) -> None:
    async with opened(page, tmp_path, "health", role=Role.VIEWER):
        await expect(page.locator("[data-vital=disk]")).to_contain_text("full in 32 h")
        await expect(page.locator("[data-bad=true]")).to_have_count(1)  # 32 hours are less than a week
        await fits_everywhere(page)
    bad = replace(HEALTH, clock=replace(HEALTH.clock, synchronised=False, offset_s=None, error_s=None))
    bench = replace(sample_bench(tmp_path), health=lambda: bad)
    async with opened(page, tmp_path / "again", "health", "zh-CN", bench, Role.OPERATOR):
        await expect(page.locator("[data-vital=clock][data-bad=true]")).to_contain_text("时间服务器")
        await fits_everywhere(page)


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_the_keyboard_alone_edits_checks_applies_and_brings_back(page: Page, tmp_path: Path, lang: str) -> None:
    words = {"en": ("Check and compare", "Apply"), "zh-CN": ("检查并比较", "应用")}[lang]
    page.on("dialog", lambda asked: asked.accept())
    async with opened(page, tmp_path, "setup", lang) as view:
        editor, path = page.locator("textarea"), tmp_path / "line.toml"
        await expect(editor).to_have_value(TEXT)
        check, apply = (page.get_by_role("button", name=word, exact=True) for word in words)
        await expect(apply).to_be_disabled()
        await editor.fill(TEXT.replace('"17s"', '"soon"'))
        await check.press("Enter")
        await expect(page.locator(".mistakes li")).to_have_count(1)
        await expect(apply).to_be_disabled()
        await fits_everywhere(page)
        await editor.fill(TEXT.replace("200ms", "100ms"))
        await check.press("Enter")
        await expect(page.locator("[data-change=changed]")).to_contain_text("press1.light")
        await expect(page.locator(".diff [data-how='+']")).to_contain_text("100ms")
        await fits_everywhere(page)
        assert path.read_text() == TEXT
        await expect(apply).to_be_enabled()
        await apply.press("Enter")
        await expect(page.locator("[data-version='2']")).to_be_visible()
        await expect(page.locator("[data-waits=true]")).to_be_visible()
        assert path.read_text() == TEXT.replace("200ms", "100ms")
        await page.locator("[data-version='1'] button").press("Enter")
        await expect(editor).to_have_value(TEXT)
        await expect(apply).to_be_enabled()
        await apply.press("Enter")
        await expect(page.locator("[data-version='3']")).to_be_visible()
        await expect(page.locator("[data-waits=false]")).to_be_visible()
        assert path.read_text() == TEXT
        assert [one[0] for one in view.audited] == ["linefile_applied"] * 2


async def test_setup_is_for_engineers(page: Page, tmp_path: Path) -> None:
    async with opened(page, tmp_path, "setup", role=Role.OPERATOR):
        await expect(page.locator("nav a[href='#setup']")).to_have_count(0)
        await expect(page.locator("main")).to_contain_text("for engineers")
        await expect(page.locator("textarea")).to_have_count(0)
        await fits_everywhere(page)


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_a_certificate_is_accepted_and_removed_and_an_end_is_told(page: Page, tmp_path: Path, lang: str) -> None:
    accept, remove = {"en": ("Accept", "Remove"), "zh-CN": ("接受", "移除")}[lang]
    waiting, old = showed(tmp_path, pki.PENDING, 400), showed(tmp_path, pki.TRUSTED, 12)
    pki.own(tmp_path / "pki", "gateway3", pki.instant())
    asked: list[str] = []

    async def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    page.on("dialog", agree)
    async with opened(page, tmp_path, "setup/certificates", lang) as view:
        row = page.locator(f"[data-certificate='{waiting}']")
        await expect(row).to_contain_text("cell1")
        await expect(page.locator(f"[data-certificate='{old}'] .warn")).to_contain_text("12")
        await expect(page.locator("[data-ends=true]")).to_have_count(1)
        await expect(page.locator("section:last-of-type .certs li")).to_have_count(1)
        await fits_everywhere(page)
        await row.get_by_role("button", name=accept).press("Enter")
        await expect(page.locator(f"[data-certificate='{old}']")).to_have_count(0)  # one server, one certificate
        await expect(row.get_by_role("button")).to_have_count(1)
        assert waiting[:4] in asked[0]
        assert [one.thumbprint for one in pki.entries(tmp_path / "pki", pki.TRUSTED)] == [waiting]
        await row.get_by_role("button", name=remove).press("Enter")
        await expect(row).to_have_count(0)
        assert [one[0] for one in view.audited] == ["certificate_accepted", "certificate_removed"]
        assert waiting in view.audited[0][3]


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_a_server_and_a_unit_are_looked_at_and_a_line_is_copied(page: Page, tmp_path: Path, lang: str) -> None:
    browse, read = {"en": ("Browse", "Read"), "zh-CN": ("浏览", "读取")}[lang]
    async with opened(page, tmp_path, "setup/browse", lang, sample_bench(tmp_path, Shown())):
        await page.locator("[data-place=cell1]").get_by_role("button", name=browse).press("Enter")
        await page.locator("[data-node='ns=2;s=press1'] .into").press("Enter")
        await expect(page.locator(".path button")).to_have_text(["Objects", "press1"])
        good = page.locator("[data-node='ns=2;s=press1.good']")
        await expect(good.locator(".num")).to_have_text("1052")
        await good.locator(".small").press("Enter")
        await expect(page.locator(".copied input")).to_be_focused()
        await expect(page.locator(".copied input")).to_have_value('{ name = "good", node = "s=press1.good" },')
        await page.locator("[data-place=plc1] [name=address]").fill("HR6")
        await page.locator("[data-place=plc1]").get_by_role("button", name=read).press("Enter")
        row = page.locator("[data-register=HR6]")
        await expect(row.locator(".cell")).to_have_text(["16804", "20.5", "0", "1", "2"])
        await fits_everywhere(page)
        await row.locator(".cell").nth(1).press("Enter")
        await expect(page.locator(".copied input")).to_have_value("HR6 as f32")


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_an_engineer_takes_the_diagnostics_and_an_operator_sees_no_such_key(
    page: Page, tmp_path: Path, lang: str
) -> None:
    async with opened(page, tmp_path, "health", lang):
        async with page.expect_download() as taken:
            await page.locator("[aria-labelledby=diagnostics] button").press("Enter")
        assert (await taken.value).suggested_filename == "tanchang-diagnostics.zip"
        await fits_everywhere(page)
    async with opened(page, tmp_path / "again", "health", lang, role=Role.OPERATOR):
        await expect(page.locator("[data-vital=disk]")).to_be_visible()
        await expect(page.locator("[aria-labelledby=diagnostics]")).to_have_count(0)
