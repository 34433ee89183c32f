"""The line file on the panel: shown, checked, compared, applied; its versions. The routes, and what they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, HTTPException, Request
from fastapi import Path as Number
from fastapi.responses import JSONResponse
from pydantic import Field, ValidationError

from gateway.panel.access import allow, session_of
from gateway.panel.accounts import Body
from gateway.panel.roles import May
from gateway.panel.view import View

ADDRESS = "/api/v1/linefile"
LONGEST = 512 * 1024  # octets of a body: some 5,000 tags
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}, "seen": {"type": "string"}}}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": TEXT}}}}


@dataclass(frozen=True, slots=True)
class Version:
    """A kept version: `time` in seconds since 1970, `by` the id of a user, "" for one edited past the panel."""

    number: int
    time: float
    by: str
    role: str
    digest: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a table: `change` is added, removed or changed; then `keys` are those that differ."""

    kind: str
    name: str
    change: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """An edited text: its mistakes (place, remedy), its diff to the file, and what it changes of what runs."""

    mistakes: tuple[tuple[str, str], ...]
    diff: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    """The file as it is: `running` is the digest of the text that the agent was started with."""

    file: str
    text: str
    digest: str
    running: str
    versions: tuple[Version, ...]


class RefusedError(Exception):
    """The text was not applied; the message has the remedy."""


class Desk(Protocol):
    """Where the line file lies. Every call reads the disk: call it in a thread."""

    def stand(self) -> Stand:
        """The file and its versions, newest first. OSError where it cannot be read."""

    def version(self, number: int) -> str | None:
        """The text of a kept version."""

    def check(self, text: str) -> Checked:
        """As `tanchang check` does, and what would change."""

    def apply(self, text: str, seen: str, by: str, role: str) -> Version:
        """Write it in place of the text with digest `seen`, all of it or nothing; RefusedError says why not."""


class Edit(Body):
    """An edited text; `seen` is the digest of the one it was made from."""

    text: str
    seen: str = Field("", max_length=64)


def add_linefile(app: FastAPI, view: View, desk: Desk) -> None:
    """To see, check and apply; one at a time."""
    one_at_a_time = asyncio.Lock()

    @app.get(ADDRESS, dependencies=[allow(May.CONFIGURE)])
    async def stand() -> JSONResponse:
        try:
            return _fresh(asdict(await asyncio.to_thread(desk.stand)))
        except (OSError, ValueError) as error:
            raise HTTPException(409, f"the line file cannot be read: {error}") from error

    @app.get(ADDRESS + "/versions/{number}", dependencies=[allow(May.CONFIGURE)])
    async def version(number: Annotated[int, Number(ge=1, lt=10**6)]) -> JSONResponse:
        text = await asyncio.to_thread(desk.version, number)
        if text is None:
            raise HTTPException(404, "this version is not kept: load the page again")
        return _fresh({"number": number, "text": text})

    @app.post(ADDRESS + "/check", dependencies=[allow(May.CONFIGURE)], openapi_extra=BODY)
    async def check(request: Request) -> JSONResponse:
        edit = await _edit(request)
        async with one_at_a_time:
            return _fresh(asdict(await asyncio.to_thread(desk.check, edit.text)))

    @app.put(ADDRESS, dependencies=[allow(May.CONFIGURE)], openapi_extra=BODY)
    async def apply(request: Request) -> JSONResponse:
        """In effect once the agent is started again. 409 where the file is no longer the one that was seen."""
        edit = await _edit(request)
        session = session_of(request)
        role = session.role.value if session.role else ""
        async with one_at_a_time:
            checked = await asyncio.to_thread(desk.check, edit.text)
            if checked.mistakes:
                raise HTTPException(422, "; ".join(": ".join(filter(None, one)) for one in checked.mistakes[:20]))
            try:
                done = await asyncio.to_thread(desk.apply, edit.text, edit.seen, session.id, role)
            except RefusedError as error:
                raise HTTPException(409, str(error)) from error
            told = f"version {done.number} sha256 {done.digest[:12]} {tally(checked.changes)}"
            await view.audit("linefile_applied", session.id, role, told)
        return _fresh(asdict(done))


def tally(changes: Sequence[Change]) -> str:
    """How many tables are added, removed and changed."""
    words = ("added", "removed", "changed")
    return ", ".join(f"{sum(one.change == word for one in changes)} {word}" for word in words)


async def _edit(request: Request) -> Edit:
    """The body, read only once the role was asked: it may be long."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise HTTPException(415, "send the text as application/json")
    try:
        return Edit.model_validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(422, 'send {"text": ..., "seen": ...}') from error


def _fresh(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
