"""People at the panel's door: one user of each role, and the headers by which each is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response

from gateway.panel.access import TOKEN, Access
from gateway.panel.roles import Role
from gateway.panel.users import Users

NO_SECRET = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"


@dataclass
class People:
    """A door with a user of each role; nobody knows their secrets."""

    access: Access
    ids: dict[Role, str]

    def headers(self, role: Role | None) -> dict[str, str]:
        """What a page of that role sends, in a session of its own; None is somebody who has not logged in."""
        if role is None:
            return {TOKEN: "none"}
        users = self.access.users
        user = users.get(self.ids[role]) if users else None
        assert user is not None
        response = Response()
        session = self.access.open(user, response)
        return {"cookie": response.headers["set-cookie"].partition(";")[0], TOKEN: session.token}


def people(folder: Path, *, guests: bool = False) -> People:
    """A user of each role, the admin first."""
    users = Users(folder)
    ids = {role: users.add(f"{role.value} one", role, NO_SECRET).id for role in reversed(Role)}
    return People(Access(users, guests=guests), ids)
