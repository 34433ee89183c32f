"""One MQTT session of an edge node: what may be sent when, and as which bytes. Pure; wall times in ns since 1970 UTC.

Aliases are given at birth and kept to the session's end; a metric nobody was told of at birth cannot be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.sparkplug.metric import BDSEQ, REBIRTH, SEQ_MODULUS, DataType, Ids, Metric, Quality, Value
from gateway.sparkplug.wire import Field, Payload, encode

MILLISECOND = 1_000_000
NODE = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish, never retained."""

    topic: str
    payload: bytes
    qos: int = 0


class SessionError(Exception):
    """What was asked for would break the session's rules: a bug of the caller."""


class Session:
    """From one CONNECT to its end. `bdseq` is the number of the CONNECT, 0..255."""

    def __init__(self, ids: Ids, bdseq: int) -> None:
        self.ids = ids
        self.bdseq = bdseq
        self._next = 0
        self._aliases: dict[tuple[str, str], int] = {}
        self._types: dict[int, DataType] = {}
        self._born: dict[str, frozenset[str]] = {}
        self._doubtful: set[int] = set()

    @property
    def begun(self) -> bool:
        """Whether the node was born: nothing may be published before."""
        return NODE in self._born

    @property
    def born(self) -> frozenset[str]:
        """The devices that were born and have not died since."""
        return frozenset(self._born) - {NODE}

    def death(self, wall: int) -> Outgoing:
        """NDEATH: the will of the CONNECT, and what is sent before an intended end."""
        field = Field(self.bdseq, BDSEQ, None, wall // MILLISECOND, DataType.INT64)
        return Outgoing(self.ids.topic("NDEATH"), encode(Payload(wall // MILLISECOND, None, (field,))), qos=1)

    def births(self, node: Sequence[Metric], devices: Mapping[str, Sequence[Metric]], wall: int) -> list[Outgoing]:
        """NBIRTH, then a DBIRTH for each device: the first messages of a session, and again for a rebirth."""
        own = [
            Metric(BDSEQ, DataType.INT64, self.bdseq, wall),
            Metric(REBIRTH, DataType.BOOLEAN, value=False, time=wall),
        ]
        self._next = 0
        self._born.clear()
        first = self._birth("NBIRTH", NODE, [*own, *node], wall)
        return [first, *(self.device_birth(device, metrics, wall) for device, metrics in devices.items())]

    def device_birth(self, device: str, metrics: Sequence[Metric], wall: int) -> Outgoing:
        """DBIRTH of a device that is there, again or for the first time."""
        if not self.begun:
            raise SessionError(f"{device} cannot be born before its node")
        return self._birth("DBIRTH", device, metrics, wall)

    def knows(self, device: str, metrics: Sequence[Metric]) -> bool:
        """Whether all these were told of at birth: if not, a rebirth comes first."""
        return {one.name for one in metrics} <= self._born.get(device, frozenset())

    def data(self, device: str, metrics: Sequence[Metric], wall: int) -> Outgoing:
        """NDATA (device "") or DDATA, in order of time."""
        if not metrics or not self.knows(device, metrics):
            raise SessionError(f"nothing, or something not told of at birth, is to be sent of {device or 'the node'}")
        fields = [self._field(device, one, at_birth=False) for one in _by_time(metrics)]
        return self._message("DDATA" if device else "NDATA", device, fields, wall)

    def device_death(self, device: str, wall: int) -> Outgoing:
        """DDEATH of a device that is not heard of any more."""
        if device not in self.born:
            raise SessionError(f"{device} cannot die: it was not born")
        del self._born[device]
        return self._message("DDEATH", device, [], wall)

    def _birth(self, message: str, device: str, metrics: Sequence[Metric], wall: int) -> Outgoing:
        names = [one.name for one in metrics]
        if len({name.casefold() for name in names}) < len(names):
            raise SessionError(f"two metrics of {device or 'the node'} have one name: {sorted(names)}")
        for one in metrics:
            if one.name != REBIRTH:
                alias = self._aliases.setdefault((device, one.name), len(self._aliases) + 1)
                self._types[alias] = one.type
        self._born[device] = frozenset(names)
        fields = [self._field(device, one, at_birth=True) for one in _by_time(metrics)]
        return self._message(message, device, fields, wall)

    def _message(self, message: str, device: str, fields: Sequence[Field], wall: int) -> Outgoing:
        seq, self._next = self._next, (self._next + 1) % SEQ_MODULUS
        payload = Payload(wall // MILLISECOND, seq, tuple(fields))
        return Outgoing(self.ids.topic(message, device), encode(payload, self._types))

    def _field(self, device: str, one: Metric, *, at_birth: bool) -> Field:
        alias = self._aliases.get((device, one.name))
        if alias is not None and self._types[alias] != one.type:
            raise SessionError(f"{one.name} was born as {self._types[alias].name} and is now {one.type.name}")
        name = one.name if at_birth or alias is None else None
        kind = one.type if at_birth else None
        marks = self._marks(alias or 0, one, at_birth=at_birth)
        return Field(one.value, name, alias, one.time // MILLISECOND, kind, one.historical, marks)

    def _marks(self, alias: int, one: Metric, *, at_birth: bool) -> dict[str, tuple[DataType, Value]]:
        """Properties: all at birth, later those that say something, and Quality once more when it is good again."""
        marks: dict[str, tuple[DataType, Value]] = {}
        if at_birth and one.unit:
            marks["engUnit"] = (DataType.STRING, one.unit)
        if at_birth or one.quality != Quality.GOOD or alias in self._doubtful:
            marks["Quality"] = (DataType.INT32, int(one.quality))
        if not one.historical:
            (self._doubtful.discard if one.quality == Quality.GOOD else self._doubtful.add)(alias)
        if one.simulated:
            marks["simulated"] = (DataType.BOOLEAN, True)
        if one.note:
            marks["note"] = (DataType.STRING, one.note)
        if one.coverage is not None:
            marks["coverage"] = (DataType.DOUBLE, one.coverage)
        return marks


def _by_time(metrics: Sequence[Metric]) -> list[Metric]:
    """In order of time, and within an instant in the order given."""
    return sorted(metrics, key=lambda one: one.time)


def next_bdseq(last: str | None) -> int:
    """The number of the next CONNECT after the one noted last, after 255 again 0; 0 for the first or no number."""
    return 0 if last is None or not last.isdecimal() else (int(last) + 1) % SEQ_MODULUS
