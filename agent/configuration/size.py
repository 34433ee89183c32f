"""Amounts of storage as an engineer writes them: '500MiB', '2GiB', '1GB'. A bare number is refused."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def size(text: object) -> int:
    """Bytes of an amount with its unit; ValueError with the remedy otherwise."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB|MiB|GiB|TiB)", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"write an amount with its unit, such as '500MiB' or '2GiB', not {text!r}")
    return int(float(match[1]) * BYTES[match[2]])


Size = Annotated[int, BeforeValidator(size, json_schema_input_type=str)]
