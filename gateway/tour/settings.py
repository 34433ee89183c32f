"""What a tour server is told at its start."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

PUBLIC_DELAY_S = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """One line, one profile, one server. `line` is site/area/line; `capability` stands in every address.

    `hosts` are the names screens may call the server by, beside its own address and loopback.
    """

    broker_host: str
    broker_port: int
    line: str
    profile: str = "hall"
    delay_s: float = 0.0
    listen_host: str = "127.0.0.1"
    listen_port: int = 8090
    hosts: Sequence[str] = ()
    capability: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    attached: bool = False
