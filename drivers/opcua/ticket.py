"""What takes a session up again over a new channel, also as a text that outlives the process."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, nodeid_to_binary, struct_from_binary, struct_to_binary


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session's token, the server's last nonce, the identities it knows.

    The token is worth nothing to whoever has not our key, or without security our place in the network; and no longer
    than the session's timeout.
    """

    token: ua.NodeId
    nonce: bytes | None
    identities: Sequence[ua.UserTokenPolicy]


def as_text(ticket: Ticket) -> str:
    """The ticket as JSON."""
    octets = [nodeid_to_binary(ticket.token), ticket.nonce or b"", *map(struct_to_binary, ticket.identities)]
    return json.dumps([b64encode(one).decode() for one in octets])


def from_text(text: str) -> Ticket:
    """The ticket that `as_text` wrote; ValueError where it is none."""
    try:
        token, nonce, *identities = (b64decode(one) for one in json.loads(text))
        return Ticket(
            nodeid_from_binary(Buffer(token)),
            nonce or None,
            [struct_from_binary(ua.UserTokenPolicy, Buffer(one)) for one in identities],
        )
    except Exception as error:  # a library's decoder raises anything
        raise ValueError(f"not a ticket: {error}") from error
