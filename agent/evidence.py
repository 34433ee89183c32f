"""The folder of decision pictures: the last parts, and longer the parts that did not pass."""

from __future__ import annotations

import os
from pathlib import Path

NOTABLE_KEPT = 200  # parts after which the picture of a REJECT or ASK goes too


class Evidence:
    """Pictures <machine>-<shot>.webp of one machine. What a former run left counts as notable."""

    def __init__(self, folder: Path, machine: str, keep: int) -> None:
        self._folder, self._machine, self._keep = folder, machine, keep
        folder.mkdir(parents=True, exist_ok=True)
        self._notable: dict[int, bool] = {}
        for path in folder.glob(f"{machine}-*.webp"):
            number = path.stem.rpartition("-")[2]
            if number.isdecimal():
                self._notable[int(number)] = True

    def write(self, shot: int, content: bytes, *, notable: bool) -> str:
        """Store the picture whole or not at all; the file's name. OSError where the disk refuses."""
        path = self._path(shot)
        part = path.with_suffix(".part")
        with part.open("wb") as sheet:
            sheet.write(content)
            sheet.flush()
            os.fsync(sheet.fileno())
        part.replace(path)
        self._notable[shot] = notable
        return path.name

    def prune(self, shot: int) -> None:
        """Remove what is too old now that `shot` is recorded."""
        for old, notable in list(self._notable.items()):
            if old <= shot - (max(NOTABLE_KEPT, self._keep) if notable else self._keep):
                self._path(old).unlink(missing_ok=True)
                del self._notable[old]

    def _path(self, shot: int) -> Path:
        return self._folder / f"{self._machine}-{shot:06d}.webp"
