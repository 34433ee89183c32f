"""Who may do what on the panel: one table. Pure."""

from __future__ import annotations

from enum import StrEnum

HOUR = 3600


class Role(StrEnum):
    """What a person is to the line."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    HOST = "host"
    ENGINEER = "engineer"
    ADMIN = "admin"


class May(StrEnum):
    """What a route lets one do; every route names one of these."""

    KNOCK = "knock"  # the pages themselves, and logging in: no figure of the line
    OWN = "own"  # change the secret one logs in with
    LOOK = "look"  # states, figures, inspections, plans
    TRACE = "trace"  # devices, addresses, models, raw samples, records
    DECIDE = "decide"  # give a stop its reason, settle an ASK
    ORDER = "order"  # hand in orders
    CONFIGURE = "configure"  # the line file, certificates, what a device has, the diagnostics
    AUDIT = "audit"  # read who did what
    USERS = "users"  # add people, take them away


TABLE: dict[Role | None, frozenset[May]] = {
    None: frozenset({May.KNOCK}),
    Role.VIEWER: frozenset({May.KNOCK, May.OWN, May.LOOK, May.TRACE}),
    Role.OPERATOR: frozenset({May.KNOCK, May.OWN, May.LOOK, May.TRACE, May.DECIDE}),
    Role.HOST: frozenset({May.KNOCK, May.OWN, May.LOOK}),
    Role.ENGINEER: frozenset(May) - {May.USERS},
    Role.ADMIN: frozenset(May),
}

# Seconds until a person logs in again: a shift for those who watch, less for those who change things.
LASTS = {Role.VIEWER: 12 * HOUR, Role.OPERATOR: 12 * HOUR, Role.HOST: 12 * HOUR, Role.ENGINEER: 8 * HOUR,
         Role.ADMIN: 2 * HOUR}  # fmt: skip

SHORTEST_PIN = 6
SHORTEST_PASSWORD = 10
LONGEST_SECRET = 128


def allowed(role: Role | None, may: May) -> bool:
    """Whether the role may; None is somebody who did not log in."""
    return may in TABLE[role]


def weakness(role: Role, name: str, secret: str) -> str | None:
    """What is wrong with a secret of that role, None where it will do: a PIN for operators, else a password."""
    if len(secret) > LONGEST_SECRET:
        return f"at most {LONGEST_SECRET} characters"
    if role is Role.OPERATOR:
        digits = secret.isascii() and secret.isdigit() and len(secret) >= SHORTEST_PIN
        plain = len(set(secret)) < 3 or secret in "01234567890" or secret in "09876543210"
        return None if digits and not plain else f"a PIN has at least {SHORTEST_PIN} digits that are no plain row"
    if len(secret) < SHORTEST_PASSWORD or len(set(secret)) < 5:
        return f"a password has at least {SHORTEST_PASSWORD} characters, five of them different"
    if name and name.lower() in secret.lower():
        return "a password does not contain the name"
    return None
