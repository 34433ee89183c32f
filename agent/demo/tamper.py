"""Test hooks: falsify one record, one message or one displayed count, to see that the balance names it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

Envelope = Mapping[str, Any]
WHAT = ("record", "message", "display")
HOW = ("drop", "double", "alter")
NTH = 5  # which count is falsified: any would do, an early one is there in every run


def parse(word: str) -> tuple[str, str]:
    """("message", "drop") of "message-drop"; ValueError with the choices otherwise."""
    what, _, how = word.partition("-")
    if what not in WHAT or how not in HOW:
        raise ValueError(f"--tamper: write one of {', '.join(f'{a}-{b}' for a in WHAT for b in HOW)}, not {word!r}")
    return what, how


def falsified(envelope: Envelope, how: str) -> list[Envelope]:
    """What is left of one envelope: nothing, two of it, or one with a part more."""
    if how == "drop":
        return []
    if how == "double":
        return [envelope, envelope]
    altered = copy.deepcopy(dict(envelope))
    altered["value"] = {**altered["value"], "delta": altered["value"]["delta"] + 1}
    return [altered]


def interference(how: str | None) -> Callable[[Envelope], list[Envelope]]:
    """Passes every envelope on, but falsifies the NTH that counts parts."""
    seen = 0

    def interfere(envelope: Envelope) -> list[Envelope]:
        nonlocal seen
        counts = envelope["kind"] == "count" and envelope["value"]["delta"] > 0
        seen += counts
        return falsified(envelope, how) if how and counts and seen == NTH else [envelope]

    return interfere


def display(counts: dict[str, dict[str, int]], how: str) -> dict[str, dict[str, int]]:
    """Displayed counts with the first machine's good count gone, doubled or one too many."""
    false = copy.deepcopy(counts)
    name = next(iter(false))
    if how == "drop":
        del false[name]["good"]
    elif how == "double":
        false[name]["good"] *= 2
    else:
        false[name]["good"] += 1
    return false
