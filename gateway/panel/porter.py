"""Lets people in by name and secret, at a pace at which guessing is hopeless."""

from __future__ import annotations

import math
import time

from fastapi import HTTPException, Request

from gateway.panel.access import Access, source
from gateway.panel.limits import Allowance, Tries
from gateway.panel.roles import Role, weakness
from gateway.panel.secrecy import BusyError
from gateway.panel.users import User, Users
from gateway.panel.view import View

WRONG = "name or secret is wrong"
A_NAME = 10 / 60.0  # log-ins a second for one name, from wherever: a PIN of six digits lasts for months
AT_ONCE = 10.0
REFUSALS_TOLD = 0.2  # records a second of log-ins refused: a flood does not fill the ledger
MOST_NAMES = 1000


class Porter:
    """Lets people in, at a pace at which guessing is hopeless and the machines notice nothing."""

    def __init__(self, access: Access, view: View) -> None:
        self.access = access
        self._view = view
        self._tries = Tries()
        self._names: dict[str, Allowance] = {}
        self._told = Allowance(REFUSALS_TOLD, AT_ONCE)

    @property
    def users(self) -> Users:
        """The users; 404 where this panel has none."""
        if self.access.users is None:
            raise HTTPException(404, "nobody can log in to this panel")
        return self.access.users

    async def user(self, request: Request, name: str, secret: str) -> User:
        """Who this is; 401 where nobody, 429 for trying too often."""
        now, origin = time.monotonic(), source(request)
        self._pace(origin, name, now)
        self._tries.fail(origin, now)
        user = self.users.named(name)
        if not await self._fits(secret, user):
            await self._refused(user)
            raise HTTPException(401, WRONG)
        assert user is not None
        self._tries.succeed(origin)
        return user

    async def first(self, request: Request, name: str, secret: str, code: str) -> User:
        """The first admin; 409 where there is one, 401 for a wrong code."""
        now, origin = time.monotonic(), source(request)
        if self.users.claimed:
            raise HTTPException(409, "there is an admin already: log in")
        self._pace(origin, "", now)
        self._tries.fail(origin, now)
        if not self.users.fits_code(code):
            await self._refused(None)
            raise HTTPException(401, "the code is wrong: it stands on the console and in access/first-admin.code")
        self._tries.succeed(origin)
        hashed = await self.hashed(Role.ADMIN, name, secret)
        if not self.users.fits_code(code):  # somebody was faster while this was computed
            raise HTTPException(409, "there is an admin already: log in")
        user = self.users.add(name, Role.ADMIN, hashed)
        self.access.claimed.set()
        return user

    async def hashed(self, role: Role, name: str, secret: str) -> str:
        """What is kept of a new secret; 422 for a weak one."""
        if weak := weakness(role, name, secret):
            raise HTTPException(422, weak)
        try:
            return await self.access.secrecy.hash(secret)
        except BusyError as error:
            raise HTTPException(503, str(error), {"retry-after": "1"}) from error

    async def changed(self, request: Request, user: User, old: str, new: str) -> User:
        """The user with another secret, all sessions ended; 401 where the old one does not fit, 422 for a weak one."""
        await self.user(request, user.name, old)
        if new == old:
            raise HTTPException(422, "this is the secret you have: choose another one")
        hashed = await self.hashed(user.role, user.name, new)
        if self.users.get(user.id) != user:  # an admin was faster while this was computed
            raise HTTPException(409, "somebody changed this user: log in again")
        return self.users.change(user.id, None, hashed)

    def _pace(self, origin: str, name: str, now: float) -> None:
        if len(self._names) > MOST_NAMES:
            self._names.clear()
        allowance = self._names.setdefault(name.casefold(), Allowance(A_NAME, AT_ONCE))
        if wait := self._tries.wait(origin, now) or allowance.wait(now):
            raise HTTPException(429, "too many tries: wait", {"retry-after": str(math.ceil(wait))})

    async def _fits(self, secret: str, user: User | None) -> bool:
        try:
            return await self.access.secrecy.fits(secret, user.hash if user else None)
        except BusyError as error:
            raise HTTPException(503, str(error), {"retry-after": "1"}) from error

    async def _refused(self, user: User | None) -> None:
        if not self._told.wait(time.monotonic()):
            await self._view.audit("login_refused", user.id if user else "", user.role.value if user else "", "")
