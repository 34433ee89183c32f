"""Routes that lead from a figure to its raw samples: the account of a figure, a machine's page, trends, samples."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import JSONResponse

from agent.model import SECOND, Kind, Kpi, Line, LineNow, Record, Window
from agent.storage.reader import Series
from gateway import payload
from gateway.panel import drawn
from gateway.panel.access import allow
from gateway.panel.entries import Facts, state_entries
from gateway.panel.explain import account
from gateway.panel.figures import cycles_counted, cycles_told, seconds, spread, stops
from gateway.panel.reasons import latest, reasoned
from gateway.panel.roles import May
from gateway.panel.tapes import Tapes
from gateway.panel.timeline import Segment
from gateway.panel.trend import line as trend_line
from gateway.panel.view import Source, View

MOST_RECORDS = 200_000
TRIES = 3
POINTS = 480
LONGEST_LOOK = 3600 * SECOND
Which = Literal["shift", "hour"]


def add_drill(app: FastAPI, line: Line, view: View) -> None:
    """Everything below a figure; all of it is read from the ledger, nothing is computed ahead."""
    tapes = Tapes(view)

    @app.get("/api/v1/explain", dependencies=[allow(May.TRACE)])
    async def explain(name: str, machine: str = "", window: Which = "shift") -> JSONResponse:
        for _ in range(TRIES):
            now = view.now()
            figure = _figure(now, name, machine, window)
            facts = await asyncio.to_thread(_facts, line, view, now, figure.window)
            found = account(line, figure, facts)
            if found.agrees(figure):
                break
            # A commit fell between the figure and its records: both are asked again.
            await asyncio.sleep(0)
        sources = {one.name: view.sources(one.name) for one in line.machines}
        gaps = await asyncio.to_thread(_gaps, view, figure.window.start, now)
        return _fresh(drawn.explained(now, figure, facts, found, sources, gaps))

    @app.get("/api/v1/machines/{name}", dependencies=[allow(May.TRACE)])
    async def machine(name: str, window: Which = "shift") -> JSONResponse:
        now, sources = view.now(), _sources(line, view, name)
        figure = _figure(now, "utilization", name, window)
        facts = await asyncio.to_thread(_facts, line, view, now, figure.window)
        spans = _spans(name, figure, facts)
        said = await asyncio.to_thread(
            view.records, Kind.REASON, name, figure.window.start, None, MOST_RECORDS, newest=False
        )
        told_why = latest(said)
        told = await _cycles(tapes, sources, figure, facts, name, spans)
        return _fresh(
            {
                "machine": name,
                "window": drawn.window(figure.window),
                "until": payload.iso(figure.time),
                "sim": figure.simulated,
                "seconds": seconds(spans, facts.planned),
                "stops": [drawn.stop(one) for one in stops(name, reasoned(spans, told_why), facts.planned)],
                "cycles": drawn.spread(spread(told, line.takt_s), line.takt_s),
                "planned": drawn.spans(view.planned(now.time - 24 * 3600 * SECOND, now.time)),
                "sources": [drawn.source(one) for one in sources],
                "figures": [payload.figure(one) for one in now.figures if one.machine == name],
            }
        )

    @app.get("/api/v1/machines/{name}/trends", dependencies=[allow(May.TRACE)])
    async def trends(name: str, window: Which = "shift") -> JSONResponse:
        now, sources = view.now(), _sources(line, view, name)
        span = _figure(now, "utilization", name, window).window
        gaps = await asyncio.to_thread(_gaps, view, span.start, now)
        step = (span.end - span.start) // POINTS
        lines = []
        for source in [one for one in sources if one.unit]:
            mine = [(one.start, one.end) for one in gaps if one.device == source.device]
            over = sum(one.device == source.device and one.seq > 0 for one in gaps)
            series = await tapes.of(source.device, source.tag, span.start, now.time, step, over)
            until = _vouched(view, source.device, now)
            lines.append({**drawn.source(source), "points": drawn.points(trend_line(series, mine, until)),
                          "gaps": drawn.spans(mine)})  # fmt: skip
        whole = {"since": payload.iso(span.start), "until": payload.iso(now.time), "sim": now.simulated}
        return _fresh({**whole, "lines": lines})

    @app.get("/api/v1/samples", dependencies=[allow(May.TRACE)])
    async def samples(
        device: str,
        tag: str,
        since: int,
        until: int,
        limit: Annotated[int, Query(ge=1, le=2000)] = 200,
    ) -> JSONResponse:
        """Times in ms since 1970; the value that stood before `since` comes first. `cut`: only an hour was read."""
        start, end = since * 1_000_000, until * 1_000_000
        if not any(device == one.device and tag == one.tag for m in line.machines for one in view.sources(m.name)):
            raise HTTPException(404, f"no tag {device}.{tag} tells of a machine")
        if not 0 <= start <= end:
            raise HTTPException(422, "since must not be after until")
        found = await asyncio.to_thread(view.samples, device, tag, start, min(end, start + LONGEST_LOOK))
        told = drawn.samples(await _held(view, device, tag, start), found, limit)
        return _fresh({**told, "cut": end > start + LONGEST_LOOK})


async def _held(view: View, device: str, tag: str, start: int) -> Series:
    """The samples right before `start`, looked for ever further back."""
    for back in (10 * SECOND, 200 * SECOND, LONGEST_LOOK):
        found = await asyncio.to_thread(view.samples, device, tag, max(0, start - back), start)
        if len(found.source_time):
            break
    return found


def _figure(now: LineNow, name: str, machine: str, kind: str) -> Kpi:
    for one in now.figures:
        if (one.name, one.machine, one.window.kind) == (name, machine, kind):
            return one
    raise HTTPException(404, f"no figure {name} of {machine or 'the line'} in this {kind} yet")


def _sources(line: Line, view: View, name: str) -> tuple[Source, ...]:
    if all(one.name != name for one in line.machines):
        raise HTTPException(404, f"no machine {name}")
    return view.sources(name)


def _facts(line: Line, view: View, now: LineNow, window: Window) -> Facts:
    """What the ledger held of a window at `now`."""

    def read(kind: Kind, machine: str | None, since: int | None, until: int | None, limit: int) -> list[Record]:
        newest = limit == 1
        return [one for one in view.records(kind, machine, since, until, limit, newest=newest) if one.seq <= now.seq]

    start, end = window.start, window.end
    states = {
        one.name: read(Kind.STATE, one.name, None, start, 1) + read(Kind.STATE, one.name, start, end, MOST_RECORDS)
        for one in line.machines
    }
    return Facts(
        states,
        read(Kind.COUNT, None, start, end, MOST_RECORDS),
        read(Kind.INSPECTION, None, start, end, MOST_RECORDS),
        {one.name: one.observed for one in now.machines},
        view.planned(start, end),
        read(Kind.VERDICT, None, start, None, MOST_RECORDS),
    )


def _spans(name: str, figure: Kpi, facts: Facts) -> list[Segment]:
    """The machine's states so far in the window, in order."""
    end = min(figure.time, figure.window.end)
    found = state_entries(name, figure.window.start, end, facts)
    return sorted((one for entries in found.values() for one, _ in entries), key=lambda one: one.start)


