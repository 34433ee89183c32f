"""Times as an engineer writes them: '200ms', '17s', '5min', '8h'. A bare number is refused."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: object) -> float:
    """Seconds of a time with its unit; ValueError with the remedy otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"write a time with its unit, such as '200ms' or '17s', not {text!r}")
    return float(match[1]) * SECONDS[match[2]]


Duration = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str)]
