"""The Sparkplug edge node over MQTT: connects, waits for its primary host, tells the line, and starts over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from agent.model import Line, LineNow, Record
from gateway.alarms import Alarms, Clear, Report
from gateway.mqtt import Broker, Message, Mqtt, MqttError, OldServerError
from gateway.sink import SPARKPLUG as SINK
from gateway.sparkplug.host import PrimaryHost, wrong_with
from gateway.sparkplug.metric import Ids
from gateway.sparkplug.session import Outgoing, Session, next_bdseq
from gateway.sparkplug.teller import Teller

SOURCE = "sparkplug"
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
GOODBYE_S = 1.0
PACE_S = 0.5
HOST_S = 10.0  # how long a primary host may be away before that is a fault, or the next broker is tried
READ = 200

# QoS 0 is acknowledged by nobody: what the broker had not yet handed on when a link broke is told once more.
REPEATED = 100


class Outbox(Protocol):
    """The ledger as the edge node sees it."""

    @property
    def id(self) -> str:
        """Which ledger this is; seq counts in it."""

    @property
    def last_seq(self) -> int:
        """The last committed record."""

    async def records(self, after: int, limit: int) -> list[Record]:
        """Committed records with seq > after, in order."""

    def cursor(self, sink: str) -> int:
        """Up to which seq the sink has everything."""

    async def move_cursor(self, sink: str, seq: int) -> None:
        """Remember it."""


class HostGoneError(Exception):
    """The primary host is not online at this broker."""


class EdgeNode:
    """The line's Sparkplug face. `run()` never returns; cancel it to say goodbye.

    `lost` names the machines whose device is not heard of; `bdseq` is the number of the last CONNECT as it was kept,
    and `keep` puts the next one on disk. Faults are reported when they begin and cleared when they are over.
    """

    sink = SINK

    def __init__(
        self,
        line: Line,
        ledger: Outbox,
        ids: Ids,
        brokers: Sequence[Broker],
        primary_host: str | None,
        now: Callable[[], LineNow],
        lost: Callable[[], Iterable[str]],
        bdseq: str | None,
        keep: Callable[[str], Awaitable[object]],
        report_fault: Report,
        clear_fault: Clear,
    ) -> None:
        self._line = line
        self._ledger = ledger
        self._ids = ids
        self._brokers = brokers
        self._host = PrimaryHost(primary_host) if primary_host else None
        self._now = now
        self._lost = lost
        self._bdseq = bdseq
        self._unsent = False
        self._keep = keep
        self._alarms = Alarms(SOURCE, report_fault, clear_fault, lambda: now().time)
        self._versions = dict.fromkeys(brokers, 5)
        self._wait = FIRST_WAIT_S
        self._rebirth = False
        self._nudge = asyncio.Event()
        self.telling = False  # born, and not yet gone

    async def run(self) -> None:
        """Connect, carry on until the link breaks or the primary host goes, wait, the next broker; for ever."""
        turn = 0
        await self._ledger.move_cursor(SINK, self._ledger.cursor(SINK))  # so that the ledger keeps what is not told yet
        while True:
            broker = self._brokers[turn % len(self._brokers)]
            try:
                await self._once(broker)
            except OldServerError:
                self._versions[broker] = 4
                continue
            except HostGoneError:
                pass
            except MqttError as error:
                self._alarms.set("not_connected", error.message, error.remedy)
            turn += 1
            await asyncio.sleep(self._wait * random.uniform(0.5, 1.0))
            self._wait = min(self._wait * 2, LONGEST_WAIT_S)

    async def _once(self, broker: Broker) -> None:
        """One MQTT session: to its end by MqttError, or to a goodbye."""
        session = Session(self._ids, await self._number())
        will = _message(session.death(time.time_ns()))
        client_id = f"tc-sp-{self._ledger.id}"[:64]
        try:
            async with Mqtt(broker, client_id, will, version=self._versions[broker], die=True) as link:
                try:
                    await self._carry(link, session)
                except MqttError:
                    raise
                except BaseException:
                    if session.begun:
                        with contextlib.suppress(MqttError, TimeoutError):
                            async with asyncio.timeout(GOODBYE_S):
                                await link.send(_message(session.death(time.time_ns())))
                    raise
        except MqttError as error:
            cause = error.__cause__
            self._unsent = isinstance(cause, OSError) and not isinstance(cause, TimeoutError)
            raise

    async def _number(self) -> int:
        """The bdSeq of the next CONNECT, on disk before that leaves; the same again where none has left."""
        if self._bdseq is None or not self._unsent:
            self._bdseq = str(next_bdseq(self._bdseq))
            await self._keep(self._bdseq)
        self._unsent = False
        return int(self._bdseq)

    async def _carry(self, link: Mqtt, session: Session) -> None:
        """Listen, wait for the primary host, and tell."""
        self._rebirth = False
        hearing = asyncio.create_task(self._hear(link))
        try:
            await link.subscribe(self._ids.topic("NCMD"))
            for machine in self._line.machines:
                await link.subscribe(self._ids.topic("DCMD", machine.name))
            self._alarms.over("not_connected")
            self._alarms.over("command_refused")
            if self._host is not None:
                self._host.forget()
                await link.subscribe(self._host.topic)
                await self._await_host(self._host, hearing)
            self._wait, self.telling = FIRST_WAIT_S, True
            await self._tell(link, session, hearing)
        finally:
            self.telling = False
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _await_host(self, host: PrimaryHost, hearing: asyncio.Task[None]) -> None:
        """Return once the primary host is online; HostGoneError where it is not and there are other brokers to try."""
        due = time.monotonic() + HOST_S
        while not host.online:
            await self._pause(hearing)
            if time.monotonic() >= due:
                remedy = "start it, or correct primary_host in [sparkplug]"
                self._alarms.set("host_offline", f"the primary host is not online ({host.topic}): records wait", remedy)
                if len(self._brokers) > 1:
                    raise HostGoneError
        self._alarms.over("host_offline")

    async def _tell(self, link: Mqtt, session: Session, hearing: asyncio.Task[None]) -> None:
        """Births, then records and changes, until the primary host goes or the link breaks."""
        teller = Teller(self._line, session, max(0, self._ledger.cursor(SINK) - REPEATED))
        self._send(link, teller.births(self._now(), self._lost(), time.time_ns()))
        due = 0.0
        while self._host is None or self._host.online:
            if self._rebirth:
                self._rebirth = False
                self._send(link, teller.births(self._now(), self._lost(), time.time_ns()))
            more = await self._tell_records(link, teller)
            if self._rebirth:
                continue
            if not more or time.monotonic() >= due:
                self._send(link, teller.changes(self._now(), self._lost(), time.time_ns()))
                due = time.monotonic() + PACE_S
            if not more:
                await self._pause(hearing)
        raise HostGoneError

    async def _tell_records(self, link: Mqtt, teller: Teller) -> bool:
        """Tell the next records, move the cursor once the broker has them; True where there may be more."""
        last = self._ledger.last_seq  # what `now` shows after the next wait is not behind this one
        if last <= teller.at:
            return False
        found = [one for one in await self._ledger.records(teller.at, READ) if one.seq <= last]
        if not found or self._rebirth:
            return False
        self._send(link, teller.records(self._ledger.id, found, time.time_ns()))
        # A broker takes the packets of a link in order: when it answers this one, it has all that went before.
        await link.subscribe(self._ids.topic("NCMD"))
        if teller.at > self._ledger.cursor(SINK):
            await self._ledger.move_cursor(SINK, teller.at)
        return teller.at < self._ledger.last_seq

    async def _hear(self, link: Mqtt) -> None:
        """STATE and commands as they arrive; a command that is no rebirth request is a fault until one comes."""
        async for message in link.messages():
            if self._host is not None and self._host.speaks_on(message.topic):
                self._host.hear(message.payload)
            elif (wrong := wrong_with(message.payload, message.topic.split("/")[2])) is None:
                self._rebirth = True
                self._alarms.over("command_refused")
            else:
                remedy = "have that host ask for nothing but Node Control/Rebirth: nothing here writes to a machine"
                self._alarms.set("command_refused", f"a command on {message.topic} is refused: {wrong}", remedy)
            self._nudge.set()

    async def _pause(self, hearing: asyncio.Task[None]) -> None:
        """A short while, cut short by what is heard; MqttError once the link is lost."""
        nudged = asyncio.create_task(self._nudge.wait())
        try:
            await asyncio.wait((hearing, nudged), timeout=PACE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nudged.cancel()
        self._nudge.clear()
        if hearing.done():
            hearing.result()

    @staticmethod
    def _send(link: Mqtt, messages: Iterable[Outgoing]) -> None:
        for one in messages:
            link.send(_message(one))


def _message(one: Outgoing) -> Message:
    return Message(one.topic, one.payload, retain=False, qos=one.qos)
