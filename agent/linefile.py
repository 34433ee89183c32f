"""TOML -> a checked LineFile, every mistake in the engineer's words; and the schema an editor completes keys from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.configuration.crosscheck import cross_references
from agent.configuration.mistake import Mistake, from_validation
from agent.configuration.tables import LineFile
from drivers.catalog import DRIVERS, device_type


class LineFileError(Exception):
    """The line file cannot be used; `mistakes` has every one of them."""

    def __init__(self, path: Path, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in mistakes))
        self.mistakes = tuple(mistakes)


def load(path: Path) -> LineFile:
    """The checked line file; LineFileError lists every mistake, OSError where it cannot be read."""
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise LineFileError(path, [Mistake("", f"not TOML: {error}")]) from error


def parse(text: str, path: Path) -> LineFile:
    """The same of a text that lies at `path`, or will: its files start from there."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LineFileError(path, [Mistake("", f"not TOML: {error}")]) from error
    except RecursionError as error:
        raise LineFileError(path, [Mistake("", "not a line file: tables within tables without end")]) from error
    _place_files(raw, path.parent)
    mistakes = _device_mistakes(raw)
    try:
        line_file = LineFile.model_validate(raw)
    except ValidationError as error:
        raise LineFileError(path, from_validation(error, raw, LineFile) + mistakes) from error
    if not mistakes:
        mistakes = cross_references(line_file, line_file.devices)
    if mistakes:
        raise LineFileError(path, mistakes)
    return line_file


def schema() -> dict[str, Any]:
    """The JSON schema an editor completes keys from, each device table by its driver's own model."""
    document = LineFile.model_json_schema()
    tables = []
    for driver in DRIVERS:
        table = device_type(driver).model_json_schema(ref_template=f"#/$defs/{driver}/$defs/{{model}}")
        table["properties"]["driver"] = {"const": driver}
        document["$defs"][driver] = table
        tables.append({"$ref": f"#/$defs/{driver}"})
    document["properties"]["device"]["items"] = {"oneOf": tables}
    return document


def _place_files(raw: Mapping[str, Any], base: Path) -> None:
    """What a device table says of files starts from the line file, not from where the agent was started."""
    tables = raw.get("device", [])
    for table in tables if isinstance(tables, list) else []:
        if not isinstance(table, dict) or table.get("driver") not in DRIVERS:
            continue
        for key, usual in device_type(table["driver"]).files.items():
            written = table.get(key, usual or None)
            if isinstance(written, str):
                table[key] = str(base / written)


def _device_mistakes(raw: Mapping[str, Any]) -> list[Mistake]:
    mistakes: list[Mistake] = []
    tables = raw.get("device", [])
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        if not isinstance(table, dict):
            continue
        name = table.get("name", f"number {number + 1}")
        if table.get("driver") not in DRIVERS:
            mistakes.append(Mistake(f"device {name}, driver", f"write one of {', '.join(DRIVERS)}"))
            continue
        kind = device_type(table["driver"])
        try:
            kind.model_validate(table)
        except ValidationError as error:
            mistakes += from_validation(error, table, kind, f"device {name}")
    return mistakes
