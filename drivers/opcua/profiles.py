"""What is known of kinds of servers, by name, as profiles.toml has it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROFILES: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("profiles.toml").read_text(encoding="utf-8")
)
