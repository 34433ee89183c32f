"""Seeds that are done, a line each in artifacts/faults/PART.jsonl, so that a long run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.part import Found

FOLDER = Path(__file__).parents[2] / "artifacts" / "faults"


class Finished:
    """The seeds of one part in one form; a line of another form is kept and not counted."""

    def __init__(self, part: str, form: Mapping[str, Any], *, fresh: bool) -> None:
        self._path = FOLDER / f"{part}.jsonl"
        self._form = dict(form)
        FOLDER.mkdir(parents=True, exist_ok=True)
        if fresh:
            self._path.unlink(missing_ok=True)
        self.found: dict[int, Found] = {}
        self.seconds = 0.0
        for line in self._lines():
            if line["form"] == self._form:
                self._take(line)

    def add(self, seed: int, found: Found, seconds: float) -> None:
        """One more, on disk at once."""
        line = {"seed": seed, "form": self._form, "found": found, "seconds": round(seconds, 3)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._take(line)

    def _take(self, line: Mapping[str, Any]) -> None:
        self.found[line["seed"]] = line["found"]
        self.seconds += line["seconds"]

    def _lines(self) -> list[Any]:
        """All lines; a last one that was torn by what stopped the run is taken away."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")
        return [json.loads(line) for line in whole.splitlines()]
