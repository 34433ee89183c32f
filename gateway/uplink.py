"""Keeps the line's link to the broker: births, both lanes, orders; opens it again when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.model import Line, LineNow, Order, Samples
from gateway.ack import AckError, parse_ack
from gateway.alarms import Alarms, Clear, Report
from gateway.discovery import discovery
from gateway.live import LAST_WILL, birth
from gateway.live_lane import LiveLane
from gateway.mqtt import Broker, CutError, Message, Mqtt, MqttError, RefusedError, TakenError
from gateway.order import OrderError, parse_order
from gateway.packed import packed
from gateway.payload import Json, encode
from gateway.raw import raw
from gateway.record_lane import Outbox, RecordLane
from gateway.rival import look
from gateway.sink import MQTT as SINK
from gateway.topic import ACK, ONLINE, RAW, SAMPLES, topic

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
GOODBYE_S = 1.0
SENSORS_S = 5.0

# Two clients with one id would throw each other out for ever, many times a second: one of them waits.
TAKEN_WAIT_S = 60.0
LONGEST_TAKEN_WAIT_S = 240.0
STEADY_S = 300.0  # as long as a link must stand until that is over: the other one waits, too
BRIEF_S = 3.0
LOOK_AT, ALARM_AT = 3, 8  # links in a row that were cut so soon: where a broker says nothing, others are asked

SOURCE = "mqtt"

Form = Literal["json", "binary"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the line file asks for.

    Who acknowledges records itself, in which forms raw values are told, under which prefix Home Assistant finds them.
    """

    consumer: str | None = None
    raw: tuple[Form, ...] = ("json",)
    home_assistant: str | None = None


DEFAULT = Options()


