"""Who the ledger keeps records for: the faces that the line file names, and nobody else."""

from __future__ import annotations

from agent.configuration.tables import LineFile
from agent.ledger import Ledger
from agent.model import Kind, Record
from gateway.payload import audit_body
from gateway.sink import MQTT, SPARKPLUG, sink_of

REMOVED = "sink_removed"


def sinks(file: LineFile) -> tuple[str, ...]:
    """The names of those that take records, as the line file has it."""
    named = [MQTT] if file.mqtt is not None else []
    if file.mqtt is not None and file.mqtt.consumer is not None:
        named.append(sink_of(file.mqtt.consumer))
    return (*named, SPARKPLUG) if file.sparkplug is not None else tuple(named)


async def settle(ledger: Ledger, file: LineFile, version: str, time: int, *, simulated: bool) -> None:
    """Let go of who is named no more, with a record each that says up to where it was; who is new begins.

    A new one begins with the oldest record there is, and from now on records wait for it, be it connected or not.
    """
    wanted, known = sinks(file), ledger.cursors
    gone = {sink: seq for sink, seq in known.items() if sink not in wanted}
    told = [f"{sink} is not in the line file any more: it had everything up to {seq}" for sink, seq in gone.items()]
    records = [Record(Kind.AUDIT, "", time, audit_body(REMOVED, version, one), simulated) for one in told]
    begin = await ledger.begin()
    come = {sink: begin for sink in wanted if sink not in known}
    if gone or come:
        await ledger.commit(records, cursors={**dict.fromkeys(gone), **come})
