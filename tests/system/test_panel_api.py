"""The panel's API over a real socket: what the view holds is what comes out, and strangers are refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import websockets
from websockets.typing import Origin

from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, LINE_NOW, NOW, SampleView, at

ORDER = {"order": "J40", "product": "B", "quantity": 60, "due": "2026-11-20T18:00:00+08:00", "weight": 5}


@dataclass
class Panel:
    view: SampleView
    address: str
    client: httpx.AsyncClient


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    view, known = SampleView(tmp_path), people(tmp_path / "access", guests=True)
    async with (
        serving(create(LINE, view, hosts=["gw07.plant"], beat_s=0.2, access=known.access)) as address,
        httpx.AsyncClient(
            base_url=f"http://{address}", trust_env=False, headers=known.headers(Role.ENGINEER)
        ) as client,
    ):
        yield Panel(view, address, client)


async def test_the_line_has_every_figure_of_the_view_with_all_that_qualifies_it(panel: Panel) -> None:
    said = (await panel.client.get("/api/v1/line")).json()
    assert said["sim"] is True
    assert said["ledger"] == {
        "id": "9c41d0b7", "seq": 48213, "durable": True, "depth": {"last_seq": 48213, "mqtt": 48210}, "root": "7F3A",
    }  # fmt: skip
    told = [
        (f["name"], f["machine"], f["value"], f["low"], f["high"], f["coverage"], f["sim"]) for f in said["figures"]
    ]
    assert told == [(k.name, k.machine, k.value, k.low, k.high, k.coverage, k.simulated) for k in LINE_NOW.figures]
    press1 = said["machines"][1]
    assert (press1["word"], press1["reason_word"], press1["since"]) == (
        "stopped", "die-protection", "2026-11-20T06:24:00.000Z",
    )  # fmt: skip


async def test_devices_come_with_quality_and_age_of_every_tag(panel: Panel) -> None:
    devices = {d["name"]: d for d in (await panel.client.get("/api/v1/devices")).json()["devices"]}
    trim1 = devices["trim1"]
    assert (trim1["connected"], trim1["reconnects"], trim1["gap_since"]) == (False, 17, "2026-11-20T06:03:00.000Z")
    assert [(t["name"], t["quality"], t["age_s"]) for t in trim1["tags"]] == [
        ("light", "bad", 29.0),
        ("good", "bad", 29.0),
    ]
    assert devices["cell1"]["sim"] is True


async def test_the_ribbon_ends_now_and_carries_the_state_from_before_its_window(panel: Panel) -> None:
    said = (await panel.client.get("/api/v1/states", params={"hours": 2, "machine": "trim1"})).json()
    assert (said["since"], said["until"]) == ("2026-11-20T04:32:05.000Z", "2026-11-20T06:32:05.000Z")
    assert [s["word"] for s in said["machines"]["trim1"]] == ["executing", "unknown", "executing", "unknown"]
    assert said["machines"]["trim1"][0]["start"] == said["since"]
    assert (await panel.client.get("/api/v1/states", params={"machine": "oven9"})).status_code == 404


async def test_inspections_faults_and_ledger_come_newest_first(panel: Panel) -> None:
    parts = (await panel.client.get("/api/v1/inspections", params={"limit": 2})).json()["inspections"]
    assert [p["value"]["unit"] for p in parts] == ["diecast1-001148", "diecast1-001147"]
    faults = (await panel.client.get("/api/v1/faults")).json()["faults"]
    assert [(f["source"], f["code"]) for f in faults] == [("trim1", "not_connected")]
    ledger = (await panel.client.get("/api/v1/ledger", params={"kind": "gap"})).json()
    assert [(r["kind"], r["machine"], r["quality"]) for r in ledger["records"]] == [("gap", "trim1", "unknown")]


async def test_evidence_is_served_by_name_and_nothing_else_is(panel: Panel, tmp_path: Path) -> None:
    (tmp_path / "diecast1-001148.png").write_bytes(b"\x89PNG picture")
    (tmp_path / "notes.html").write_text("<script>")
    reply = await panel.client.get("/api/v1/evidence/diecast1-001148.png")
    assert (reply.content, reply.headers["content-type"]) == (b"\x89PNG picture", "image/png")
    assert reply.headers["x-content-type-options"] == "nosniff"
    for name in ("notes.html", "gone.png", "..%2Fpanel_view.py"):
        assert (await panel.client.get(f"/api/v1/evidence/{name}")).status_code == 404


async def test_every_answer_forbids_foreign_scripts_frames_and_sniffing(panel: Panel) -> None:
    for address in ("/", "/api/v1/line", "/lib/preact.mjs", "/shared/tokens.css", "/nowhere"):
        headers = (await panel.client.get(address)).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_page_is_asked_for_each_time_and_sent_only_when_it_changed(panel: Panel) -> None:
    first = await panel.client.get("/panel/app.js")
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    again = await panel.client.get("/panel/app.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
async def test_a_foreign_host_is_refused(panel: Panel, host: str) -> None:
    assert (await panel.client.get("/api/v1/line", headers={"host": host})).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8080", "gw07.plant", "GW07.plant:8080", "[::1]:8080"])
async def test_loopback_names_and_configured_hosts_are_answered(panel: Panel, host: str) -> None:
    assert (await panel.client.get("/api/v1/line", headers={"host": host})).status_code == 200


async def test_an_order_is_taken_in_plant_time(panel: Panel) -> None:
    reply = await panel.client.post("/api/v1/orders", json=ORDER)
    assert (reply.status_code, reply.json()) == (201, {"order": "J40"})
    [order] = panel.view.orders
    assert (order.order, order.product, order.quantity, order.due, order.weight) == ("J40", "B", 60, at("18:00"), 5.0)


async def test_an_order_the_agent_will_not_take_is_refused_in_its_words(panel: Panel) -> None:
    await panel.client.post("/api/v1/orders", json=ORDER)
    again = await panel.client.post("/api/v1/orders", json=ORDER)
    assert (again.status_code, again.json()["detail"]) == (422, "order J40 is known already")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"product": "Z"}, "A, B, C"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"due": "2026-11-20T18:00:00"}, "due"),
        ({"price": 3}, "price"),
        ({"order": "../x"}, "order"),
        ({"ledger": "9c41d0b7", "seq": 4}, "record"),
    ],
)
async def test_a_wrong_order_is_refused_with_what_is_wrong(panel: Panel, change: dict[str, object], word: str) -> None:
    reply = await panel.client.post("/api/v1/orders", json={**ORDER, **change})
    assert reply.status_code == 422
    assert word in reply.json()["detail"]
    assert panel.view.orders == []


async def test_an_order_must_be_json_of_modest_size_from_the_panel_itself(panel: Panel) -> None:
    body = json.dumps(ORDER)
    form = {"content-type": "text/plain"}
    assert (await panel.client.post("/api/v1/orders", content=body, headers=form)).status_code == 415
    foreign = {"origin": "https://evil.example"}
    assert (await panel.client.post("/api/v1/orders", json=ORDER, headers=foreign)).status_code == 403
    huge = {**ORDER, "order": "x" * 70_000}
    assert (await panel.client.post("/api/v1/orders", json=huge)).status_code == 413
    assert panel.view.orders == []
    own = {"origin": f"http://{panel.address}"}
    assert (await panel.client.post("/api/v1/orders", json=ORDER, headers=own)).status_code == 201


async def test_nothing_but_orders_can_be_sent(panel: Panel) -> None:
    for address in ("/api/v1/line", "/api/v1/devices", "/api/v1/ledger", "/"):
        assert (await panel.client.post(address, json={})).status_code == 405
        assert (await panel.client.delete(address)).status_code == 405


async def test_a_viewer_gets_the_whole_line_then_each_change_and_beats_between(panel: Panel) -> None:
    async with websockets.connect(f"ws://{panel.address}/ws/v1", proxy=None) as socket:
        first = json.loads(await socket.recv())
        assert (first["type"], first["beat_s"], first["ledger"]["seq"]) == ("snapshot", 0.2, 48213)
        assert json.loads(await socket.recv())["type"] == "beat"
        panel.view.commit(replace(LINE_NOW, seq=48214, time=NOW + 10**9))
        said = [json.loads(await socket.recv())]
        while said[-1]["type"] == "beat":
            said.append(json.loads(await socket.recv()))
        assert (said[-1]["type"], said[-1]["ledger"]["seq"]) == ("update", 48214)


async def test_a_slow_viewer_gets_the_newest_state_not_the_queue(panel: Panel) -> None:
    async with websockets.connect(f"ws://{panel.address}/ws/v1", proxy=None) as socket:
        await socket.recv()
        for step in range(1, 6):
            panel.view.commit(replace(LINE_NOW, seq=48213 + step))
        assert json.loads(await socket.recv())["ledger"]["seq"] == 48218


async def test_a_socket_from_a_foreign_page_is_refused(panel: Panel) -> None:
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(f"ws://{panel.address}/ws/v1", origin=Origin("https://evil.example"), proxy=None)


async def test_the_server_ends_though_a_viewer_stays(tmp_path: Path) -> None:
    async with serving(create(LINE, SampleView(tmp_path))) as address:
        socket = await websockets.connect(f"ws://{address}/ws/v1", proxy=None)
        await socket.recv()
    with pytest.raises(websockets.ConnectionClosed):
        await socket.recv()
