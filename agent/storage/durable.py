"""Files that are there whole or not at all, also where the power fails."""

from __future__ import annotations

import os
from pathlib import Path


def put(path: Path, text: str, mode: int) -> None:
    """Put the text in place of what the file holds; it may be read as `mode` says, from its first octet on."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    settle(path.parent)


def settle(folder: Path) -> None:
    """What was moved in a folder is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
