"""What the faces of the line that take records are called in the ledger. Pure."""

from __future__ import annotations

MQTT = "mqtt"
SPARKPLUG = "sparkplug"


def sink_of(consumer: str) -> str:
    """The consumer that says itself what it holds."""
    return f"{MQTT}:{consumer}"
