"""Inspected parts, those first that wait for a person's verdict, and a person's say in them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from agent.model import SECOND, Decision, Kind, Record, Verdict
from gateway import payload
from gateway.panel.access import allow, session_of
from gateway.panel.accounts import Body
from gateway.panel.roles import May, allowed
from gateway.panel.sight import blurred
from gateway.panel.verdicts import Part, Said, latest, part
from gateway.panel.view import View

LOOK_BACK = 24 * 3600 * SECOND  # plant time within which a part can be judged
PAGE = 200
LISTED = 60
LATEST = 24  # of those that were judged
MOST_RECORDS = 20_000


class Judge(Body):
    """A person's verdict; `seen` is the seq of the verdict the page showed, 0 where it showed the question."""

    verdict: Literal[Verdict.PASS, Verdict.REJECT]
    seen: int = Field(ge=0)


class Asks:
    """The parts of a day that the inspection asked about; reads of the ledger only what is new since it last looked."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._seen = 0
        self._asked: dict[int, Record] = {}

    def asked(self) -> dict[int, Record]:
        """By seq, in that order. Reads the disk: call it in a thread, one at a time."""
        since = self._view.now().time - LOOK_BACK
        found, limit = list[Record](), PAGE
        while True:
            found = self._view.records(Kind.INSPECTION, None, None, None, limit, newest=True)
            if len(found) < limit or found[-1].seq <= self._seen or found[-1].time < since:
                break
            limit *= 4
        self._seen = max([self._seen, *(one.seq for one in found)])
        self._asked |= {one.seq: one for one in reversed(found) if one.body["verdict"] == Verdict.ASK.value}
        self._asked = {seq: one for seq, one in self._asked.items() if one.time >= since}
        return self._asked

    def said(self) -> dict[Part, Said]:
        """What people said of them."""
        since = self._view.now().time - LOOK_BACK
        return latest(self._view.records(Kind.VERDICT, None, since, None, MOST_RECORDS, newest=False))


def add_asks(app: FastAPI, view: View) -> None:
    """To see inspected parts, and to judge those the inspection asked about."""
    asks = Asks(view)
    one_at_a_time = asyncio.Lock()

    @app.get("/api/v1/inspections", dependencies=[allow(May.LOOK)])
    async def inspections(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> JSONResponse:
        """`asks` are open, newest first; `open` counts those that are not listed, too. `decided`: last word first."""
        async with one_at_a_time:
            content = await asyncio.to_thread(_whole, asks, view, limit)
        shown = content if allowed(session_of(request).role, May.TRACE) else blurred(content)
        return JSONResponse(shown, headers={"cache-control": "no-store"})

    @app.post("/api/v1/inspections/{seq}", dependencies=[allow(May.DECIDE)])
    async def judge(request: Request, seq: int, judged: Judge) -> JSONResponse:
        """409 with the part as it is now, where somebody gave another verdict since the page looked."""
        session = session_of(request)
        if not view.now().durable:
            raise HTTPException(503, "the ledger takes nothing just now: see the faults, then judge the part again")
        async with one_at_a_time:
            asked = (await asyncio.to_thread(asks.asked)).get(seq)
            if asked is None:
                raise HTTPException(404, "the inspection asked about no such part in the last 24 hours")
            before = (await asyncio.to_thread(asks.said)).get(part(asked))
            if judged.seen != (before.seq if before else 0):
                return JSONResponse({"detail": "somebody was faster", "part": _told(view, asked, before)}, 409)
            role = session.role.value if session.role else ""
            await view.decide(_decision(asked, judged.verdict, before, session.id, role))
            said = (await asyncio.to_thread(asks.said)).get(part(asked))
        return JSONResponse(_told(view, asked, said))


def _decision(asked: Record, verdict: Verdict, before: Said | None, by: str, role: str) -> Decision:
    return Decision(
        machine=asked.machine,
        inspection=asked.seq,
        unit=str(asked.body["unit"]),
        made=asked.time,
        verdict=verdict,
        instead=before.verdict if before else Verdict.ASK,
        was=before.seq if before else None,
        by=by,
        role=role,
        simulated=asked.simulated,
    )


def _whole(asks: Asks, view: View, limit: int) -> dict[str, Any]:
    said = asks.said()
    asked = [(one, said.get(part(one))) for one in reversed(asks.asked().values())]
    waiting = [one for one, verdict in asked if verdict is None]
    judged = sorted(((one, told) for one, told in asked if told), key=lambda both: -both[1].seq)
    newest = view.records(Kind.INSPECTION, None, None, None, limit, newest=True)
    return {
        "open": len(waiting),
        "asks": [_told(view, one, None) for one in waiting[:LISTED]],
        "decided": [_told(view, one, verdict) for one, verdict in judged[:LATEST]],
        "inspections": [_told(view, one, said.get(part(one))) for one in newest],
    }


def _told(view: View, one: Record, said: Said | None) -> dict[str, Any]:
    """The record of the inspection with what somebody said of it, if anybody did."""
    whole: dict[str, Any] = {**payload.record(view.now().ledger, one), "decided": None, "seen": 0}
    if said:
        words = {"verdict": said.verdict.value, "time": payload.iso(said.time), "by": said.by, "role": said.role}
        whole |= {"decided": words, "seen": said.seq}
    return whole