async def _cycles(
    tapes: Tapes, sources: tuple[Source, ...], figure: Kpi, facts: Facts, name: str, spans: list[Segment]
) -> list[float]:
    """The machine's own cycle times where it tells them, else the time from part to part."""
    counts = sorted((one for one in facts.counts if one.machine == name), key=lambda one: (one.time, one.seq))
    cycle = next((one for one in sources if one.role == "cycle"), None)
    if cycle is None:
        return cycles_counted(counts, spans)
    window = figure.window
    unseen = sum(one.word == "unknown" for one in spans)
    series = await tapes.of(cycle.device, cycle.tag, window.start, figure.time, 0, unseen)
    return [value for value in cycles_told(counts, series) if math.isfinite(value)]


def _gaps(view: View, since: int, now: LineNow) -> list[drawn.Gap]:
    """Gaps of the links since then, those still open to now."""
    known = [drawn.gap(one) for one in view.records(Kind.GAP, None, since, None, MOST_RECORDS, newest=False)]
    devices = {one.name for one in view.devices()}
    found = [one for one in known if one.device in devices and one.end > since]
    found += [
        drawn.Gap(one.name, "open", one.gap_since, now.time) for one in view.devices() if one.gap_since is not None
    ]
    return sorted(found, key=lambda one: one.start)


def _vouched(view: View, device: str, now: LineNow) -> int:
    """Up to when the device vouches for what it last told."""
    link = next(one for one in view.devices() if one.name == device)
    if link.gap_since is not None or link.age_s is None:
        return link.gap_since or 0
    return now.time - int(link.age_s * now.speed * SECOND)


def _fresh(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
