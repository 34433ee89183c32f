"""The other end of the record lane: one integer a ledger makes at-least-once into exactly once. Pure.

A consumer keeps `last` where it keeps what it counted, in one transaction, and acknowledges a message after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Verdict = Literal["new", "seen", "gap"]


class Consumer:
    """Judges records in order of arrival. `last` is the highest seq taken, by ledger."""

    def __init__(self, last: Mapping[str, int] | None = None) -> None:
        self.last = dict(last or {})

    def take(self, payload: Mapping[str, Any]) -> Verdict:
        """`new`: count it. `seen`: a repetition, drop it. `gap`: new as well, but records before it are missing.

        A ledger not heard of before may be joined anywhere: its first record is new.
        """
        ledger, seq = payload["ledger"], payload["seq"]
        last = self.last.get(ledger)
        if last is not None and seq <= last:
            return "seen"
        self.last[ledger] = seq
        return "new" if last is None or seq == last + 1 else "gap"
