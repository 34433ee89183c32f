"""The faults of one part: each is reported once when it begins and cleared once when it is over."""

from __future__ import annotations

from collections.abc import Callable

from agent.model import Fault

Report = Callable[[Fault], object]
Clear = Callable[[str, str], object]


class Alarms:
    """Faults of `source` by code. `now` is plant time in ns."""

    def __init__(self, source: str, report: Report, clear: Clear, now: Callable[[], int]) -> None:
        self._source = source
        self._report, self._clear, self._now = report, clear, now
        self._standing: set[str] = set()

    def set(self, code: str, message: str, remedy: str) -> None:
        """It is wrong; nothing where it is said already."""
        if code not in self._standing:
            self._standing.add(code)
            self._report(Fault(self._source, code, message, remedy, self._now()))

    def over(self, code: str) -> None:
        """It is right again, if it was wrong."""
        if code in self._standing:
            self._standing.remove(code)
            self._clear(self._source, code)
