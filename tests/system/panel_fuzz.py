"""Every route of a role's OpenAPI document, called with what schemathesis makes up: no answer is a 5xx."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from gateway.panel.roles import Role
from tests.system.panel_people import People

BUSY = 503  # the one 5xx that is an answer: too much at once, told with retry-after


def document(address: str, people: People, role: Role | None) -> dict[str, Any]:
    """The OpenAPI document as the role gets it."""
    request = urllib.request.Request(f"http://{address}/api/v1/openapi.json", headers=people.headers(role))
    with urllib.request.urlopen(request) as reply:
        told: dict[str, Any] = json.load(reply)
    return told


def fuzzed(address: str, people: People, role: Role | None, examples: int, seed: int = 0) -> Counter[int]:
    """How often each status came; AssertionError with the request for a 5xx. Blocks: call it in a thread."""
    found: Counter[int] = Counter()
    for operation in schemathesis.openapi.from_dict(document(address, people, role)).get_all_operations():
        _fuzz(operation.ok(), address, people, role, settings(**_bounds(examples)), seed, found)
    return found


def _bounds(examples: int) -> dict[str, Any]:
    return {"max_examples": examples, "deadline": None, "database": None, "phases": (Phase.generate,),
            "suppress_health_check": list(HealthCheck)}  # fmt: skip


def _fuzz(
    operation: Any, address: str, people: People, role: Role | None, bounds: settings, seed: int, found: Counter[int]
) -> None:
    @hypothesis.seed(seed)
    @bounds
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        # Each request is of a session of its own: one of them is the log-out.
        reply = case.call(base_url=f"http://{address}", headers=people.headers(role))
        found[reply.status_code] += 1
        assert reply.status_code < 500 or (reply.status_code == BUSY and "retry-after" in reply.headers), (
            f"{case.as_curl_command()}: {reply.status_code} {reply.text[:200]}"
        )

    ask()
