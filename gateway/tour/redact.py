"""What a public output may say: an allow-list over the display document. Pure; what is not named stays in."""

from __future__ import annotations

from typing import Any

YES = True
WORDS = {"zh-CN": YES, "en": YES}
WINDOW = {"kind": YES, "label": YES, "start": YES, "end": YES}
RATIO = {
    "name": YES,
    "machine": YES,
    "unit": YES,
    "value": YES,
    "low": YES,
    "high": YES,
    "target": YES,
    "coverage": YES,
    "window": WINDOW,
    "n_band": YES,
    "why": YES,
    "time": YES,
    "age_s": YES,
    "sim": YES,
}
STORY = {"code": YES, "machine": YES, "machines": YES, "since": YES, "others": YES, "starved": YES, "blocked": YES}
LINE = {
    "site": YES,
    "area": YES,
    "line": YES,
    "display": WORDS,
    "timezone": YES,
    "least_coverage": YES,
    "seq": YES,
    "root": YES,
    "speed": YES,
    "time": YES,
    "sim": YES,
}
MACHINE = {
    "name": YES,
    "display": WORDS,
    "state": YES,
    "cause": YES,
    "word": YES,
    "lamp": YES,
    "since": YES,
    "lag": YES,
    "utilization": RATIO,
    "sim": YES,
}
MARKS = {
    "sim": YES,
    "stale": YES,
    "offline": YES,
    "missed": YES,
    "since": YES,
    "waiting": YES,
    "delayed_s": YES,
    "public": YES,
}
PUBLIC: dict[str, Any] = {
    "line": LINE,
    "marks": MARKS,
    "machines": MACHINE,
    "figures": {"utilization": RATIO, "first_pass_yield": RATIO, "takt": RATIO},
    "inspection": {"machine": YES, "last": {"verdict": YES}, "sim": YES},
    "story": STORY,
}


def public(document: Any, allowed: Any = None) -> Any:
    """The document with nothing but allowed fields; lists are taken entry by entry."""
    allowed = PUBLIC if allowed is None else allowed
    if allowed is YES:
        return document
    if isinstance(document, list):
        return [public(entry, allowed) for entry in document]
    if not isinstance(document, dict):
        return None  # a bare value where fields were expected says something nobody allowed
    return {key: public(document[key], rule) for key, rule in allowed.items() if key in document}
