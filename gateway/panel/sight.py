"""What is left of an answer for those who may look but not trace: no address, no model, no words of a device. Pure."""

from __future__ import annotations

from typing import Any

PLACES = frozenset({"address", "vendor", "model", "message"})


def blurred(told: Any) -> Any:
    """The same shape without addresses, models and what devices say of themselves; messages may name addresses."""
    if isinstance(told, dict):
        link = "driver" in told
        return {
            key: None if key in PLACES or (link and key == "product") else blurred(value) for key, value in told.items()
        }
    if isinstance(told, list | tuple):
        return [blurred(one) for one in told]
    return told
