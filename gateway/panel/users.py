"""People who may log in: a file of their own in the state folder, written whole, readable by the agent alone."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agent.storage.durable import put
from gateway.panel.roles import Role

PRIVATE = 0o600
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another
MOST_USERS = 200


class UsersError(Exception):
    """The file of users cannot be used, or a change of it is refused; says what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """One person. `id` is what records carry; `name` is what is typed at the log-in and never leaves this machine.

    A session made before `epoch` went up is over.
    """

    id: str
    name: str
    role: Role
    hash: str
    epoch: int = 0


class Users:
    """The users, the key that signs sessions, and until there is an admin the code that makes the first one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file, self._code = folder / "users.json", folder / "first-admin.code"
        self._users, self._ended = _read(self._file)
        self.key = _made_once(folder / "session.key", secrets.token_urlsafe(48))
        self.code = None if self.claimed else _made_once(self._code, _new_code())

    @property
    def claimed(self) -> bool:
        """Whether there is an admin."""
        return any(one.role is Role.ADMIN for one in self._users.values())

    def all(self) -> tuple[User, ...]:
        """Everybody, in the order they came."""
        return tuple(self._users.values())

    def get(self, ident: str) -> User | None:
        """The user of that id."""
        return self._users.get(ident)

    def named(self, name: str) -> User | None:
        """The user of that name; case does not matter."""
        return next((one for one in self._users.values() if one.name.casefold() == name.casefold()), None)

    def fits_code(self, code: str) -> bool:
        """Whether this is the code that makes the first admin; dashes, spaces and case do not matter."""
        said = "".join(code.upper().replace("-", "").split())
        return self.code is not None and hmac.compare_digest(said.encode(), self.code.replace("-", "").encode())

    def add(self, name: str, role: Role, hashed: str) -> User:
        """A new user, on disk; the first admin uses up the code."""
        if self.named(name) is not None:
            raise UsersError(f"{name} is taken: choose another name")
        if len(self._users) >= MOST_USERS:
            raise UsersError(f"there are {MOST_USERS} users: take one away first")
        user = User(f"u{secrets.token_hex(4)}", name, role, hashed)
        self._write({**self._users, user.id: user}, self._ended)
        if self.claimed:
            self.code = None
            self._code.unlink(missing_ok=True)
        return user

    def change(self, ident: str, role: Role | None = None, hashed: str | None = None) -> User:
        """Another role or secret, on disk; ends the user's sessions. UsersError for the last admin's role."""
        before = self._known(ident)
        user = replace(before, role=role or before.role, hash=hashed or before.hash, epoch=before.epoch + 1)
        self._keep_an_admin({**self._users, ident: user})
        return user

    def remove(self, ident: str) -> User:
        """Take a user away; UsersError for the last admin."""
        user = self._known(ident)
        self._keep_an_admin({known: one for known, one in self._users.items() if known != ident})
        return user

    def end(self, session: str, until: int, now: int) -> None:
        """Nobody comes in with this session again; it is forgotten at `until` (s since 1970), when it ends anyway."""
        self._write(self._users, {**{one: end for one, end in self._ended.items() if end > now}, session: until})

    def ended(self, session: str) -> bool:
        """Whether somebody logged out of it."""
        return session in self._ended

    def _known(self, ident: str) -> User:
        if ident not in self._users:
            raise UsersError("there is no such user: load the page again")
        return self._users[ident]

    def _keep_an_admin(self, users: Mapping[str, User]) -> None:
        if not any(one.role is Role.ADMIN for one in users.values()):
            raise UsersError("this is the last admin: make another one first")
        self._write(users, self._ended)

    def _write(self, users: Mapping[str, User], ended: Mapping[str, int]) -> None:
        whole = {"users": [asdict(one) for one in users.values()], "ended": dict(ended)}
        put(self._file, json.dumps(whole, indent=1, ensure_ascii=False), PRIVATE)
        self._users, self._ended = dict(users), dict(ended)


def _read(path: Path) -> tuple[dict[str, User], dict[str, int]]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        users = [User(**{**one, "role": Role(one["role"])}) for one in told["users"]]
        return {one.id: one for one in users}, {str(one): int(end) for one, end in told["ended"].items()}
    except FileNotFoundError:
        return {}, {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsersError(
            f"{path} cannot be read ({error}): bring back a copy of it, or move it away and make the first admin anew"
        ) from error


def _made_once(path: Path, fresh: str) -> str:
    try:
        if kept := path.read_text(encoding="utf-8").strip():
            return kept
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise UsersError(f"{path} cannot be read ({error}): move it away and start again") from error
    put(path, fresh, PRIVATE)
    return fresh


def _new_code() -> str:
    """60 bits in three groups of four."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
