"""A disk that fails when told to: shim.c between SQLite and the kernel, preloaded into this process."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.faults.finished import FOLDER

Call = Literal["write", "fsync"]
CALLS: dict[Call | None, int] = {"write": 0, "fsync": 1, None: -1}
SOURCE = Path(__file__).with_name("shim.c")


def missing() -> str | None:
    """Why it cannot be made here."""
    return None if shutil.which("gcc") else "needs gcc and the C library's headers"


def environment() -> dict[str, str]:
    """What a process needs that is to have it; compiles it once."""
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    library = FOLDER / f"shim-{name}.so"
    if not library.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        half = library.with_suffix(f".{os.getpid()}")
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(half), str(SOURCE), "-ldl"], check=True)
        half.rename(library)
    return {"LD_PRELOAD": str(library)}


class Disk:
    """What the shim saw since it was armed."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def count(self, call: Call) -> int:
        """How many calls of a kind."""
        return int(self._library.count(CALLS[call]))


@contextmanager
def failing(
    call: Call | None = None, at: int = 0, times: int = 1, *, torn: bool = False, slow_s: float = 0.0
) -> Iterator[Disk]:
    """Within the block calls number `at` and `times - 1` more fail, and each takes `slow_s` longer.

    `torn` writes leave half of what was to be written. The process must have been started with `environment`.
    """
    library = ctypes.CDLL(os.environ["LD_PRELOAD"])
    library.count.restype = ctypes.c_long
    library.arm(CALLS[call], ctypes.c_long(at), ctypes.c_long(times), int(torn), ctypes.c_long(int(slow_s * 1e6)))
    try:
        yield Disk(library)
    finally:
        library.disarm()
