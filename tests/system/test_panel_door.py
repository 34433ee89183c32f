"""The door in a browser: first admin, users, an operator's PIN; by keyboard, in both languages, narrow and wide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from agent.model import Decision, Kind, Record, Verdict
from gateway import assets
from gateway.panel.access import Access
from gateway.panel.roles import Role
from gateway.panel.server import create
from gateway.panel.users import Users
from gateway.payload import reason_body
from tests.system.panel_people import NO_SECRET, People, people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SIM, SampleView
from tests.system.test_panel_pages import CHROMIUM, browser, page

__all__ = ["browser", "page"]  # fixtures
AXE = assets.WEB / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]


async def fits(page: Page) -> None:
    """Nothing is wider than the screen, and the accessibility rules hold."""
    wide, room = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide == room
    await page.evaluate(AXE.read_text() + ";0")
    found = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]] == []


async def typed(page: Page, *words: str) -> None:
    """Into the field that has the focus, then on to the next; Enter after the last."""
    for word in words:
        await page.keyboard.type(word)
        await page.keyboard.press("Tab" if word is not words[-1] else "Enter")


async def enter(page: Page, known: People, role: Role, url: str) -> None:
    """Be somebody of that role."""
    name, _, value = known.headers(role)["cookie"].partition("=")
    await page.context.add_cookies([{"name": name, "value": value, "url": url}])


@asynccontextmanager
async def gateway(folder: Path, access: Access) -> AsyncIterator[tuple[str, SampleView]]:
    view = SampleView(folder)
    async with serving(create(LINE, view, beat_s=0.2, access=access)) as address:
        yield f"http://{address}/", view


async def test_the_keyboard_alone_makes_the_first_admin_and_an_operator_who_logs_in(page: Page, tmp_path: Path) -> None:
    users = Users(tmp_path / "access")
    async with gateway(tmp_path, Access(users)) as (url, view):
        await page.goto(f"{url}?lang=en#access")
        await page.locator("[name=code]").focus()
        await typed(page, users.code or "", "Li Wei", "ladle-furnace-7")
        await expect(page.locator(".me")).to_have_text("Admin")
        await page.locator(".row [name=name]").focus()
        await typed(page, "12", "Operator", "482913")
        await expect(page.locator("[data-user='12'] td").first).to_have_text("Operator")
        await expect(page.locator("[data-event=user_added] td").nth(2)).to_have_text("Li Wei")
        await page.get_by_role("button", name="Log out").press("Enter")
        await expect(page.locator("h1")).to_have_text("Log in")
        await page.locator("[name=name]").focus()
        await typed(page, "12", "482913")
        await expect(page.locator(".me")).to_have_text("Operator")
        await expect(page.locator(".users, .audit")).to_have_count(0)
        assert [event for event, *_ in view.audited] == ["claim", "user_added", "logout", "login"]


async def test_the_keyboard_alone_changes_one_s_own_pin_and_the_page_goes_on(page: Page, tmp_path: Path) -> None:
    access = Access(Users(tmp_path / "access"))
    assert access.users is not None
    access.users.add("Li Wei", Role.ADMIN, NO_SECRET)
    access.users.add("12", Role.OPERATOR, await access.secrecy.hash("482913"))
    async with gateway(tmp_path, access) as (url, view):
        await page.goto(f"{url}?lang=en#access")
        await page.locator("[name=name]").focus()
        await typed(page, "12", "482913")
        await page.locator("[name=old]").focus()
        await typed(page, "000000", "739164")
        await expect(page.locator(".refusal").first).to_have_text("That does not fit.")
        await page.locator("[name=old]").fill("")
        await page.locator("[name=new]").fill("")
        await page.locator("[name=old]").focus()
        await typed(page, "482913", "739164")
        await expect(page.locator("form [role=status]")).to_have_text("Changed.")
        await fits(page)
        await page.goto(f"{url}?lang=en#overview")
        await expect(page.locator(".figs .num").first).to_have_text("88.2")
        assert [event for event, *_ in view.audited] == ["login", "login_refused", "secret_changed"]


@pytest.mark.parametrize(("lang", "width"), [("zh-CN", 1920), ("en", 360)])
async def test_door_and_users_fit_every_screen_and_everybody(page: Page, tmp_path: Path, lang: str, width: int) -> None:
    known = people(tmp_path / "access")
    await page.set_viewport_size({"width": width, "height": 780})
    async with gateway(tmp_path, known.access) as (url, _):
        await page.goto(f"{url}?lang={lang}")
        await expect(page.locator(".form")).to_be_visible()
        await fits(page)
        await enter(page, known, Role.ADMIN, url)
        await page.goto(f"{url}?lang={lang}&again#access")
        await expect(page.locator(".users tbody tr")).to_have_count(len(Role))
        await fits(page)


async def test_a_host_sees_figures_and_is_not_offered_what_is_not_for_hosts(page: Page, tmp_path: Path) -> None:
    known = people(tmp_path / "access")
    async with gateway(tmp_path, known.access) as (url, _):
        await enter(page, known, Role.HOST, url)
        await page.goto(f"{url}?lang=en")
        await expect(page.locator(".figs .num").first).to_have_text("88.2")
        await expect(page.locator("nav a")).to_contain_text(["Overview", "Inspection", "Plan", "Faults"])
        assert await page.locator("nav a", has_text="Devices").count() == 0
        await page.get_by_role("button", name="Why: Utilization").click()
        await expect(page.get_by_role("dialog")).to_contain_text("not for this role")
        await expect(page.locator("body")).not_to_contain_text("127.0.0.1")


async def test_a_session_that_ends_leaves_the_door_and_no_figure(page: Page, tmp_path: Path) -> None:
    known = people(tmp_path / "access")
    async with gateway(tmp_path, known.access) as (url, _):
        await enter(page, known, Role.VIEWER, url)
        await page.goto(f"{url}?lang=en")
        await expect(page.locator(".figs .num").first).to_have_text("88.2")
        known.access.users.remove(known.ids[Role.VIEWER])
        await expect(page.locator("h1")).to_have_text("Log in")
        await expect(page.locator(".figs")).to_have_count(0)


async def test_an_operator_names_a_reason_and_is_told_where_somebody_was_faster(page: Page, tmp_path: Path) -> None:
    known = people(tmp_path / "access")
    async with gateway(tmp_path, known.access) as (url, view):
        await enter(page, known, Role.OPERATOR, url)
        await page.goto(f"{url}?lang=en#stops")
        first = page.locator(".halts li").first
        await expect(first.locator(".what b")).to_have_text("die protection")
        await fits(page)
        seq = int(await first.get_attribute("data-stop") or 0)
        await first.get_by_role("button").press("Enter")
        await view.give_reason("press1", reason_body(seq, view.line_now.time, "no-tool", None, "u1", "engineer"))
        await first.locator("[data-word=cleaning]").click()
        await expect(first.locator(".refusal")).to_contain_text("Somebody was faster: no tool")
        await expect(first.locator(".what b")).to_have_text("no tool")
        await fits(page)
        await first.locator("[data-word=cleaning]").click()
        await expect(first.locator(".what")).to_contain_text("cleaning Operator says · PLC says: die protection")
        await expect(page.locator(".causes [data-reason=cleaning]")).to_be_visible()
        assert [one.body["reason_word"] for one in view.history if one.kind is Kind.REASON] == ["no-tool", "cleaning"]


def decision(part: Record, verdict: Verdict) -> Decision:
    """What an engineer says of a part, elsewhere."""
    unit = str(part.body["unit"])
    return Decision(part.machine, part.seq, unit, part.time, verdict, Verdict.ASK, None, "u1", "engineer", SIM)


SCREENS = [("en", 360, ("Pass", "Reject")), ("zh-CN", 1920, ("合格", "剔除"))]


@pytest.mark.parametrize(("lang", "width", "words"), SCREENS)
async def test_an_operator_judges_a_part_and_is_told_where_somebody_was_faster(
    page: Page, tmp_path: Path, lang: str, width: int, words: tuple[str, str]
) -> None:
    known = people(tmp_path / "access")
    await page.set_viewport_size({"width": width, "height": 780})
    async with gateway(tmp_path, known.access) as (url, view):
        asked = next(one for one in view.history if one.body.get("verdict") == "ASK")
        other = replace(asked, seq=len(view.history) + 1, body={**asked.body, "unit": "diecast1-001149"})
        view.history.append(other)
        await enter(page, known, Role.OPERATOR, url)
        await page.goto(f"{url}?lang={lang}#inspections")
        waiting, judged = page.locator(".asks .insp"), page.locator("[data-judged]")
        await expect(waiting).to_have_count(2)
        await fits(page)
        heights = [box["height"] for one in await waiting.locator("button").all() if (box := await one.bounding_box())]
        assert len(heights) == 4
        assert min(heights) >= 44
        await waiting.first.get_by_role("button", name=words[0]).press("Enter")
        await expect(waiting).to_have_count(1)
        await expect(judged.locator(".what b")).to_have_text(words[0])
        assert await page.evaluate("document.activeElement.className") == "asks"

        async def overtaken(route: Route) -> None:
            await view.decide(decision(asked, Verdict.PASS))
            await route.continue_()

        await page.route("**/api/v1/inspections/*", overtaken, times=1)
        await waiting.get_by_role("button", name=words[1]).click()
        await expect(waiting).to_have_count(0)
        await expect(judged.locator(".refusal")).to_contain_text(words[0])
        await fits(page)
        await judged.first.locator("[data-verdict=REJECT]").click()
        await expect(judged.first.locator(".what b")).to_have_text(words[1])
        await expect(page.locator(f"[data-unit='{asked.body['unit']}'] .vd")).to_contain_text(words[1])
        told = [(one.body["verdict"], one.body["instead"]) for one in view.history if one.kind is Kind.VERDICT]
        assert told == [("PASS", "ASK"), ("PASS", "ASK"), ("REJECT", "PASS")]


async def test_who_may_not_judge_sees_what_waits_and_no_button(page: Page, tmp_path: Path) -> None:
    known = people(tmp_path / "access")
    async with gateway(tmp_path, known.access) as (url, _):
        await enter(page, known, Role.VIEWER, url)
        await page.goto(f"{url}?lang=en#inspections")
        await expect(page.locator(".asks .insp")).to_have_count(1)
        await expect(page.locator(".asks button")).to_have_count(0)
