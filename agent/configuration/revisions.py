"""The line file on disk and the versions of it that were kept, in the data folder: NNNNNN.toml and NNNNNN.json."""

from __future__ import annotations

import hashlib
import json
import stat
import time
from dataclasses import asdict
from pathlib import Path

from agent.configuration.diff import changes, text_diff
from agent.configuration.tables import LineFile
from agent.linefile import LineFileError, parse
from agent.storage.durable import put
from gateway.panel.linefile import Checked, RefusedError, Stand, Version

KEPT = 100
UNREADABLE_MODE = 0o600


class Revisions:
    """`gateway.panel.linefile.Desk`: the file at `path`, versions in `folder`, and what the agent runs with."""

    def __init__(self, path: Path, folder: Path, running: LineFile) -> None:
        self._path, self._folder, self._running = path, folder, running
        self._started = digest(path.read_text(encoding="utf-8"))

    def stand(self) -> Stand:
        """The file as it is, and its versions, newest first."""
        text = self._path.read_text(encoding="utf-8")
        return Stand(self._path.name, text, digest(text), self._started, tuple(self._versions()))

    def version(self, number: int) -> str | None:
        """The text of a kept version."""
        path = self._file(number, "toml")
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def check(self, text: str) -> Checked:
        """Every mistake; the diff to the file; what would change of what runs, where there is no mistake."""
        diff = tuple(text_diff(self._path.read_text(encoding="utf-8"), text))
        try:
            found = parse(text, self._path)
        except LineFileError as error:
            return Checked(tuple((one.place, one.remedy) for one in error.mistakes), diff, ())
        return Checked((), diff, tuple(changes(self._running, found)))

    def apply(self, text: str, seen: str, by: str, role: str) -> Version:
        """What is there is kept, and the new text; then that takes the place of the file."""
        before = self._path.read_text(encoding="utf-8")
        if digest(before) != seen:
            raise RefusedError("somebody changed the line file since this page was loaded: load it again and compare")
        if before == text:
            raise RefusedError("nothing is changed")
        known = self._versions()
        try:
            if not known or known[0].digest != seen:
                self._keep(before, self._path.stat().st_mtime, "", "")
            kept = self._keep(text, time.time(), by, role)
        except OSError as error:
            raise RefusedError(f"{self._folder} takes no version ({error.strerror}): free space there") from error
        try:
            _replace(self._path, text)
        except OSError as error:
            self._forget(kept.number)
            raise RefusedError(
                f"the agent may not write {self._path} ({error.strerror}): keep the line file where it may "
                "(under systemd in the StateDirectory), or put this text there by hand"
            ) from error
        for old in self._versions()[KEPT:]:
            self._forget(old.number)
        return kept

    def _forget(self, number: int) -> None:
        for kind in ("json", "toml"):
            self._file(number, kind).unlink(missing_ok=True)

    def _versions(self) -> list[Version]:
        found = [Version(**json.loads(path.read_text())) for path in self._folder.glob("[0-9]*.json")]
        return sorted(found, key=lambda one: -one.number)

    def _keep(self, text: str, time: float, by: str, role: str) -> Version:
        known = self._versions()
        kept = Version(known[0].number + 1 if known else 1, time, by, role, digest(text))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(self._file(kept.number, "toml"), text)
        _replace(self._file(kept.number, "json"), json.dumps(asdict(kept)))  # last: a text alone is no version
        return kept

    def _file(self, number: int, kind: str) -> Path:
        return self._folder / f"{number:06d}.{kind}"


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Who may read it stays."""
    put(path, text, stat.S_IMODE(path.stat().st_mode) if path.exists() else UNREADABLE_MODE)
