"""A server that gives no subscription: its nodes are read as often as their tags want it, in the server's portions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from drivers.opcua.columns import Rows, joined, select
from drivers.opcua.device import OpcuaTag
from drivers.opcua.items import Item
from drivers.opcua.readout import Readout
from drivers.opcua.session import Asked, Session, ask
from drivers.polling import Pacing, Seen

MOST_PORTIONS = 256
Portion = tuple[Asked, Readout, "np.ndarray[tuple[int], np.dtype[np.uint32]]"]


class Polled:
    """Handles are places of tags; `now` is a monotonic clock in seconds. The first rows have every tag."""

    def __init__(
        self,
        session: Session,
        tags: Sequence[OpcuaTag],
        items: Mapping[int, Item],
        per_read: int,
        clock: int | None,
        now: Callable[[], float],
    ) -> None:
        self._session, self._items, self._per_read, self._clock, self._now = session, items, per_read, clock, now
        self._pacing = Pacing([tag.every for tag in tags], now())
        self._seen = Seen(len(tags), moving=clock)
        self._portions: dict[tuple[int, ...], list[Portion]] = {}

    async def next(self) -> tuple[Rows, int]:
        """Wait until tags are due, read them: what is new, and the server's time (ns). The clock is always listed."""
        await asyncio.sleep(max(0.0, self._pacing.due_at() - self._now()))
        due = self._pacing.take(self._now())
        if self._clock is not None and self._clock not in due:
            due = (self._clock, *due)
        parts, published = [], 0
        for asked, readout, handles in self._split(due):
            parts.append(readout.rows(await self._session.sample(asked), handles))
            published = max(published, readout.published)
        rows = joined(parts)
        news = self._seen.news(rows.handle, rows.value, rows.status, rows.text)
        if self._clock is not None:
            news |= rows.handle == self._clock
        return select(rows, news), published

    def _split(self, due: tuple[int, ...]) -> list[Portion]:
        """What is sent for these tags, made once."""
        if due not in self._portions:
            if len(self._portions) >= MOST_PORTIONS:
                self._portions.clear()
            parts = [due[start : start + self._per_read] for start in range(0, len(due), self._per_read)]
            self._portions[due] = [
                (ask([self._items[handle][0] for handle in part]), Readout(), np.array(part, np.uint32))
                for part in parts
            ]
        return self._portions[due]
