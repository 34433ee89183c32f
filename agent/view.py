"""What the panel may see and ask of the running agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from agent.ledger import Ledger, Reader
from agent.model import DeviceNow, Kind, LineNow, Order, Record
from agent.recorder import Recorder

SINKS = ("mqtt",)


class AgentView:
    """`gateway.panel.view.View` on a recorder and a read-only connection to its ledger."""

    def __init__(
        self,
        recorder: Recorder,
        ledger: Ledger,
        reader: Reader,
        evidence: Path,
        take_order: Callable[[Order], Awaitable[None]],
    ) -> None:
        self._recorder = recorder
        self._ledger = ledger
        self._reader = reader
        self._evidence = evidence
        self._take_order = take_order

    def now(self) -> LineNow:
        """The line after the latest commit."""
        return self._recorder.now()

    def devices(self) -> tuple[DeviceNow, ...]:
        """The links in the order of the line file."""
        return self._recorder.devices()

    async def changed(self) -> None:
        """Return at the next commit."""
        await self._recorder.changed()

    def records(
        self, kind: Kind | None, machine: str | None, since: int | None, until: int | None, limit: int, *, newest: bool
    ) -> list[Record]:
        """At most `limit` records with since <= time < until."""
        return self._reader.records(kind, machine, since=since, until=until, limit=limit, newest=newest)

    def depth(self) -> Mapping[str, int]:
        """`last_seq`, and the cursor of each sink by its name."""
        return {"last_seq": self._ledger.last_seq, **{sink: self._ledger.cursor(sink) for sink in SINKS}}

    def evidence(self, name: str) -> Path | None:
        """The evidence file of that name, None where there is none or the name leads elsewhere."""
        path = self._evidence / name
        return path if path.parent == self._evidence and path.is_file() else None

    async def take_order(self, order: Order) -> None:
        """Returns once the order is committed; OrderError where it cannot be taken."""
        await self._take_order(order)

    def root(self) -> str:
        """The short word that stands for the ledger's state."""
        return self._ledger.root
