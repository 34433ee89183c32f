"""Who is asking: sessions in a signed cookie, and the one line by which a route says what it lets one do."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, WebSocketException
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, APIWebSocketRoute
from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from gateway.guard import SAFE
from gateway.panel.roles import LASTS, May, Role, allowed
from gateway.panel.secrecy import Secrecy
from gateway.panel.users import User, Users

TOKEN = "x-tanchang"  # the header of a writing request: a page of another origin cannot send it unasked
GUEST = "guest"
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
POLICY = 1008  # RFC 6455: policy violation


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks: `id` is what records carry, `role` None for somebody not logged in, `until` seconds since 1970.

    `token` is what a writing request has to bring; "" where there is no cookie that a foreign page could use.
    """

    id: str
    role: Role | None
    token: str = ""
    nonce: str = ""
    until: int = 0


NOBODY = Session("", None)


class Access:
    """The door of one panel. With `guests`, who sits at this machine looks without logging in.

    Without users nobody can log in: guests look, and nothing can be changed.
    """

    def __init__(self, users: Users | None = None, *, guests: bool = False) -> None:
        self.users = users
        self.guests = guests
        self.secrecy = Secrecy()
        self.claimed = asyncio.Event()  # the first admin was made while this ran
        key = users.key if users else secrets.token_urlsafe(48)
        self._key = key.encode()
        self._signer = URLSafeSerializer(key, "tanchang session", signer_kwargs={"digest_method": hashlib.sha256})
        # Browsers send a cookie to every port of a host: two panels on one machine must not end each other's sessions.
        self.cookie = f"tanchang_{hashlib.sha256(self._key).hexdigest()[:8]}"

    def open(self, user: User, response: Response) -> Session:
        """Let a user in: the cookie goes out with this response."""
        lasts = LASTS[user.role]
        session = self._session(user, secrets.token_urlsafe(12), int(time.time()) + lasts)
        told = {"u": user.id, "e": user.epoch, "n": session.nonce, "t": session.until}
        response.set_cookie(
            self.cookie, self._signer.dumps(told), max_age=lasts, path="/", httponly=True, samesite="strict"
        )
        return session

    def close(self, session: Session, response: Response) -> None:
        """The session is over, here and wherever its cookie was copied to."""
        if self.users and session.nonce:
            self.users.end(session.nonce, session.until, int(time.time()))
        response.delete_cookie(self.cookie, path="/", httponly=True, samesite="strict")

    def who(self, connection: HTTPConnection) -> Session:
        """The session the request belongs to."""
        return self._known(connection.cookies.get(self.cookie)) or self._guest(connection)

    def _known(self, cookie: str | None) -> Session | None:
        if not cookie or self.users is None:
            return None
        try:
            told: dict[str, Any] = self._signer.loads(cookie)
        except BadData:
            return None
        user = self.users.get(told["u"])
        if user is None or user.epoch != told["e"] or told["t"] <= time.time() or self.users.ended(told["n"]):
            return None
        return self._session(user, told["n"], told["t"])

    def _session(self, user: User, nonce: str, until: int) -> Session:
        token = hmac.new(self._key, f"token {nonce}".encode(), hashlib.sha256).hexdigest()[:32]
        return Session(user.id, user.role, token, nonce, until)

    def _guest(self, connection: HTTPConnection) -> Session:
        near = self.guests and _is_loopback(source(connection))
        # What a proxy on this machine passes on comes from somewhere else.
        return Session(GUEST, Role.VIEWER) if near and not any(map(connection.headers.get, FORWARDED)) else NOBODY


@dataclass(frozen=True, slots=True)
class Allow:
    """What a route lets one do; asked before the route runs."""

    may: May

    async def __call__(self, connection: HTTPConnection) -> Session:
        """The session, where its role may; else 401 to log in, 403 where logging in would not help."""
        session: Session = connection.app.state.access.who(connection)
        refusal = self._refusal(connection, session)
        if refusal is None:
            connection.state.session = session
            return session
        if connection.scope["type"] == "websocket":
            raise WebSocketException(POLICY, refusal)
        raise HTTPException(401 if session.role is None else 403, refusal)

    def _refusal(self, connection: HTTPConnection, session: Session) -> str | None:
        if not allowed(session.role, self.may):
            return "log in first" if session.role is None else f"this is not for a {session.role.value}"
        if connection.scope["type"] == "http" and connection.scope["method"] not in SAFE:
            token = connection.headers.get(TOKEN, "")
            if not token or (session.token and not hmac.compare_digest(token.encode(), session.token.encode())):
                return f"send the header {TOKEN} with the token of this session"
        return None


def allow(may: May) -> Any:
    """For a route's `dependencies`: `@app.get("/api/v1/users", dependencies=[allow(May.USERS)])`."""
    return Depends(Allow(may))


def session_of(connection: HTTPConnection) -> Session:
    """Who asks, within a route that says `allow`."""
    session: Session = connection.state.session
    return session


def source(connection: HTTPConnection) -> str:
    """Where a request comes from, for counting: an address, of IPv6 the network of one house."""
    try:
        address = ipaddress.ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.version == 6 and not address.is_loopback:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def declared(app: FastAPI) -> list[tuple[str, str, May]]:
    """Method, path and what it lets one do, of every route; ValueError for a route that does not say."""
    found = []
    for route in app.routes:
        calls = [one.call for one in getattr(getattr(route, "dependant", None), "dependencies", ())]
        says = [call.may for call in calls if isinstance(call, Allow)]
        if len(says) != 1:
            raise ValueError(
                f"route {getattr(route, 'path', route)} has to say once what it lets one do: allow(May...)"
            )
        if isinstance(route, APIWebSocketRoute):
            found.append(("WEBSOCKET", route.path, says[0]))
        elif isinstance(route, APIRoute):
            found += [(method, route.path, says[0]) for method in sorted(route.methods or ())]
    return found


def document(app: FastAPI, role: Role | None) -> dict[str, Any]:
    """The OpenAPI document of what the role may do."""
    routes: Iterable[Any] = [
        route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema and _may(route, role)
    ]
    return get_openapi(title=app.title, version="1", routes=list(routes))


def _may(route: APIRoute, role: Role | None) -> bool:
    return all(allowed(role, one.call.may) for one in route.dependant.dependencies if isinstance(one.call, Allow))
