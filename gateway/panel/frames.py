"""The last frames of a device's link, with what they are and their octets."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

from gateway.panel.access import allow
from gateway.panel.roles import May
from gateway.panel.view import FrameNow, View
from gateway.payload import Json, iso


def add_frames(app: FastAPI, view: View) -> None:
    """What went over the wire, newest first."""

    @app.get("/api/v1/devices/{name}/frames", dependencies=[allow(May.TRACE)])
    async def frames(name: str) -> JSONResponse:
        """`last`; `refused`: request and answer; `broken`: when and why a link last ended, and the frames before."""
        now = view.frames(name)
        if now is None:
            raise HTTPException(404, f"no device {name}")
        broken = (
            {"time": iso(now.broken_at), "why": now.broken_why, "frames": _newest_first(now.before)}
            if (now.broken_at is not None)
            else None
        )
        told: Json = {
            "device": name,
            "sim": any(link.name == name and link.origin.simulated for link in view.devices()),
            "last": _newest_first(now.last),
            "refused": _newest_first(frame for pair in now.refused for frame in pair),
            "broken": broken,
        }
        return JSONResponse(told, headers={"cache-control": "no-store"})


def _newest_first(frames: Iterable[FrameNow]) -> list[Json]:
    return [_frame(one) for one in reversed(list(frames))]


def _frame(one: FrameNow) -> Json:
    return {
        "time": iso(one.time),
        "sent": one.sent,
        "size": one.size,
        "octets": one.octets.hex(),
        "parts": [dict(part) for part in one.parts],
    }
