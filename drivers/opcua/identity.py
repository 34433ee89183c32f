"""Pure: who an OPC UA server is, from its ServerStatus.BuildInfo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agent.model import Origin

SERVER_STATUS = 2256
BUILD_INFO = (SERVER_STATUS,)
NO_TIME = 1601  # the year of an empty DateTime
SIMULATORS = "urn:tanchang:simulators"


def origin(values: Sequence[Any]) -> Origin:
    """What ServerStatus says; only our simulators call themselves so, and tell how fast their clock runs."""
    info = getattr(values[0], "BuildInfo", None)
    vendor, product = getattr(info, "ManufacturerName", None) or "", getattr(info, "ProductName", None) or ""
    simulated = getattr(info, "ProductUri", None) == SIMULATORS
    speed = re.fullmatch(r"speed=(\d+(?:\.\d+)?)", getattr(info, "BuildNumber", None) or "")
    return Origin(vendor, product, simulated, float(speed[1]) if simulated and speed else 1.0, _up_s(values[0]))


def _up_s(status: Any) -> float | None:
    """From its start until now by its own clock, None where that makes no sense: a clock set meanwhile, no start."""
    start, now = getattr(status, "StartTime", None), getattr(status, "CurrentTime", None)
    if not isinstance(start, datetime) or not isinstance(now, datetime) or start.year <= NO_TIME:
        return None
    up_s = (now - start).total_seconds()
    return up_s if up_s >= 0 else None


def started(values: Sequence[Any]) -> object:
    """When the server started: another time is another server, whatever it answers to."""
    return getattr(values[0], "StartTime", None)
