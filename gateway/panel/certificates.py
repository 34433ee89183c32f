"""Which OPC UA servers the agent may talk to, by their certificates, on the panel; and the agent's own certificate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.responses import JSONResponse

from gateway.panel.access import allow, session_of
from gateway.panel.roles import May
from gateway.panel.view import View

ADDRESS = "/api/v1/certificates"
Thumbprint = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Certificate:
    """`kind` is pending, trusted, own, or pinned by the line file, which tells a thumbprint only.

    Times in ISO 8601, "" where not known. `ends` is whether it has ended or will within 30 days.
    """

    kind: str
    thumbprint: str
    sha1: str
    subject: str
    url: str
    devices: tuple[str, ...]
    since: str
    until: str
    days: int | None
    ends: bool


class Trust(Protocol):
    """The folders of certificates. Every call reads the disk: call it in a thread; OSError and ValueError with why."""

    def certificates(self) -> Sequence[Certificate]:
        """Pending ones first, ours last."""

    def accept(self, thumbprint: str) -> Sequence[str]:
        """Trust what is pending under it, in place of what was trusted of the same servers; their addresses."""

    def remove(self, thumbprint: str) -> Sequence[str]:
        """Forget what is pending or trusted under it; the addresses of the servers."""


def add_certificates(app: FastAPI, view: View, trust: Trust) -> None:
    """To see, accept and remove; one at a time."""
    one_at_a_time = asyncio.Lock()

    @app.get(ADDRESS, dependencies=[allow(May.CONFIGURE)])
    async def certificates() -> JSONResponse:
        return _fresh({"certificates": [asdict(one) for one in await _asked(trust.certificates)]})

    @app.post(ADDRESS + "/{thumbprint}", dependencies=[allow(May.CONFIGURE)])
    async def accept(request: Request, thumbprint: Thumbprint) -> JSONResponse:
        return await changed(request, "certificate_accepted", trust.accept, thumbprint)

    @app.delete(ADDRESS + "/{thumbprint}", dependencies=[allow(May.CONFIGURE)])
    async def remove(request: Request, thumbprint: Thumbprint) -> JSONResponse:
        return await changed(request, "certificate_removed", trust.remove, thumbprint)

    async def changed(request: Request, event: str, act: Any, thumbprint: str) -> JSONResponse:
        session = session_of(request)
        async with one_at_a_time:
            servers = await _asked(act, thumbprint)
            if not servers:
                raise HTTPException(404, "no certificate with this thumbprint waits: load the page again")
            role = session.role.value if session.role else ""
            await view.audit(event, session.id, role, f"sha256 {thumbprint} {' '.join(servers)}")
        return _fresh({"thumbprint": thumbprint, "servers": list(servers)})


async def _asked(call: Any, *arguments: str) -> Any:
    try:
        return await asyncio.to_thread(call, *arguments)
    except (OSError, ValueError) as error:
        raise HTTPException(409, f"the folder of certificates: {error}") from error


def _fresh(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
