"""The line's Sparkplug edge node, as the line file wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agent.configuration.tables import LineFile, SparkplugTable
from agent.ledger import Ledger, Reader
from agent.model import Fault
from agent.recorder import Recorder

if TYPE_CHECKING:
    from gateway.mqtt import Broker
    from gateway.sparkplug.node import EdgeNode

BDSEQ = "sparkplug.bdSeq"


def edge_node(
    table: SparkplugTable,
    file: LineFile,
    brokers: Sequence[Broker],
    recorder: Recorder,
    ledger: Ledger,
    reader: Reader,
    report_fault: Callable[[Fault], None],
    clear_fault: Callable[[str, str], None],
) -> EdgeNode:
    """Group site:area, edge node line, unless the table says otherwise; the bdSeq goes on where the ledger keeps it."""
    from gateway.sparkplug.metric import Ids
    from gateway.sparkplug.node import EdgeNode

    ids = Ids(table.group or f"{file.site}:{file.area}", table.node or file.line)
    told_by = {machine.name: machine.state.tag.partition(".")[0] for machine in file.machine}

    def lost() -> frozenset[str]:
        """Machines whose device is not connected."""
        away = recorder.away()
        return frozenset(name for name, device in told_by.items() if device in away)

    async def keep(number: str) -> None:
        await ledger.commit(marks={BDSEQ: number})

    return EdgeNode(
        recorder.line,
        ledger,
        ids,
        brokers,
        table.primary_host,
        recorder.now,
        lost,
        reader.marks().get(BDSEQ),
        keep,
        report_fault,
        clear_fault,
    )
