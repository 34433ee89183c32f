"""Rejected parts of a window by class of defect, with the records behind each class."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

from agent.figures.defects import Row, pareto, rejects
from agent.model import Kind, Line
from gateway import payload
from gateway.panel.access import allow
from gateway.panel.roles import May
from gateway.panel.verdicts import held, latest
from gateway.panel.view import View

MOST_RECORDS = 200_000
LISTED = 60


def add_defects(app: FastAPI, line: Line, view: View) -> None:
    """The Pareto of defects: of the line, or of one machine's camera."""

    @app.get("/api/v1/defects", dependencies=[allow(May.LOOK)])
    async def defects(window: Literal["shift", "hour"] = "shift", machine: str = "") -> JSONResponse:
        if machine and all(one.name != machine for one in line.machines):
            raise HTTPException(404, f"no machine {machine}")
        content = await asyncio.to_thread(_found, view, window, machine)
        return JSONResponse(content, headers={"cache-control": "no-store"})


def _found(view: View, kind: str, machine: str) -> dict[str, Any]:
    now = view.now()
    window = next((one.window for one in now.figures if one.window.kind == kind), None)
    if window is None:
        raise HTTPException(404, f"no {kind} has begun yet")
    read = view.records(Kind.INSPECTION, machine or None, window.start, window.end, MOST_RECORDS, newest=False)
    said = view.records(Kind.VERDICT, machine or None, window.start, None, MOST_RECORDS, newest=False)
    known = held((one for one in read if one.seq <= now.seq), latest(one for one in said if one.seq <= now.seq))
    found = rejects(known)
    return {
        "machine": machine,
        "window": {"kind": kind, "start": payload.iso(window.start), "end": payload.iso(window.end)},
        "until": payload.iso(min(now.time, window.end)),
        "inspected": len(known),
        "rejected": len(found),
        "sim": now.simulated,
        "classes": [_row(row) for row in pareto(found)],
    }


def _row(row: Row) -> dict[str, Any]:
    """A class with its newest parts; `parts` counts them all."""
    shown = [
        {
            "seq": one.seq,
            "machine": one.machine,
            "time": payload.iso(one.time),
            "unit": one.unit,
            "evidence": one.evidence,
        }
        for one in row.parts[:LISTED]
    ]
    return {
        "defect": row.defect,
        "parts": len(row.parts),
        "share": row.share,
        "cumulative": row.cumulative,
        "entries": shown,
    }
