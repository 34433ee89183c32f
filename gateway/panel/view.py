"""What the panel may see and ask of the agent: the app hands it in, tests hand in a double."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.model import Decision, DeviceNow, Kind, LineNow, Order, Record
from agent.storage.reader import Series

ROLES = ("state", "reason", "good", "scrap", "rework", "energy", "cycle")


@dataclass(frozen=True, slots=True)
class Source:
    """A tag that tells of a machine: `role` is one of ROLES, or "" for a measured value.

    `address` is the line file's; `words` says what the values of a lamp tag mean.
    """

    role: str
    device: str
    tag: str
    unit: str
    address: str
    datatype: str
    every_s: float
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FrameNow:
    """A frame of a device's link at `time` (ns since 1970 UTC, by the gateway's clock): the first of `size` octets.

    `parts` say what it is: each a `word` of the language files and what belongs to it.
    """

    time: int
    sent: bool
    octets: bytes
    size: int
    parts: Sequence[Mapping[str, str | int]]


@dataclass(frozen=True, slots=True)
class FramesNow:
    """The last frames, oldest first: all; requests that were refused, with the answers; those before the last break."""

    last: Sequence[FrameNow] = ()
    refused: Sequence[tuple[FrameNow, FrameNow]] = ()
    broken_at: int | None = None
    broken_why: str = ""
    before: Sequence[FrameNow] = ()


class View(Protocol):
    """Read-only, but for orders and what people do on the panel.

    Times are plant nanoseconds; every call is short and safe in the event loop.
    """

    def now(self) -> LineNow:
        """The line after the latest commit."""

    def devices(self) -> tuple[DeviceNow, ...]:
        """The links in the order of the line file."""

    def frames(self, device: str) -> FramesNow | None:
        """The last frames of a device's link, None where there is no such device."""

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

    async def audit(self, event: str, by: str, role: str, detail: str) -> None:
        """Record what somebody did: `by` is the id of a user, never a name. Returns once it is committed."""

    async def give_reason(self, machine: str, body: Mapping[str, object]) -> None:
        """Record why a machine stopped: payload.reason_body. Returns once it is committed."""

    async def decide(self, one: Decision) -> None:
        """Record what somebody says of an inspected part; figures follow. Returns once it is committed."""

    def root(self) -> str:
        """The short word that stands for the ledger's state, four hex digits."""

    def sources(self, machine: str) -> tuple[Source, ...]:
        """The tags that tell of a machine, those with a role first."""

    def planned(self, since: int, until: int) -> tuple[tuple[int, int], ...]:
        """The planned spans of [since, until): disjoint, in order."""

    def samples(self, device: str, tag: str, since: int, until: int) -> Series:
        """Raw samples with since <= source time < until, in order. Reads the disk: call it in a thread."""
