"""The Publish requests that wait at the server for something to tell, and what they brought."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from drivers.contract import NotConnectedError
from drivers.opcua.columns import Notification
from drivers.opcua.session import Session, TooManyPublishRequestsError

OUTSTANDING, MOST_OUTSTANDING = 2, 10
Acknowledged = list[tuple[int, int]]


class Publishing:
    """Of one session. A server that had none left to answer gets twice as many, one that holds fewer half of them.

    `released` are messages (subscription, sequence) to acknowledge with the next request.
    """

    def __init__(self) -> None:
        self.released: Acknowledged = []
        self._waiting: set[asyncio.Future[Any]] = set()
        self._arrived: asyncio.Queue[Notification | NotConnectedError] = asyncio.Queue()
        self._outstanding, self._most = OUTSTANDING, MOST_OUTSTANDING
        self._is_short = False

    @property
    def waiting(self) -> int:
        """How many requests the server has not answered."""
        return len(self._waiting)

    def ask(self, session: Session) -> None:
        """Send as many requests as are missing, in one piece."""
        if self._is_short:
            self._outstanding, self._is_short = min(2 * self._outstanding, self._most), False
        missing = self._outstanding - len(self._waiting)
        if missing <= 0:
            return
        answers = session.publish(self.released, missing)
        released, self.released = self.released, []
        for answer in answers:
            self._waiting.add(answer)
            answer.add_done_callback(partial(self._answered, session, released))
            released = []

    async def first(self, silence_s: float) -> Notification | None:
        """What came first of what nobody has looked at yet; None where the server holds fewer requests: ask again.

        TimeoutError after so long a silence, NotConnectedError for what the link ended with.
        """
        if self._arrived.empty():
            async with asyncio.timeout(silence_s):
                arrived = await self._arrived.get()
        else:
            arrived = self._arrived.get_nowait()
        if isinstance(arrived, TooManyPublishRequestsError) and self._outstanding > 1:
            self._outstanding = self._most = self._outstanding // 2
            return None
        if isinstance(arrived, NotConnectedError):
            raise arrived
        return arrived

    def rest(self) -> list[Notification]:
        """What came and nobody has looked at."""
        found = []
        while not self._arrived.empty():
            if isinstance(one := self._arrived.get_nowait(), Notification):
                found.append(one)
        return found

    async def stop(self) -> None:
        """Wait for nothing any more."""
        for answer in self._waiting:
            answer.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    def _answered(self, session: Session, released: Acknowledged, answer: asyncio.Future[Any]) -> None:
        self._waiting.discard(answer)  # before it is in the queue: who takes it from there asks for the next
        if answer.cancelled():
            return
        try:
            self._arrived.put_nowait(session.told(answer))
        except NotConnectedError as error:
            self.released = released + self.released
            self._arrived.put_nowait(error)
        else:
            self._is_short |= not self._waiting
