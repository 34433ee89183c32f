"""What the panel may see and ask of the agent: the app hands it in, tests hand in a double."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from agent.model import DeviceNow, Kind, LineNow, Order, Record


class View(Protocol):
    """Read-only, but for orders. Times are plant nanoseconds; every call is short and safe in the event loop."""

    def now(self) -> LineNow:
        """The line after the latest commit."""

    def devices(self) -> tuple[DeviceNow, ...]:
        """The links in the order of the line file."""

    async def changed(self) -> None:
        """Return at the next commit."""

    def records(
        self, kind: Kind | None, machine: str | None, since: int | None, until: int | None, limit: int, *, newest: bool
    ) -> list[Record]:
        """At most `limit` records with since <= time < until; newest first if `newest`, else oldest first."""

    def depth(self) -> Mapping[str, int]:
        """`last_seq`, and the cursor of each sink by its name."""

    def evidence(self, name: str) -> Path | None:
        """The evidence file of that name, None where there is none."""

    async def take_order(self, order: Order) -> None:
        """Returns once the order is committed; gateway.order.OrderError where it cannot be taken."""

    def root(self) -> str:
        """The short word that stands for the ledger's state, four hex digits."""
