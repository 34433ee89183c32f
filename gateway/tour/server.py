"""The tour server: pages and WebSocket below a capability address, fed over MQTT alone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from hmac import compare_digest
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, Response

from gateway import assets
from gateway.guard import Guard
from gateway.tour.display import Display
from gateway.tour.settings import Settings

PACE_S = 0.5  # at most two updates a second and client; what came between is never sent
HEARTBEAT_S = 5.0
PAGES = {"board": "board.html", "overlay-16x9": "overlay-16x9.html", "overlay-9x16": "overlay-9x16.html"}
HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
}


def create(settings: Settings, display: Display | None = None) -> FastAPI:
    """The application; with a `display` handed in nothing is subscribed to and its owner feeds it."""

    @asynccontextmanager
    async def fed(_: FastAPI) -> AsyncGenerator[None]:
        if display is not None:
            yield
            return
        from gateway.tour.feed import follow

        async with follow(settings, shown):
            yield

    shown = display or Display(settings.line, settings.profile, settings.delay_s, time.monotonic)
    app = FastAPI(lifespan=fed, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard, hosts=(settings.listen_host, *settings.hosts))

    def checked(capability: str) -> None:
        if not compare_digest(capability.encode(), settings.capability.encode()):
            raise HTTPException(404)

    @app.get("/t/{capability}/{page}")
    async def page(capability: str, page: str, request: Request) -> Response:
        checked(capability)
        return _file(request, assets.page("tour", PAGES.get(page, "")))

    @app.websocket("/t/{capability}/ws/v1")
    async def stream(capability: str, client: WebSocket) -> None:
        if not compare_digest(capability.encode(), settings.capability.encode()):
            await client.close(1008)
            return
        await client.accept()
        await _serve(client, shown.document)

    @app.get("/lib/{address:path}")
    async def library(address: str, request: Request) -> Response:
        return _file(request, assets.library(address))

    @app.get("/{folder}/{address:path}")
    async def static(folder: str, address: str, request: Request) -> Response:
        return _file(request, assets.page(folder, address) if folder in ("shared", "tour") else None)

    return app


def _file(request: Request, path: Path | None) -> Response:
    if path is None or not path.is_file():
        raise HTTPException(404)
    tag = assets.etag(path)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={**HEADERS, "etag": tag})
    return FileResponse(path, media_type=assets.MEDIA_TYPES[path.suffix], headers={**HEADERS, "etag": tag})


async def _serve(client: WebSocket, document: Callable[[], dict[str, Any]]) -> None:
    """Send until the client leaves; it has nothing to say, so hearing ends only with the connection."""
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(_send(client, document))
        try:
            while True:
                await client.receive_text()
        except (WebSocketDisconnect, RuntimeError, KeyError):
            sending.cancel()


async def _send(client: WebSocket, document: Callable[[], dict[str, Any]]) -> None:
    """The whole document at once, then changed sections; a slow client skips what it had no time for."""
    sent: dict[str, Any] = {}
    number, quiet_s = 0, 0.0
    while True:
        now = document()
        changed = {section: value for section, value in now.items() if section not in sent or sent[section] != value}
        kind = "update" if number else "snapshot"
        if changed or quiet_s >= HEARTBEAT_S:
            number, quiet_s, sent = number + 1, 0.0, now
            message = {"type": kind if changed else "beat", "n": number} | ({"document": changed} if changed else {})
            try:
                await client.send_text(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
            except (WebSocketDisconnect, RuntimeError):
                return
        await asyncio.sleep(PACE_S)
        quiet_s += PACE_S
