"""Pure: what a server can be asked for at once, by what it says itself and by what is known of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PER_READ, ITEMS_PER_CALL = 11705, 11714
OPERATION_LIMITS = (PER_READ, ITEMS_PER_CALL)
USUAL = 1000  # nodes in a request to a server of which nothing is known


@dataclass(frozen=True, slots=True)
class Limits:
    """Nodes in a Read, items in a CreateMonitoredItems, values an item's queue holds, shortest publishing (s)."""

    per_read: int = USUAL
    items_per_call: int = USUAL
    queue: int = USUAL
    publishing_s: float = 0.0


def limits(told: Sequence[Any], profile: Mapping[str, Any]) -> Limits:
    """`told`: the values of OPERATION_LIMITS, 0 or None where the server has none; the stricter one of both holds."""
    per_read, per_call = (value if isinstance(value, int) and value > 0 else USUAL for value in told)
    return Limits(
        per_read=min(per_read, int(profile.get("per_read", USUAL))),
        items_per_call=min(per_call, int(profile.get("items_per_call", USUAL))),
        queue=min(USUAL, int(profile.get("queue", USUAL))),
        publishing_s=float(profile.get("publishing_ms", 0)) / 1000,
    )


def fitting(profiles: Mapping[str, Mapping[str, Any]], vendor: str, product: str) -> str | None:
    """The profile that a server's BuildInfo fits, the first of several; None where none does."""
    for name, profile in profiles.items():
        words = profile["manufacturer"], profile["product"]
        if all(word in said.lower() for word, said in zip(words, (vendor, product), strict=True)):
            return name
    return None
