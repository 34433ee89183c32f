"""Role x route, in full: a new route fails here until it is in the table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import websockets
from fastapi import FastAPI

from gateway.panel.access import Access, allow, declared
from gateway.panel.roles import TABLE, May, Role
from gateway.panel.server import create
from tests.system.panel_bench import sample_bench
from tests.system.panel_people import People, people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView

ROUTES = {
    ("GET", "/"): May.KNOCK,
    ("GET", "/lib/{address:path}"): May.KNOCK,
    ("GET", "/{folder}/{address:path}"): May.KNOCK,
    ("GET", "/api/v1/me"): May.KNOCK,
    ("GET", "/api/v1/openapi.json"): May.KNOCK,
    ("POST", "/api/v1/login"): May.KNOCK,
    ("POST", "/api/v1/logout"): May.KNOCK,
    ("POST", "/api/v1/claim"): May.KNOCK,
    ("POST", "/api/v1/me/secret"): May.OWN,
    ("GET", "/api/v1/line"): May.LOOK,
    ("GET", "/api/v1/states"): May.LOOK,
    ("GET", "/api/v1/faults"): May.LOOK,
    ("GET", "/api/v1/inspections"): May.LOOK,
    ("GET", "/api/v1/evidence/{name}"): May.LOOK,
    ("WEBSOCKET", "/ws/v1"): May.LOOK,
    ("GET", "/api/v1/health"): May.LOOK,
    ("GET", "/api/v1/devices"): May.TRACE,
    ("GET", "/api/v1/devices/{name}/frames"): May.TRACE,
    ("GET", "/api/v1/ledger"): May.TRACE,
    ("GET", "/api/v1/explain"): May.TRACE,
    ("GET", "/api/v1/samples"): May.TRACE,
    ("GET", "/api/v1/machines/{name}"): May.TRACE,
    ("GET", "/api/v1/machines/{name}/trends"): May.TRACE,
    ("GET", "/api/v1/stops"): May.LOOK,
    ("GET", "/api/v1/defects"): May.LOOK,
    ("POST", "/api/v1/stops/{seq}"): May.DECIDE,
    ("POST", "/api/v1/inspections/{seq}"): May.DECIDE,
    ("POST", "/api/v1/orders"): May.ORDER,
    ("GET", "/api/v1/linefile"): May.CONFIGURE,
    ("PUT", "/api/v1/linefile"): May.CONFIGURE,
    ("GET", "/api/v1/linefile/versions/{number}"): May.CONFIGURE,
    ("POST", "/api/v1/linefile/check"): May.CONFIGURE,
    ("GET", "/api/v1/certificates"): May.CONFIGURE,
    ("POST", "/api/v1/certificates/{thumbprint}"): May.CONFIGURE,
    ("DELETE", "/api/v1/certificates/{thumbprint}"): May.CONFIGURE,
    ("GET", "/api/v1/explorer"): May.CONFIGURE,
    ("POST", "/api/v1/explorer/{device}/nodes"): May.CONFIGURE,
    ("POST", "/api/v1/explorer/{device}/registers"): May.CONFIGURE,
    ("POST", "/api/v1/diagnostics"): May.CONFIGURE,
    ("GET", "/api/v1/audit"): May.AUDIT,
    ("GET", "/api/v1/users"): May.USERS,
    ("POST", "/api/v1/users"): May.USERS,
    ("PATCH", "/api/v1/users/{ident}"): May.USERS,
    ("DELETE", "/api/v1/users/{ident}"): May.USERS,
}
ROLES: dict[May, set[Role | None]] = {
    May.KNOCK: {None, *Role},
    May.OWN: {*Role},
    May.LOOK: {*Role},
    May.TRACE: {Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.ADMIN},
    May.DECIDE: {Role.OPERATOR, Role.ENGINEER, Role.ADMIN},
    May.ORDER: {Role.ENGINEER, Role.ADMIN},
    May.CONFIGURE: {Role.ENGINEER, Role.ADMIN},
    May.AUDIT: {Role.ENGINEER, Role.ADMIN},
    May.USERS: {Role.ADMIN},
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PATHS = {
    "/lib/{address:path}": "/lib/preact.mjs",
    "/{folder}/{address:path}": "/panel/app.js",
    "/api/v1/evidence/{name}": "/api/v1/evidence/gone.png",
    "/api/v1/devices/{name}/frames": "/api/v1/devices/trim1/frames",
    "/api/v1/machines/{name}": "/api/v1/machines/trim1",
    "/api/v1/machines/{name}/trends": "/api/v1/machines/trim1/trends",
    "/api/v1/stops/{seq}": "/api/v1/stops/1",
    "/api/v1/inspections/{seq}": "/api/v1/inspections/1",
    "/api/v1/linefile/versions/{number}": "/api/v1/linefile/versions/1",
    "/api/v1/certificates/{thumbprint}": f"/api/v1/certificates/{64 * '0'}",
    "/api/v1/explorer/{device}/nodes": "/api/v1/explorer/cell1/nodes",
    "/api/v1/explorer/{device}/registers": "/api/v1/explorer/press1/registers",
    "/api/v1/users/{ident}": "/api/v1/users/nobody",
}


@dataclass
class Panel:
    people: People
    address: str
    client: httpx.AsyncClient


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    known = people(tmp_path / "access")
    async with (
        serving(create(LINE, SampleView(tmp_path), access=known.access, bench=sample_bench(tmp_path))) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        yield Panel(known, address, client)


def test_every_route_says_what_it_allows_and_stands_in_the_table(tmp_path: Path) -> None:
    told = declared(create(LINE, SampleView(tmp_path), bench=sample_bench(tmp_path)))
    assert {(method, path): may for method, path, may in told} == ROUTES
    assert len(told) == len(ROUTES)


async def silent() -> None:
    """A route somebody just added."""


def test_a_route_that_says_nothing_is_no_route(tmp_path: Path) -> None:
    app = create(LINE, SampleView(tmp_path))
    app.get("/api/v1/secret")(silent)
    with pytest.raises(ValueError, match="/api/v1/secret"):
        declared(app)
    twice = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    twice.get("/twice", dependencies=[allow(May.KNOCK), allow(May.USERS)])(silent)
    with pytest.raises(ValueError, match="/twice"):
        declared(twice)


def test_the_table_gives_each_role_exactly_what_is_written_here() -> None:
    assert {may: {role for role in (None, *Role) if may in TABLE[role]} for may in May} == ROLES


@pytest.mark.parametrize("role", [None, *Role])
async def test_each_role_gets_through_where_the_table_says_and_nowhere_else(panel: Panel, role: Role | None) -> None:
    wrong = []
    for path in {path for method, path in ROUTES if method != "WEBSOCKET"}:
        for method in METHODS:
            may = ROUTES.get((method, path))
            reply = await panel.client.request(method, PATHS.get(path, path), headers=panel.people.headers(role))
            if may is None:
                expected = reply.status_code == (404 if method == "GET" else 405)  # no page is called api
            elif role in ROLES[may]:
                expected = reply.status_code in (200, 404, 415, 422)
            else:
                expected = reply.status_code == (401 if role is None else 403)
            if not expected:
                wrong.append((method, path, reply.status_code, reply.text[:100]))
    assert wrong == []


@pytest.mark.parametrize("role", [None, *Role])
async def test_the_live_line_is_for_those_who_may_look(panel: Panel, role: Role | None) -> None:
    headers = panel.people.headers(role)
    if role in ROLES[May.LOOK]:
        async with websockets.connect(f"ws://{panel.address}/ws/v1", additional_headers=headers, proxy=None) as socket:
            assert "snapshot" in str(await socket.recv())
    else:
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(f"ws://{panel.address}/ws/v1", additional_headers=headers, proxy=None)


async def test_a_host_sees_figures_and_states_but_no_address_no_model_and_no_device_s_words(panel: Panel) -> None:
    host, viewer = panel.people.headers(Role.HOST), panel.people.headers(Role.VIEWER)
    hidden = ("127.0.0.1", "opc.tcp", "8c1e09d2f4ab", "5af01c22e9d1", "simulated plant")
    for address in ("/api/v1/line", "/api/v1/faults", "/api/v1/inspections"):
        seen = await panel.client.get(address, headers=viewer)
        assert any(word in seen.text for word in hidden)
        reply = await panel.client.get(address, headers=host)
        assert (reply.status_code, [word for word in hidden if word in reply.text]) == (200, [])
    url = f"ws://{panel.address}/ws/v1"
    async with websockets.connect(url, additional_headers=host, proxy=None) as socket:
        said = str(await socket.recv())
    assert [word for word in hidden if word in said] == []
    assert '"utilization"' in said
    assert '"sim":true' in said


@pytest.mark.parametrize("role", [None, *Role])
async def test_the_document_of_a_role_lists_its_routes_and_no_others(panel: Panel, role: Role | None) -> None:
    told = (await panel.client.get("/api/v1/openapi.json", headers=panel.people.headers(role))).json()
    listed = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    mine = {route for route, may in ROUTES.items() if role in ROLES[may] and route[0] != "WEBSOCKET"}
    assert listed == {(method, path) for method, path in mine if "/api/" in path and "openapi" not in path}


async def test_without_users_guests_look_and_nobody_changes_anything(tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    async with (
        serving(create(LINE, view, access=Access(guests=True))) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        assert (await client.get("/api/v1/line")).status_code == 200
        assert (await client.get("/api/v1/me")).json()["role"] == "viewer"
        headers = {"x-tanchang": "x"}
        assert (await client.post("/api/v1/orders", json={}, headers=headers)).status_code == 403
        said = {"name": "somebody", "secret": "anything at all"}
        assert (await client.post("/api/v1/login", json=said, headers=headers)).status_code == 404
        passed_on = {"x-forwarded-for": "10.0.0.7"}
        assert (await client.get("/api/v1/line", headers=passed_on)).status_code == 401
