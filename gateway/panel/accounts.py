"""Routes for people: log in and out, the first admin, users, who did what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.model import Kind
from gateway import payload
from gateway.panel.access import Access, Session, allow, document, session_of
from gateway.panel.porter import Porter
from gateway.panel.roles import LONGEST_SECRET, TABLE, May, Role, allowed
from gateway.panel.users import User, UsersError
from gateway.panel.view import View

Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^\w[\w .@-]*$")]
Secret = Annotated[str, Field(min_length=1, max_length=LONGEST_SECRET)]


class Body(BaseModel):
    """What a request brings: nothing else is taken."""

    model_config = ConfigDict(extra="forbid")


class LogIn(Body):
    """A name and its PIN or password."""

    name: Name
    secret: Secret


class Claim(LogIn):
    """The first admin, with the code from the console."""

    code: Annotated[str, Field(max_length=40)]


class Own(Body):
    """One's own secret: the old one and the new one."""

    old: Secret
    new: Secret


class NewUser(LogIn):
    """Somebody who may log in from now on."""

    role: Role


class Change(Body):
    """Another role or another secret."""

    role: Role | None = None
    secret: Secret | None = None


def add_accounts(app: FastAPI, view: View, access: Access) -> None:
    """Everything about people."""
    porter = Porter(access, view)
    _add_door(app, view, porter)
    _add_users(app, view, porter)

    @app.get("/api/v1/openapi.json", dependencies=[allow(May.KNOCK)], include_in_schema=False)
    async def openapi(request: Request) -> JSONResponse:
        return _fresh(document(app, session_of(request).role))

    @app.get("/api/v1/audit", dependencies=[allow(May.AUDIT)])
    async def audit(request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 60) -> JSONResponse:
        facts = view.records(Kind.AUDIT, None, None, None, limit, newest=True)
        names = {one.id: one.name for one in access.users.all()} if access.users else {}
        shown = names if allowed(session_of(request).role, May.USERS) else {}
        return _fresh({"records": [payload.record(view.now().ledger, one) for one in facts], "names": shown})


def _add_door(app: FastAPI, view: View, porter: Porter) -> None:
    access = porter.access

    @app.get("/api/v1/me", dependencies=[allow(May.KNOCK)])
    async def me(request: Request) -> JSONResponse:
        return _fresh(_me(access, session_of(request)))

    @app.post("/api/v1/login", dependencies=[allow(May.KNOCK)])
    async def login(request: Request, said: LogIn) -> JSONResponse:
        user = await porter.user(request, said.name, said.secret)
        return await entered(user, "login")

    @app.post("/api/v1/claim", status_code=201, dependencies=[allow(May.KNOCK)])
    async def claim(request: Request, said: Claim) -> JSONResponse:
        try:
            user = await porter.first(request, said.name, said.secret, said.code)
        except UsersError as error:
            raise HTTPException(409, str(error)) from error
        return await entered(user, "claim", 201)

    async def entered(user: User, event: str, status: int = 200) -> JSONResponse:
        await view.audit(event, user.id, user.role.value, "")
        response = JSONResponse({}, status, {"cache-control": "no-store"})
        session = access.open(user, response)
        response.body = payload.encode(_me(access, session))
        response.headers["content-length"] = str(len(response.body))
        return response

    @app.post("/api/v1/me/secret", dependencies=[allow(May.OWN)])
    async def secret(request: Request, said: Own) -> JSONResponse:
        """One's own PIN or password; ends all sessions of this user but the one it is changed in."""
        user = porter.users.get(session_of(request).id)
        if user is None:
            raise HTTPException(403, "nobody is logged in here who has a secret")
        return await entered(await porter.changed(request, user, said.old, said.new), "secret_changed")

    @app.post("/api/v1/logout", dependencies=[allow(May.KNOCK)])
    async def logout(request: Request) -> JSONResponse:
        session, response = session_of(request), JSONResponse({}, headers={"cache-control": "no-store"})
        access.close(session, response)
        if session.nonce:
            await view.audit("logout", session.id, session.role.value if session.role else "", "")
        return response


def _add_users(app: FastAPI, view: View, porter: Porter) -> None:
    @app.get("/api/v1/users", dependencies=[allow(May.USERS)])
    async def users() -> JSONResponse:
        return _fresh({"users": [_user(one) for one in porter.users.all()]})

    @app.post("/api/v1/users", status_code=201, dependencies=[allow(May.USERS)])
    async def add(request: Request, said: NewUser) -> JSONResponse:
        hashed = await porter.hashed(said.role, said.name, said.secret)
        user = _done(lambda: porter.users.add(said.name, said.role, hashed))
        await told(request, "user_added", f"{user.id} {user.role.value}")
        return JSONResponse(_user(user), 201)

    @app.patch("/api/v1/users/{ident}", dependencies=[allow(May.USERS)])
    async def change(request: Request, ident: str, said: Change) -> JSONResponse:
        before = known(ident)
        role = said.role or before.role
        if said.secret is None and Role.OPERATOR in (role, before.role) and role is not before.role:
            raise HTTPException(422, "between a PIN and a password the secret changes too: give a new one")
        hashed = await porter.hashed(role, before.name, said.secret) if said.secret else None
        user = _done(lambda: porter.users.change(ident, said.role, hashed))
        await told(request, "user_changed", f"{user.id} {user.role.value}")
        return JSONResponse(_user(user))

    @app.delete("/api/v1/users/{ident}", status_code=204, dependencies=[allow(May.USERS)])
    async def remove(request: Request, ident: str) -> Response:
        known(ident)
        user = _done(lambda: porter.users.remove(ident))
        await told(request, "user_removed", f"{user.id} {user.role.value}")
        return Response(status_code=204)

    def known(ident: str) -> User:
        user = porter.users.get(ident)
        if user is None:
            raise HTTPException(404, "there is no such user: load the page again")
        return user

    async def told(request: Request, event: str, detail: str) -> None:
        session = session_of(request)
        await view.audit(event, session.id, session.role.value if session.role else "", detail)


def _done(change: Any) -> User:
    try:
        user: User = change()
    except UsersError as error:
        raise HTTPException(409, str(error)) from error
    return user


def _me(access: Access, session: Session) -> dict[str, Any]:
    """What a page has to know of who looks at it."""
    user = access.users.get(session.id) if access.users else None
    return {
        "id": session.id,
        "name": user.name if user else "",
        "role": session.role.value if session.role else None,
        "may": sorted(one.value for one in TABLE[session.role]),
        "token": session.token,
        "until": session.until or None,
        "claimed": access.users is None or access.users.claimed,
        "accounts": access.users is not None,
    }


def _user(one: User) -> dict[str, str]:
    return {"id": one.id, "name": one.name, "role": one.role.value}


def _fresh(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
