"""Mistakes of a line file in the engineer's words: where, what, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the place in the engineer's words, and the remedy."""

    place: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.remedy}" if self.place else self.remedy


def from_validation(
    error: ValidationError, raw: Mapping[str, Any], kind: type[BaseModel], prefix: str = ""
) -> list[Mistake]:
    """One mistake for each of the checker's errors, with the nearest known key for a misspelt one."""
    details = error.errors(include_url=False)
    # A list whose entries are all wrong is then "too short": its entries have said why.
    details = [detail for detail in details if not (detail["type"] == "too_short" and detail["input"])]
    return [_mistake(detail, raw, kind, prefix) for detail in details]


def _mistake(detail: Any, raw: Mapping[str, Any], kind: type[BaseModel], prefix: str) -> Mistake:
    path = tuple(part for part in detail["loc"] if part not in ("[key]",))
    place = ", ".join(part for part in (prefix, *_words(path, raw)) if part)
    if detail["type"] == "extra_forbidden":
        keys = _keys(kind, path[:-1])
        near = difflib.get_close_matches(str(path[-1]), keys, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(keys)}"
        return Mistake(place, f"unknown key; {remedy}")
    if detail["type"] == "missing":
        return Mistake(place, "is missing; write it")
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    value = detail.get("input")
    if detail["type"] == "value_error" or isinstance(value, (dict, list)):
        return Mistake(place, message)
    return Mistake(place, f"{message[0].lower()}{message[1:]}, not {value!r}")


def _words(path: Sequence[int | str], raw: Any) -> Iterator[str]:
    """`("tag", 3, "every")` as "tag light", "every": a table goes by its name, else by its number."""
    word = ""
    for part in path:
        if isinstance(part, int):
            raw = raw[part] if isinstance(raw, list) and part < len(raw) else None
            name = raw.get("name") if isinstance(raw, dict) else None
            yield f"{word} {name or f'number {part + 1}'}"
            word = ""
            continue
        if word:
            yield word
        word = part
        raw = raw.get(part) if isinstance(raw, dict) else None
    if word:
        yield word


def _keys(kind: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    model: type[BaseModel] | None = kind
    for part in path:
        if model is None or isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _model_in(fields[part].annotation) if part in fields else None
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
