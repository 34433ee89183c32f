"""One line for many screens: delay, hall and redaction in a row, one document for all clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.tour.delay import Delay
from gateway.tour.hall import Hall
from gateway.tour.redact import public

TREES = {"hall": "tanchang/v1", "public": "tanchang-public/v1"}
FRESH_S = 0.25  # a document this young is served again, however many screens ask


class Display:
    """Takes live messages of a line, tells what screens show now. `clock` is monotonic, in seconds."""

    def __init__(self, line: str, profile: str, delay_s: float, clock: Callable[[], float]) -> None:
        self.root = f"{TREES[profile]}/{line}"
        self.profile = profile
        self._hall = Hall(self.root)
        self._delay: Delay[tuple[str, bytes, bool]] = Delay(delay_s)
        self._clock = clock
        self._made_at = float("-inf")
        self._made: dict[str, Any] = {}

    def take(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Accept a message as it comes from the broker."""
        now = self._clock()
        self._delay.put((topic, payload, retained), now)
        self._pass_on(now)

    def document(self) -> dict[str, Any]:
        """The document of now minus the delay, through the profile."""
        now = self._clock()
        if now - self._made_at >= FRESH_S:
            self._made, self._made_at = self._make(now), now
        return self._made

    def _pass_on(self, now: float) -> None:
        for arrived, (topic, payload, retained) in self._delay.due(now):
            self._hall.take(topic, payload, arrived, retained=retained)

    def _make(self, now: float) -> dict[str, Any]:
        self._pass_on(now)
        document = self._hall.document(now - self._delay.seconds)
        document["marks"] |= {"delayed_s": self._delay.seconds, "public": self.profile == "public"}
        return public(document) if self.profile == "public" else document
