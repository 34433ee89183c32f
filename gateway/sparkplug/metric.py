"""The nouns of Sparkplug B: metrics, their datatypes and quality, topics. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

NAMESPACE = "spBv1.0"
BDSEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"
SEQ_MODULUS = 256

# What may stand in a level of a topic; the reserved characters and those MQTT forbids may not.
WORD = re.compile(r"[^+#/\x00-\x1f\x7f-\x9f]{1,64}")

Value = bool | int | float | str | None


class DataType(IntEnum):
    """The datatypes this edge node sends, by the specification's numbers."""

    INT32 = 3
    INT64 = 4
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


class Quality(IntEnum):
    """The three values the property Quality may have."""

    BAD = 0
    GOOD = 192
    STALE = 500


@dataclass(frozen=True, slots=True)
class Metric:
    """A named value at a time (ns since 1970 UTC), with what marks it; `coverage` is the share of time seen, 0..1."""

    name: str
    type: DataType
    value: Value
    time: int
    quality: Quality = Quality.GOOD
    unit: str = ""
    simulated: bool = False
    historical: bool = False
    note: str = ""
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Ids:
    """Who an edge node is. ValueError for words a topic cannot hold."""

    group: str
    node: str

    def __post_init__(self) -> None:
        for word in (self.group, self.node):
            if not WORD.fullmatch(word):
                raise ValueError(f"{word!r} cannot stand in a Sparkplug topic: leave out + # / and control characters")

    def topic(self, message: str, device: str = "") -> str:
        """The topic of a message type (NBIRTH, DDATA, ...) of the node, or of one of its devices."""
        if message.startswith("D") != bool(device) or (device and not WORD.fullmatch(device)):
            raise ValueError(f"a {message} cannot be told of device {device!r}")
        return "/".join((NAMESPACE, self.group, message, self.node, *((device,) if device else ())))


def state_topic(host: str) -> str:
    """Where a host application says whether it is online."""
    if not WORD.fullmatch(host):
        raise ValueError(f"{host!r} cannot be a Sparkplug host id: leave out + # / and control characters")
    return f"{NAMESPACE}/STATE/{host}"
