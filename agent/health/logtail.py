"""The last lines of the log, kept in memory for the diagnostics."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LINES = 2000
LONGEST = 2000


class Tail(logging.Handler):
    """Keeps the last LINES lines, each at most LONGEST characters."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """One more line."""
        self._lines.append(self.format(record)[:LONGEST])

    def text(self) -> str:
        """All of them."""
        return "\n".join([*self._lines, ""])


@contextmanager
def tailing() -> Iterator[Tail]:
    """The log is kept for as long as the block lasts."""
    tail, root = Tail(), logging.getLogger()
    root.addHandler(tail)
    try:
        yield tail
    finally:
        root.removeHandler(tail)
