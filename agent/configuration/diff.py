"""What an edited line file would change, by machines, devices and tags, and as a diff of its text. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent.configuration.tables import LineFile
from gateway.panel.linefile import Change

NAMED = ("device", "machine", "camera", "product", "shift")  # lists of tables that go by their name
AROUND = 3  # lines told around a change
MOST_LINES = 4000


def changes(before: LineFile, after: LineFile) -> list[Change]:
    """Tables added, removed and changed, in the order of the line file; tags as device.tag."""
    old, new = _tables(before), _tables(after)
    found = list(_compared("line", {"": _plain(old)}, {"": _plain(new)}))
    for kind in NAMED:
        found += _compared(kind, _by_name(old[kind]), _by_name(new[kind]))
        if kind == "device":
            found += _compared("tag", _tags(old[kind]), _tags(new[kind]))
    return found


def text_diff(before: str, after: str) -> list[tuple[str, str]]:
    """Lines with what becomes of them: "+", "-", " " where they stay, "@" for where in the file; at most MOST_LINES."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=AROUND, lineterm="")
    return [(line[0], line[1:]) for line in list(lines)[2 : MOST_LINES + 2]]


def _tables(line: LineFile) -> dict[str, Any]:
    return line.model_dump(mode="json", by_alias=True)


def _plain(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tables.items() if key not in NAMED}


def _by_name(tables: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {table["name"]: {key: value for key, value in table.items() if key != "tag"} for table in tables}


def _tags(devices: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {f"{device['name']}.{tag['name']}": tag for device in devices for tag in device.get("tag", ())}


def _compared(
    kind: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        was, will = old.get(name), new.get(name)
        if was is None or will is None:
            yield Change(kind, name, "added" if was is None else "removed", ())
        elif keys := tuple(key for key in dict.fromkeys([*was, *will]) if was.get(key) != will.get(key)):
            yield Change(kind, name, "changed", keys)
