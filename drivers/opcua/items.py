"""The items of one subscription: asked for, retried for ever where refused, made again where they died."""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from asyncua import ua

from agent.model import BAD
from drivers.contract import MisconfiguredError
from drivers.opcua.columns import Rows
from drivers.opcua.device import OpcuaTag
from drivers.opcua.kept import Told
from drivers.opcua.limits import Limits
from drivers.opcua.readout import Readout
from drivers.opcua.session import Session, ask
from drivers.opcua.wanted import FIRST_PAUSE_S, Wanted
from drivers.opcua.watch import Watch

OUTAGE_S = 60.0
FRESH_S = 60.0
LOOKED_AT_ONCE = 500
VANISHED = (0x8033_0000, 0x8034_0000)  # BadNodeIdInvalid, BadNodeIdUnknown
CODE = np.uint32(0xFFFF_0000)
IDENTIFIERS: Mapping[str, Callable[[str], Any]] = {"s": str, "i": int, "g": UUID, "b": b64decode}
Item = tuple[ua.NodeId, float, int]


class Items:
    """One item a tag; a handle is the tag's place. Times are seconds of one monotonic clock."""

    def __init__(self, tags: Sequence[OpcuaTag], namespace: int, allowed: Limits, silence_s: float, now: float) -> None:
        self.all: dict[int, Item] = {
            i: (node_id(tag.node, namespace), tag.every, queue(tag.every, allowed.queue)) for i, tag in enumerate(tags)
        }
        self.wanted = Wanted()
        self.numbers: dict[int, int] = {}
        self._at_once = min(LOOKED_AT_ONCE, allowed.per_read)
        within = [tag.fresh_within or max(FRESH_S, 3 * tag.every) for tag in tags]
        self._watch = Watch(within, [tag.every + silence_s for tag in tags], now)

    async def make(self, session: Session, subscription: int, handles: Sequence[int], now: float) -> dict[int, int]:
        """Ask for items; the server's answer by handle. What stood for a handle before goes first."""
        if old := [self.numbers.pop(handle) for handle in handles if handle in self.numbers]:
            await session.unmonitor(subscription, old)
        statuses, numbers, every = await session.monitor(subscription, {handle: self.all[handle] for handle in handles})
        self.numbers |= numbers
        self.wanted.answered(statuses, now)
        self._watch.slower(every)
        return statuses

    def forget(self) -> None:
        """The subscription is gone, and its items with it."""
        self.wanted = Wanted()
        self.numbers.clear()

    async def tend(self, session: Session, subscription: int, told: Told, now: float) -> None:
        """Do what is due: ask again for what is missing, look at what is silent, give up what is dead."""
        if due := self.wanted.due(now):
            await self.make(session, subscription, due, now)
        silent = self._watch.due(now, self._at_once)
        silent = silent[[handle not in self.wanted.refused for handle in silent.tolist()]] if len(silent) else silent
        if len(silent):
            body = await session.sample(ask([self.all[handle][0] for handle in silent.tolist()]))
            self._watch.looked(silent, told.differs(Readout().rows(body, silent)), now)
        self.wanted.lost(self._watch.dead(now), now)

    def heard(self, rows: Rows, now: float) -> None:
        """What the items told. A node that the server knows no more is asked for until it is there again."""
        self._watch.heard(rows.handle, now)
        refused = self.wanted.refused
        telling = rows.status >= BAD
        if refused:
            telling |= np.isin(rows.handle, list(refused))
        if not telling.any():
            return
        last = dict(zip(rows.handle[telling].tolist(), (rows.status[telling] & CODE).tolist(), strict=True))
        gone = [handle for handle, status in last.items() if status in VANISHED and handle not in refused]
        self.wanted.lost(gone, now + FIRST_PAUSE_S)
        self.wanted.answered({handle: status for handle, status in last.items() if status < BAD}, now)


def queue(every_s: float, most: int) -> int:
    """How many values of an item the server is to keep."""
    return min(most, math.ceil(OUTAGE_S / every_s))


def node_id(text: str, namespace: int) -> ua.NodeId:
    """A tag's node; `namespace` is where those belong that name none."""
    if text.startswith("ns="):
        index, _, text = text.removeprefix("ns=").partition(";")
        namespace = int(index)
    try:
        return ua.NodeId(IDENTIFIERS[text[0]](text[2:]), ua.Int16(namespace))
    except ValueError as error:
        raise MisconfiguredError(f"node {text!r} is not a node id ({error}); copy it from the server") from error
