"""The on-site panel: pages, a read-only API, live updates and the intake of orders."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response, WebSocket
from fastapi.responses import JSONResponse

from agent.model import SECOND, Kind, Line
from gateway import assets, payload
from gateway.guard import Guard
from gateway.order import OrderError, parse_order
from gateway.panel import encode, linefile
from gateway.panel.access import Access, allow, declared, session_of
from gateway.panel.accounts import add_accounts
from gateway.panel.asks import add_asks
from gateway.panel.defects import add_defects
from gateway.panel.drill import add_drill
from gateway.panel.frames import add_frames
from gateway.panel.limits import Allowance, Seats
from gateway.panel.roles import May, allowed
from gateway.panel.sight import blurred
from gateway.panel.stops import add_stops
from gateway.panel.timeline import segments
from gateway.panel.view import View
from gateway.panel.watch import refuse, watch
from gateway.panel.workbench import Workbench, add_workbench
from gateway.turns import Turns

MOST_STATES = 5000
PACE_S = 0.5
SHARED_S = 0.2
MOST_CLIENTS = 64
LONGER = {linefile.ADDRESS: linefile.LONGEST}
ORDERS_A_SECOND = 1.0
ORDERS_AT_ONCE = 60.0
BEAT_S = 5.0
FOLDERS = ("panel", "shared")
ORDER_SCHEMA = {"type": "object", "required": ["order", "product", "quantity", "due"]}
ORDER_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": ORDER_SCHEMA}}}}
EVIDENCE_TYPES = {".webp": "image/webp", ".png": "image/png", ".json": "application/json"}


def create(
    line: Line,
    view: View,
    hosts: Iterable[str] = (),
    beat_s: float = BEAT_S,
    access: Access | None = None,
    bench: Workbench | None = None,
) -> FastAPI:
    """The panel of one line; answers to loopback names and `hosts`. Without `access` guests look and nobody logs in.

    `bench` is what an engineer works with; without it there are no routes for that.
    """
    access = access or Access(guests=True)
    app = FastAPI(title="tanchang panel", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.access = access
    app.add_middleware(Guard, hosts=tuple(hosts), longer=LONGER)
    add_accounts(app, view, access)
    _add_state(app, line, view)
    _add_history(app, line, view)
    add_frames(app, view)
    add_drill(app, line, view)
    _add_orders(app, line, view)
    add_stops(app, line, view)
    add_asks(app, view)
    add_defects(app, line, view)
    if bench is not None:
        add_workbench(app, view, bench)

    seats, latest, hazy = Seats(MOST_CLIENTS), Latest(line, view), Latest(line, view, blurred)
    turns = Turns()

    @app.websocket("/ws/v1", dependencies=[allow(May.LOOK)])
    async def live(socket: WebSocket) -> None:
        role = session_of(socket).role
        seen = latest if allowed(role, May.TRACE) else hazy
        if not seats.take():
            await refuse(socket, f"{MOST_CLIENTS} pages are open already: close one of them")
            return
        try:
            await watch(socket, view, seen.text, PACE_S, beat_s, lambda: access.who(socket).role is role, turns)
        finally:
            seats.give_back()

    _add_pages(app)
    declared(app)
    return app


class Latest:
    """The whole line as JSON text, written once for all who ask within SHARED_S."""

    def __init__(self, line: Line, view: View, seen: Callable[[Any], Any] = lambda told: told) -> None:
        self._line, self._view, self._seen = line, view, seen
        self._text = ""
        self._made = (-1, -SHARED_S)

    def text(self) -> str:
        """The line as it stands, at most SHARED_S old, never of an earlier commit."""
        seq, now = self._view.now().seq, time.monotonic()
        if seq != self._made[0] or now - self._made[1] >= SHARED_S:
            self._text = payload.encode(self._seen(_whole(self._line, self._view))).decode()
            self._made = (seq, now)
        return self._text


def _whole(line: Line, view: View) -> dict[str, Any]:
    return encode.whole(line, view.now(), view.devices(), view.depth(), view.root())


def _add_pages(app: FastAPI) -> None:
    @app.get("/", dependencies=[allow(May.KNOCK)], include_in_schema=False)
    async def index(request: Request) -> Response:
        return _file(request, assets.page("panel", "index.html"))

    @app.get("/lib/{address:path}", dependencies=[allow(May.KNOCK)], include_in_schema=False)
    async def library(request: Request, address: str) -> Response:
        return _file(request, assets.library(address))

    @app.get("/{folder}/{address:path}", dependencies=[allow(May.KNOCK)], include_in_schema=False)
    async def module(request: Request, folder: str, address: str) -> Response:
        return _file(request, assets.page(folder, address) if folder in FOLDERS else None)


def _file(request: Request, path: Path | None) -> Response:
    """A file with its entity tag; the browser asks each time, so that an update reaches every open page."""
    if path is None:
        raise HTTPException(404, "no such page")
    tag = assets.etag(path)
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(path.read_bytes(), media_type=assets.MEDIA_TYPES[path.suffix], headers=headers)


def _add_state(app: FastAPI, line: Line, view: View) -> None:
    @app.get("/api/v1/line", dependencies=[allow(May.LOOK)])
    async def whole(request: Request) -> JSONResponse:
        return _seen(request, _whole(line, view))

    @app.get("/api/v1/devices", dependencies=[allow(May.TRACE)])
    async def devices() -> JSONResponse:
        return _fresh({"devices": [encode.device_with_tags(link) for link in view.devices()]})

    @app.get("/api/v1/faults", dependencies=[allow(May.LOOK)])
    async def faults(request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> JSONResponse:
        history = view.records(Kind.FAULT, None, None, None, limit, newest=True)
        return _seen(
            request,
            {
                "faults": [payload.fault(known) for known in view.now().faults],
                "history": [payload.record(view.now().ledger, fact) for fact in history],
            },
        )


def _add_history(app: FastAPI, line: Line, view: View) -> None:
    @app.get("/api/v1/states", dependencies=[allow(May.LOOK)])
    async def states(hours: Annotated[float, Query(gt=0, le=48)] = 4.0, machine: str | None = None) -> JSONResponse:
        until = view.now().time
        since = until - int(hours * 3600) * SECOND
        names = [known.name for known in line.machines if machine in (None, known.name)]
        if not names:
            raise HTTPException(404, f"no machine {machine}")
        lanes = {name: [encode.segment(s) for s in _states(view, name, since, until)] for name in names}
        return _fresh({"since": payload.iso(since), "until": payload.iso(until), "machines": lanes})

    @app.get("/api/v1/ledger", dependencies=[allow(May.TRACE)])
    async def ledger(
        limit: Annotated[int, Query(ge=1, le=500)] = 50, kind: Kind | None = None, machine: str | None = None
    ) -> JSONResponse:
        now = view.now()
        facts = view.records(kind, machine, None, None, limit, newest=True)
        return _fresh(
            {
                "ledger": now.ledger,
                "seq": now.seq,
                "durable": now.durable,
                "depth": dict(view.depth()),
                "root": view.root(),
                "records": [payload.record(view.now().ledger, fact) for fact in facts],
            }
        )

    @app.get("/api/v1/evidence/{name}", dependencies=[allow(May.LOOK)])
    async def evidence(name: str) -> Response:
        path = view.evidence(name)
        media_type = EVIDENCE_TYPES.get(path.suffix) if path else None
        if path is None or media_type is None or not path.is_file():
            raise HTTPException(404, "this part's picture is no longer kept")
        return Response(path.read_bytes(), media_type=media_type, headers={"cache-control": "private, max-age=3600"})


def _states(view: View, machine: str, since: int, until: int) -> list[Any]:
    before = view.records(Kind.STATE, machine, None, since, 1, newest=True)
    return segments([*before, *view.records(Kind.STATE, machine, since, None, MOST_STATES, newest=False)], since, until)


def _add_orders(app: FastAPI, line: Line, view: View) -> None:
    allowance = Allowance(ORDERS_A_SECOND, ORDERS_AT_ONCE)

    @app.post("/api/v1/orders", status_code=201, dependencies=[allow(May.ORDER)], openapi_extra=ORDER_BODY)
    async def orders(request: Request) -> JSONResponse:
        if wait := allowance.wait(time.monotonic()):
            detail = "too many orders at once: send the next one later"
            raise HTTPException(429, detail, {"retry-after": str(math.ceil(wait))})
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            raise HTTPException(415, "send the order as application/json")
        try:
            order = parse_order(line, await request.body())
            if order is None:
                raise OrderError("this is the record of an order, not an order")
            await view.take_order(order)
        except OrderError as error:
            raise HTTPException(422, str(error)) from error
        return JSONResponse({"order": order.order}, 201)


def _seen(request: Request, content: dict[str, Any]) -> JSONResponse:
    """As much of it as the one who asks may see."""
    return _fresh(content if allowed(session_of(request).role, May.TRACE) else blurred(content))


def _fresh(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
