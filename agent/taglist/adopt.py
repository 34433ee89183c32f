"""Pure: a sheet -> device tables that the line file's own checker accepts, and a verdict on every row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agent.taglist.draft import Choices, Draft, Reject
from agent.taglist.sheet import Sheet
from agent.taglist.table import Table, toml_value

LONGEST_NAME = 32
UNSET = {"unit": "", "scale": 1.0, "offset": 0.0}
Read = Callable[[Mapping[str, str], Choices], Draft]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a row: `tag` is its new name, "" where it was rejected; `why` is empty where nothing changed."""

    line: int
    source: str
    tag: str
    why: str

    @property
    def word(self) -> str:
        """accepted, changed or rejected."""
        return "rejected" if not self.tag else "changed" if self.why else "accepted"


@dataclass(frozen=True, slots=True)
class Adopted:
    """The verdicts in the order of the list, and the tables in TOML ("" where no row was taken)."""

    verdicts: tuple[Verdict, ...]
    toml: str


def adopt(sheet: Sheet, read: Read, choices: Choices, name_column: str, table: Table) -> Adopted:
    """Take over what can be taken over. Units of one list become devices of their own."""
    verdicts: list[Verdict] = []
    devices: dict[int, list[tuple[str, Draft]]] = {}
    for line, row in sheet.rows:
        source = row[name_column]
        try:
            draft = read(row, choices)
            tags = devices.setdefault(choices.unit if draft.unit is None else draft.unit, [])
            name, note = _name(draft, {name for name, _ in tags})
            _check(table, name, draft.tag, choices)
        except Reject as reason:
            verdicts.append(Verdict(line, source, "", str(reason)))
            continue
        tags.append((name, draft))
        verdicts.append(Verdict(line, source, name, "; ".join((*note, *draft.notes))))
    kept = {unit: tags for unit, tags in devices.items() if tags}
    several = len(kept) > 1
    tables = [
        _table(table, table.head(f"{choices.device}_{unit}" if several else choices.device, unit, choices), tags)
        for unit, tags in kept.items()
    ]
    return Adopted(tuple(verdicts), "\n".join(tables))


def _check(table: Table, name: str, tag: Mapping[str, Any], choices: Choices) -> None:
    try:
        table.check(name, tag, choices)
    except ValidationError as error:
        raise Reject(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from error


def _name(draft: Draft, taken: set[str]) -> tuple[str, tuple[str, ...]]:
    """A name of ours, lower-case ASCII and new in its device, with a note where it is not the list's."""
    source = draft.source
    name = plain_name(source) or plain_name(f"tag_{draft.where}")
    if name in taken and draft.group:
        name = plain_name(f"{draft.group}_{source}") or name
    first, count = name, 1
    while name in taken:
        count += 1
        name = f"{first[: LONGEST_NAME - 1 - len(str(count))]}_{count}"
    return name, () if name == source else (f"named {name}",)


def plain_name(text: str) -> str:
    """The ASCII letters, digits and underscores of a name, as one of ours; "" where too little is left to tell it."""
    plain = unicodedata.normalize("NFKD", text)
    if sum(character.isalpha() and not character.isascii() for character in plain) > 1:
        return ""
    words = re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode().lower()).strip("_")
    if words and not words[0].isalpha():
        words = f"t_{words}"
    return words[:LONGEST_NAME].rstrip("_")


def _table(table: Table, head: Sequence[str], tags: Sequence[tuple[str, Draft]]) -> str:
    lines = (_line(name, draft, table.place) for name, draft in tags)
    return "\n".join(["[[device]]", *head, "tag = [", *lines, "]", ""])


def _line(name: str, draft: Draft, place: str) -> str:
    order = {"name": name, place: draft.tag[place], **draft.tag}
    pairs = ", ".join(f"{key} = {toml_value(value)}" for key, value in order.items() if UNSET.get(key) != value)
    said = " ".join(part for part in ("" if name == draft.source else draft.source, draft.comment) if part)
    said = "".join(character if character.isprintable() else " " for character in said).strip()
    return f"  {{ {pairs} }}," + (f"  # {said}" if said else "")
