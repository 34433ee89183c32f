"""The diagnostics bundle on the panel: one at a time, and who took it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, HTTPException, Request, Response

from gateway.panel.access import allow, session_of
from gateway.panel.roles import May
from gateway.panel.view import View

ADDRESS = "/api/v1/diagnostics"
Bundle = Callable[[], Awaitable[bytes]]


def add_diagnostics(app: FastAPI, view: View, bundle: Bundle) -> None:
    """To take it away as a zip file."""
    one_at_a_time = asyncio.Lock()

    @app.post(ADDRESS, dependencies=[allow(May.CONFIGURE)])
    async def diagnostics(request: Request) -> Response:
        if one_at_a_time.locked():
            raise HTTPException(429, "a bundle is being made: ask again in a moment", {"retry-after": "5"})
        async with one_at_a_time:
            made = await bundle()
        session = session_of(request)
        role = session.role.value if session.role else ""
        await view.audit("diagnostics_taken", session.id, role, f"{len(made)} bytes")
        name = 'attachment; filename="tanchang-diagnostics.zip"'
        return Response(made, 200, {"content-disposition": name, "cache-control": "no-store"}, "application/zip")