class Uplink:
    """The line's side of the broker. `run()` never returns; cancel it to say goodbye.

    A fault is reported when it begins and cleared when it is over. `take_order` raises OrderError for one it refuses;
    `samples` waits for the next raw values on disk.
    """

    sink = SINK

    def __init__(
        self,
        line: Line,
        ledger: Outbox,
        broker: Broker,
        now: Callable[[], LineNow],
        evidence: Path,
        report_fault: Report,
        clear_fault: Clear,
        take_order: Callable[[Order], Awaitable[object]],
        samples: Callable[[], Awaitable[Samples]],
        options: Options = DEFAULT,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._line = line
        self._ledger = ledger
        self._broker = broker
        self._now = now
        self._evidence = evidence
        self._take_order = take_order
        self._samples = samples
        self._id = f"tc-{ledger.id}"[:64]
        self._alarms = Alarms(SOURCE, report_fault, clear_fault, lambda: now().time)
        self._will = Message(str(topic(line, ONLINE)), encode(LAST_WILL), retain=True)
        self._orders = str(topic(line, "_order"))
        self._options = options
        self._acks = f"{topic(line, ACK)}/{options.consumer}" if options.consumer else None
        self._pause = pause
        self._wait = FIRST_WAIT_S
        self._taken_wait = TAKEN_WAIT_S
        self._stood: float | None = None
        self._brief = 0

    async def run(self) -> None:
        """Connect, carry on until the link breaks, wait, again; for ever."""
        while True:
            self._stood = None
            try:
                await self._once()
            except RefusedError as error:
                self._alarms.set("records_refused", error.message, error.remedy)
                self._wait = LONGEST_WAIT_S
            except MqttError as error:
                await self._judge(error)
            await self._pause(self._wait * random.uniform(0.5, 1.0))
            self._wait = min(self._wait * 2, LONGEST_WAIT_S)

    async def _judge(self, error: MqttError) -> None:
        """Say why there is no link, and whether it is worth another try soon."""
        brief = self._stood is not None and time.monotonic() - self._stood < BRIEF_S
        if self._stood is not None:
            self._brief = self._brief + 1 if brief and isinstance(error, CutError) else 0
        if isinstance(error, TakenError) or (brief and await self._rival()):
            self._wait, self._taken_wait = self._taken_wait, min(self._taken_wait * 2, LONGEST_TAKEN_WAIT_S)
            self._alarms.set(
                "client_id_taken",
                f"another client has taken the id {self._id} at the MQTT broker at {self._broker} ({error.message})",
                f"stop that one, such as an agent with a copy of this ledger; the next try is in {self._wait:.0f} s",
            )
        else:
            self._alarms.set("not_connected", error.message, error.remedy)

    async def _rival(self) -> bool:
        """Whether links that are cut one after the other come of another client with this id."""
        if self._brief < LOOK_AT:
            return False
        finding = await look(self._broker, self._line)
        if finding == "nothing":
            self._brief = 0
        return finding == "rival" or (finding == "cut" and self._brief >= ALARM_AT)

    async def _once(self) -> None:
        """One link, to its end by MqttError, or to a goodbye."""
        async with Mqtt(self._broker, self._id, self._will) as link:
            try:
                await self._carry(link)
            except asyncio.CancelledError:
                # After a goodbye no broker tells the will.
                with contextlib.suppress(MqttError, TimeoutError):
                    async with asyncio.timeout(GOODBYE_S):
                        await link.send(self._will)
                raise

    async def _carry(self, link: Mqtt) -> None:
        """Birth, then both lanes and the orders side by side."""
        where, payload = birth(self._line, self._now())
        await link.publish(str(where), encode(payload), retain=True)
        await link.subscribe(self._orders)
        self._wait, self._stood = FIRST_WAIT_S, time.monotonic()
        self._alarms.over("not_connected")
        records = RecordLane(self._line, self._ledger, link, self._options.consumer)
        if self._acks is not None:
            await link.subscribe(self._acks)
        root, wait_past = lambda: self._ledger.root, self._ledger.wait_past
        live = LiveLane(self._line, link, self._now, root, wait_past, self._evidence)
        await _side_by_side(
            live.run(self._refused),
            records.send(self._silent),
            records.settle(lambda: self._alarms.over("records_refused")),
            self._hear(link, records),
            self._tell_raw(link),
            self._steady(),
            self._show_sensors(link),
        )

    async def _show_sensors(self, link: Mqtt) -> None:
        """Keep Home Assistant's configs as the line is: retained, each told once and when it changes."""
        told: dict[str, Json] = {}
        prefix = self._options.home_assistant
        while prefix:
            wanted = discovery(self._line, self._now(), prefix)
            for where in [where for where, config in wanted.items() if told.get(where) != config]:
                with self._tolerant():
                    await link.publish(where, encode(wanted[where]), retain=True)
            told = wanted
            await asyncio.sleep(SENSORS_S)
        await asyncio.Event().wait()

    async def _steady(self) -> None:
        """A link that stands for long has its id for itself."""
        await asyncio.sleep(STEADY_S)
        self._taken_wait, self._brief = TAKEN_WAIT_S, 0
        self._alarms.over("client_id_taken")
        await asyncio.Event().wait()

    async def _tell_raw(self, link: Mqtt) -> None:
        """Raw values as they reach the disk, not retained; what is written while there is no link is not told later."""
        while True:
            samples = await self._samples()
            for form in self._options.raw:
                with self._tolerant():
                    await link.send(_told(self._line, samples, form))

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        """A topic that the broker refuses is a fault; the others go on."""
        try:
            yield
        except RefusedError as error:
            self._refused(error)

    async def _hear(self, link: Mqtt, records: RecordLane) -> None:
        """Take orders and the consumer's acknowledgements as they arrive."""
        async for message in link.messages():
            if message.topic == self._acks:
                await self._hear_ack(message, records)
            else:
                await self._hear_order(message)

    async def _hear_order(self, message: Message) -> None:
        """A bad order is a fault until a good one comes."""
        try:
            order = parse_order(self._line, message.payload)
            if order is not None:
                await self._take_order(order)
        except OrderError as error:
            self._alarms.set(
                "bad_order", f"an order on {message.topic} is refused: {error}", "correct and send it again"
            )
        else:
            if order is not None:
                self._alarms.over("bad_order")

    async def _hear_ack(self, message: Message, records: RecordLane) -> None:
        """A bad acknowledgement changes nothing and is a fault until a good one comes."""
        try:
            ack = parse_ack(message.payload, self._ledger.id, self._ledger.last_seq)
        except AckError as error:
            self._alarms.set(
                "bad_ack", f"consumer {self._options.consumer}: {error}", "correct what it publishes there"
            )
        else:
            self._alarms.over("bad_ack")
            self._alarms.over("consumer_silent")
            await records.hear(ack)

    def _silent(self, held: int, first: int) -> None:
        remedy = f"start it and let it write {self._acks}, or take consumer out of [mqtt]"
        if first > held + 1:
            remedy = f"records before {first} are gone: let it begin with {first - 1} as its last, or {remedy}"
        self._alarms.set(
            "consumer_silent",
            f"consumer {self._options.consumer} acknowledges nothing beyond record {held}: the rest waits for it",
            remedy,
        )

    def _refused(self, error: RefusedError | None) -> None:
        if error is None:
            self._alarms.over("refused")
        else:
            self._alarms.set("refused", error.message, error.remedy)


def _told(line: Line, samples: Samples, form: Form) -> Message:
    if form == "binary":
        return Message(str(topic(line, SAMPLES)), packed(samples))
    return Message(str(topic(line, RAW)), encode(raw(samples)))


async def _side_by_side(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run until the first ends, by its error; the others are cancelled.

    A TaskGroup of Python 3.11 forgets that it was cancelled if one of its tasks fails at that moment.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await ended.pop()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
