"""The panel's door: first admin, log-in, sessions, forged requests."""

from __future__ import annotations

import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from itsdangerous import URLSafeSerializer

from gateway.panel.access import TOKEN, Access
from gateway.panel.roles import LASTS, Role
from gateway.panel.server import create
from gateway.panel.users import Users, UsersError
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView

ADMIN = {"name": "Li Wei", "secret": "ladle-furnace-7"}
PIN = {"name": "12", "secret": "482913"}
KNOCK = {TOKEN: "page"}


@dataclass
class Panel:
    view: SampleView
    users: Users
    address: str
    client: httpx.AsyncClient
    token: str = "page"
    replies: list[httpx.Response] = field(default_factory=list)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.client.request(method, f"/api/v1/{path}", json=body, headers={TOKEN: self.token, **headers})

    async def enter(self, path: str, body: Any) -> httpx.Response:
        """Log in; from then on its token is sent along."""
        reply = await self.send("POST", path, body)
        self.token = reply.json().get("token", self.token)
        return reply

    async def claim(self) -> httpx.Response:
        return await self.enter("claim", {**ADMIN, "code": self.users.code})


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    view, users = SampleView(tmp_path), Users(tmp_path / "access")
    async with (
        serving(create(LINE, view, access=Access(users))) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        yield Panel(view, users, address, client)


async def test_the_code_on_the_console_makes_the_first_admin_once(panel: Panel) -> None:
    code = panel.users.code
    assert (await panel.send("GET", "me")).json()["claimed"] is False
    wrong = await panel.send("POST", "claim", {**ADMIN, "code": "AAAA-AAAA-AAAA"})
    assert (wrong.status_code, panel.users.claimed) == (401, False)
    reply = await panel.enter("claim", {**ADMIN, "code": code.lower().replace("-", " ")})
    assert (reply.status_code, reply.json()["role"], reply.json()["claimed"]) == (201, "admin", True)
    assert (await panel.send("GET", "users")).status_code == 200
    again = await panel.send("POST", "claim", {"name": "Eve", "secret": "another-secret-9", "code": code})
    assert (again.status_code, len(panel.users.all())) == (409, 1)


async def test_what_is_kept_is_private_and_a_restart_knows_it(panel: Panel, tmp_path: Path) -> None:
    folder = tmp_path / "access"
    first = Users(folder).code
    assert first == panel.users.code
    await panel.claim()
    assert not (folder / "first-admin.code").exists()
    kept = [folder / "users.json", folder / "session.key"]
    assert [stat.S_IMODE(one.stat().st_mode) for one in (folder, *kept)] == [0o700, 0o600, 0o600]
    assert ADMIN["secret"] not in kept[0].read_text()
    assert "$argon2id$" in kept[0].read_text()
    again = Users(folder)
    assert (again.claimed, again.code, again.key) == (True, None, panel.users.key)


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_foreign_pages(panel: Panel) -> None:
    said = (await panel.claim()).headers["set-cookie"].lower()
    assert all(word in said for word in ("httponly", "samesite=strict", "path=/", f"max-age={LASTS[Role.ADMIN]}"))


async def test_no_name_reaches_the_records_only_the_id(panel: Panel) -> None:
    await panel.claim()
    made = await panel.send("POST", "users", {**PIN, "role": "operator"})
    admin, operator = panel.users.all()
    assert (made.status_code, made.json()) == (201, {"id": operator.id, "name": "12", "role": "operator"})
    await panel.send("POST", "logout")
    panel.token = "page"
    await panel.enter("login", PIN)
    assert panel.view.audited == [
        ("claim", admin.id, "admin", ""),
        ("user_added", admin.id, "admin", f"{operator.id} operator"),
        ("logout", admin.id, "admin", ""),
        ("login", operator.id, "operator", ""),
    ]
    assert "Li Wei" not in str(panel.view.audited)


@pytest.mark.parametrize(
    ("role", "secret"),
    [("operator", "12345"), ("operator", "123456"), ("operator", "111111"), ("operator", "letters"),
     ("engineer", "short-1"), ("engineer", "aaaaaaaaaaaaaa"), ("engineer", "press-keeper!")],
)  # fmt: skip
async def test_a_weak_secret_is_refused(panel: Panel, role: str, secret: str) -> None:
    await panel.claim()
    reply = await panel.send("POST", "users", {"name": "keeper", "secret": secret, "role": role})
    assert (reply.status_code, len(panel.users.all())) == (422, 1)


async def test_a_session_ends_by_log_out_even_for_a_copied_cookie(panel: Panel, tmp_path: Path) -> None:
    await panel.claim()
    copied = dict(panel.client.cookies)
    assert (await panel.send("POST", "logout")).status_code == 200
    panel.client.cookies.update(copied)
    assert (await panel.send("GET", "users")).status_code == 401
    assert (await panel.send("GET", "me")).json()["role"] is None
    assert Users(tmp_path / "access").ended(Access(panel.users)._signer.loads(next(iter(copied.values())))["n"])


async def test_a_session_ends_with_its_time_its_role_its_secret_and_its_user(tmp_path: Path, monkeypatch: Any) -> None:
    known = people(tmp_path / "access")
    async with (
        serving(create(LINE, SampleView(tmp_path), access=known.access)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):

        async def comes_in(headers: dict[str, str]) -> bool:
            return (await client.get("/api/v1/line", headers=headers)).status_code == 200

        viewer = known.headers(Role.VIEWER)
        assert await comes_in(viewer)
        known.access.users.change(known.ids[Role.VIEWER], Role.HOST)
        assert not await comes_in(viewer)
        engineer = known.headers(Role.ENGINEER)
        assert await comes_in(engineer)
        known.access.users.remove(known.ids[Role.ENGINEER])
        assert not await comes_in(engineer)
        operator, now = known.headers(Role.OPERATOR), time.time()
        assert await comes_in(operator)
        monkeypatch.setattr(time, "time", lambda: now + LASTS[Role.OPERATOR] + 1)
        assert not await comes_in(operator)


async def test_a_cookie_of_another_key_or_a_changed_one_is_nobody_s(panel: Panel) -> None:
    await panel.claim()
    [(name, value)] = dict(panel.client.cookies).items()
    admin = panel.users.all()[0]
    forged = URLSafeSerializer("guessed", "tanchang session").dumps({"u": admin.id, "e": 0, "n": "x", "t": 2**40})
    panel.client.cookies.clear()
    for cookie in (forged, value[:-9] + ("A" if value[-9] != "A" else "B") + value[-8:], value[1:], "", "."):
        reply = await panel.send("GET", "users", cookie=f"{name}={cookie}")
        assert reply.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [({TOKEN: ""}, 403), ({TOKEN: "guessed"}, 403), ({"origin": "https://evil.example"}, 403),
     ({"origin": "null"}, 403), ({"host": "evil.example"}, 403), ({"content-type": "text/plain"}, 422)],
)  # fmt: skip
async def test_a_foreign_page_cannot_act_for_somebody_logged_in(
    panel: Panel, headers: dict[str, str], status: int
) -> None:
    await panel.claim()
    body = b'{"name": "eve", "secret": "chosen-by-eve-1", "role": "admin"}'
    sent = {TOKEN: panel.token, "content-type": "application/json", **headers}
    reply = await panel.client.post("/api/v1/users", content=body, headers=sent)
    assert (reply.status_code, len(panel.users.all())) == (status, 1)
    assert (await panel.client.delete(f"/api/v1/users/{panel.users.all()[0].id}", headers=headers)).status_code in (
        403,
        409,
    )


async def test_the_token_of_one_session_is_none_of_another(panel: Panel) -> None:
    old = (await panel.claim()).json()["token"]
    await panel.send("POST", "logout")
    panel.token = "page"
    await panel.enter("login", ADMIN)
    assert panel.token != old
    panel.token = old
    assert (await panel.send("POST", "users", {**PIN, "role": "operator"})).status_code == 403


async def test_five_wrong_log_ins_a_minute_then_even_the_right_one_waits(panel: Panel) -> None:
    await panel.claim()
    await panel.send("POST", "logout")
    for _ in range(5):
        assert (await panel.send("POST", "login", {**ADMIN, "secret": "wrong"})).status_code == 401
    late = await panel.send("POST", "login", ADMIN)
    assert late.status_code == 429
    assert 0 < int(late.headers["retry-after"]) <= 60
    assert [event for event, *_ in panel.view.audited].count("login_refused") == 5


async def test_a_wrong_name_and_a_wrong_secret_get_the_same_answer(panel: Panel) -> None:
    await panel.claim()
    replies = [
        await panel.send("POST", "login", said) for said in ({**ADMIN, "secret": "wrong"}, {**ADMIN, "name": "nobody"})
    ]
    assert replies[0].status_code == replies[1].status_code == 401
    assert replies[0].content == replies[1].content


async def test_the_last_admin_stays(panel: Panel) -> None:
    await panel.claim()
    [admin] = panel.users.all()
    assert (await panel.send("DELETE", f"users/{admin.id}")).status_code == 409
    assert (await panel.send("PATCH", f"users/{admin.id}", {"role": "viewer"})).status_code == 409
    assert panel.users.claimed


async def test_who_did_what_is_read_with_names_by_the_admin_alone(tmp_path: Path) -> None:
    known = people(tmp_path / "access")
    async with (
        serving(create(LINE, SampleView(tmp_path), access=known.access)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        admin = (await client.get("/api/v1/audit", headers=known.headers(Role.ADMIN))).json()
        engineer = (await client.get("/api/v1/audit", headers=known.headers(Role.ENGINEER))).json()
        assert set(admin["names"]) == set(known.ids.values())
        assert engineer["names"] == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"users": [{"id": 1}], "ended": {}}', '{"users": [], "ended": []}'])
def test_a_damaged_file_of_users_says_what_to_do_and_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "users.json").write_text(text)
    with pytest.raises(UsersError, match="bring back a copy"):
        Users(tmp_path)


async def test_a_request_that_is_too_long_or_does_not_say_how_long_is_not_read(panel: Panel) -> None:
    huge = {**ADMIN, "secret": "x" * 10_000_000}
    assert (await panel.send("POST", "login", huge)).status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        yield b"{}"

    assert (await panel.client.post("/api/v1/login", content=drip(), headers=KNOCK)).status_code == 411


async def test_one_s_own_secret_is_changed_with_the_old_one_and_ends_all_other_sessions(panel: Panel) -> None:
    await panel.claim()
    await panel.send("POST", "users", {**PIN, "role": "operator"})
    headers = {TOKEN: "page"}
    async with httpx.AsyncClient(base_url=panel.client.base_url, trust_env=False) as elsewhere:
        reply = await elsewhere.post("/api/v1/login", json=PIN, headers=headers)
        assert reply.status_code == 200
        await panel.enter("login", PIN)
        right = PIN["secret"]
        for old, new, status in (("000000", "739164", 401), (right, "1234", 422), (right, right, 422)):
            assert (await panel.send("POST", "me/secret", {"old": old, "new": new})).status_code == status
        assert (await elsewhere.get("/api/v1/line")).status_code == 200
        reply = await panel.enter("me/secret", {"old": PIN["secret"], "new": "739164"})
        assert (reply.status_code, reply.json()["role"]) == (200, "operator")
        assert (await panel.send("GET", "line")).status_code == 200
        assert (await elsewhere.get("/api/v1/line")).status_code == 401
        assert (await elsewhere.post("/api/v1/login", json=PIN, headers=headers)).status_code == 401
        changed = {**PIN, "secret": "739164"}
        assert (await elsewhere.post("/api/v1/login", json=changed, headers=headers)).status_code == 200
    told = [event for event, *_ in panel.view.audited][2:]
    assert told == ["login", "login", "login_refused", "secret_changed", "login_refused", "login"]
    assert PIN["secret"] not in str(panel.view.history) + str(panel.view.audited)


async def test_the_old_secret_is_not_guessed_from_an_open_session(panel: Panel) -> None:
    await panel.claim()
    guesses = [f"guess-number-{number}" for number in range(8)]
    replies = [await panel.send("POST", "me/secret", {"old": one, "new": "a-new-secret-1"}) for one in guesses]
    assert [reply.status_code for reply in replies][-3:] == [429] * 3
    assert (await panel.send("GET", "line")).status_code == 200


async def test_a_guest_has_no_secret_to_change(tmp_path: Path) -> None:
    access = Access(Users(tmp_path / "access"), guests=True)
    async with (
        serving(create(LINE, SampleView(tmp_path), access=access)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        said = {"old": "anything", "new": "a-new-secret-1"}
        assert (await client.post("/api/v1/me/secret", json=said, headers=KNOCK)).status_code == 403
