"""The other end of the record lane: one integer a ledger makes at-least-once into exactly once. Pure.

A consumer keeps `last` where it keeps what it counted, in one transaction, and acknowledges a message after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Verdict = Literal["new", "seen", "gap", "early"]

EVERY = 100  # records between two acknowledgements


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


class NamedConsumer(Consumer):
    """The consumer that [mqtt] names: it says what it holds and is told again what it missed, so it misses nothing.

    After each `join` and `take`, and once `last` is kept, publish `due` on `<line>/_ack/<name>`, QoS 1, retained.
    """

    def __init__(self, last: Mapping[str, int] | None = None) -> None:
        super().__init__(last)
        self._untold = 0
        self._again = self._asked = False

    def join(self) -> None:
        """A new link is subscribed: what was told before may have gone elsewhere."""
        self._again = self._asked = True

    def take(self, payload: Mapping[str, Any]) -> Verdict:
        """As Consumer, but instead of `gap` `early`: drop it, those before it and then itself are told again."""
        if not self._follows(payload):
            self._again, self._asked = self._again or not self._asked, True
            return "early"
        verdict = super().take(payload)
        if verdict == "new":
            self._untold, self._asked = self._untold + 1, False
        elif payload["seq"] == self.last[payload["ledger"]]:
            self._untold = EVERY  # told again up to here: the agent does not know that it is held
        return verdict

    def due(self) -> dict[str, Any] | None:
        """What to publish now, None for nothing."""
        if not self._again and self._untold < EVERY:
            return None
        said = {"last": dict(self.last), "again": self._again}
        self._untold, self._again = 0, False
        return said

    def _follows(self, payload: Mapping[str, Any]) -> bool:
        """Whether none is missing before it. A ledger begins at 1, or, after another's damage, with that gap."""
        seq, last = int(payload["seq"]), self.last.get(payload["ledger"])
        if last is None:
            return seq == 1 or bool(payload["value"].get("cause") == "salvaged")
        return seq <= last + 1
