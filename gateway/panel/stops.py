"""Stops of the shift with their reasons, and an operator's say in them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from agent.figures.stops import Reasoned, pareto, plain, within
from agent.model import SECOND, Kind, Line, LineNow, Record, Window
from gateway import payload
from gateway.panel.access import allow, session_of
from gateway.panel.accounts import Body
from gateway.panel.entries import STOPPED
from gateway.panel.reasons import Told, latest, words
from gateway.panel.roles import May
from gateway.panel.timeline import Segment, segments
from gateway.panel.view import View

MOST_RECORDS = 20_000
LOOK_BACK = 8 * 3600 * SECOND


class Say(Body):
    """A reason out of those of the machine; `seen` is the seq of the reason the page showed, 0 for none."""

    reason: str = Field(max_length=64)
    seen: int = Field(ge=0)


def add_stops(app: FastAPI, line: Line, view: View) -> None:
    """To see the stops, and to say why."""
    known = {machine.name: machine for machine in line.machines}
    one_at_a_time = asyncio.Lock()

    @app.get("/api/v1/stops", dependencies=[allow(May.LOOK)])
    async def stops() -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(_whole, line, view), headers={"cache-control": "no-store"})

    @app.post("/api/v1/stops/{seq}", dependencies=[allow(May.DECIDE)])
    async def say(request: Request, seq: int, said: Say) -> JSONResponse:
        """409 with the stop as it is now, where somebody gave another reason since the page looked."""
        session = session_of(request)
        async with one_at_a_time:
            found = (await asyncio.to_thread(_stops, line, view)).get(seq)
            if found is None:
                raise HTTPException(404, "no such stop in this shift")
            machine, stop, told = found
            if said.reason not in words(known[machine]):
                raise HTTPException(422, f"reasons of {machine}: {', '.join(words(known[machine]))}")
            if said.seen != (told.seq if told else 0):
                return JSONResponse({"detail": "somebody was faster", "stop": _stop(machine, stop, told)}, 409)
            role = session.role.value if session.role else ""
            was = told.seq if told else None
            await view.give_reason(machine, payload.reason_body(seq, stop.start, said.reason, was, session.id, role))
            machine, stop, told = (await asyncio.to_thread(_stops, line, view))[seq]
        return JSONResponse(_stop(machine, stop, told))


def _whole(line: Line, view: View) -> dict[str, Any]:
    now = view.now()
    window = _window(now)
    found = _stops(line, view)
    spans = [
        Reasoned(name, told.word if told else one.reason, one.start, one.end) for name, one, told in found.values()
    ]
    planned = view.planned(window.start, window.end)
    lost = {seq: within(planned, one.start, one.end) / SECOND for seq, (_, one, _) in found.items()}
    return {
        "since": payload.iso(window.start),
        "until": payload.iso(now.time),
        "sim": now.simulated,
        # What takes no planned time is no stop; the others add up to the rows of the Pareto.
        "stops": [
            _stop(*one) | {"seconds": lost[seq]}
            for seq, one in sorted(found.items(), key=lambda one: -one[1][1].start)
            if lost[seq]
        ],
        "pareto": [plain(row) for row in pareto(spans, planned)],
        "reasons": {machine.name: list(words(machine)) for machine in line.machines},
    }


def _stops(line: Line, view: View) -> dict[int, tuple[str, Segment, Told | None]]:
    """The shift's stops by the seq they begin with: machine, time and PLC's reason, what an operator said."""
    now = view.now()
    window = _window(now)
    told = latest(view.records(Kind.REASON, None, window.start, None, MOST_RECORDS, newest=False))
    found = {}
    for machine in now.machines:
        states = _states(view, machine.name, window)
        for one in segments(states, window.start, min(window.end, machine.observed)):
            if one.word == STOPPED and one.seq:
                found[one.seq] = machine.name, one, told.get(one.seq)
    return {seq: found[seq] for seq in found if any(one.name == found[seq][0] for one in line.machines)}


def _states(view: View, machine: str, window: Window) -> list[Record]:
    before = view.records(Kind.STATE, machine, None, window.start, 1, newest=True)
    return before + view.records(Kind.STATE, machine, window.start, window.end, MOST_RECORDS, newest=False)


def _window(now: LineNow) -> Window:
    """The running shift; before there is one, the last hours."""
    shifts = [one.window for one in now.figures if one.window.kind == "shift"]
    return shifts[0] if shifts else Window("shift", "", max(0, now.time - LOOK_BACK), now.time + 1)


def _stop(machine: str, one: Segment, told: Told | None) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "machine": machine,
        "start": payload.iso(one.start),
        "end": payload.iso(one.end),
        "plc": one.reason,
        "reason": told.word if told else one.reason,
        "by": told.by if told else None,
        "role": told.role if told else None,
        "seen": told.seq if told else 0,
    }
