"""What stands around an edge node under test: a plant, a tap that sees every byte, a host application's hands.

What the tap saw is read by other people's code (mqtt-packet and sparkplug-payload, in node), never by ours.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.model import SECOND, Kind, Kpi, Line, LineNow, Machine, MachineNow, MachineState, Record, State, Window
from gateway.mqtt import Broker, Message, Mqtt
from gateway.payload import count_body, fault_body, state_body
from gateway.sparkplug.metric import Ids
from gateway.sparkplug.node import EdgeNode
from gateway.sparkplug.wire import decode
from tests.system.uplink_rig import Gate

OBSERVER = Path(__file__).parents[1] / "peers" / "sparkplug_observe.js"
NODE = shutil.which("node")
IDS = Ids("foshan:appliances", "cooker3")
BASE = "spBv1.0/foshan:appliances"
MACHINES = ("press1", "washer1")
SUBACK = 0x90
START = 1_790_000_000 * SECOND
WINDOW = Window("shift", "day", START - 3600 * SECOND, START + 3600 * SECOND)
LINE = Line(
    "foshan",
    "appliances",
    "cooker3",
    {"en": "Rice cooker line 3"},
    17.0,
    "Asia/Shanghai",
    tuple(Machine(name, {"en": name}, {31: "die-protection"}) for name in MACHINES),
    {},
    {},
)


class Plant:
    """A line that makes parts when it is told to, with its ledger and its edge node's other ends."""

    def __init__(self, ledger, log) -> None:
        self.ledger, self.log = ledger, log
        self.time = START
        self.durable = True
        self.lost: set[str] = set()
        self.machines = {name: self._fresh(name) for name in MACHINES}
        self.login: tuple = ()
        self.kept: list[str] = []
        self.faults: list[str] = []
        self.changed = asyncio.Event()

    def _fresh(self, name):
        executing = MachineState(State.EXECUTING)
        return MachineNow(name, executing, START, 400, 3, 16.2, START, simulated=name == "press1")

    def now(self) -> LineNow:
        takt = Kpi("takt", "", WINDOW, 1234.0, 75.0, "s", 16.45, None, None, 1234.0, 1300.0, 17.0, self.time)
        unseen = Kpi("oee", "press1", WINDOW, 0.0, 0.0, "%", None, None, None, 0.0, 0.0, 80.0, self.time)
        machines = tuple(
            replace(one, state=MachineState(State.UNKNOWN)) if one.name in self.lost else one
            for one in self.machines.values()
        )
        return LineNow(
            ledger=self.ledger.id,
            seq=self.ledger.last_seq,
            time=self.time,
            simulated=True,
            speed=60.0,
            durable=self.durable,
            machines=machines,
            figures=(takt, unseen),
            faults=(),
            inspections=(),
            plan=None,
        )

    async def make(self, *names: str, late: bool = False) -> None:
        """Parts counted one by one, each a second of plant time after the last; `late` tells of long ago."""
        records, machines = [], dict(self.machines)
        for name in names:
            self.time += SECOND
            before = machines[name]
            total = before.good + 1
            machines[name] = replace(before, good=total, observed=self.time)
            when, note = (START - 60 * SECOND, "late") if late else (self.time, None)
            body = count_body("good", 1, total, 0, total, note)
            records.append(Record(Kind.COUNT, name, when, body, simulated=before.simulated))
        await self.ledger.commit(records)
        self.machines = machines

    async def turn(self, name: str, state: MachineState) -> None:
        """A change of state."""
        self.time += SECOND
        before = self.machines[name]
        body = state_body(LINE.machines[0], state, before.state, before.since)
        await self.ledger.commit([Record(Kind.STATE, name, self.time, body, simulated=before.simulated)])
        self.machines[name] = replace(before, state=state, since=self.time, observed=self.time)

    async def trouble(self, fault) -> None:
        self.time += SECOND
        await self.ledger.commit([Record(Kind.FAULT, "", self.time, fault_body(fault, is_set=True), simulated=True)])

    async def keep(self, number: str) -> None:
        """As the agent does it: on disk when this returns."""
        await self.ledger.commit(marks={"sparkplug.bdSeq": number})
        self.kept.append(number)
        self.log.mark(f"kept {number}")

    def note(self, word: str) -> None:
        self.faults.append(word)
        self.changed.set()

    async def noted(self, word: str, after: int = 0) -> None:
        """Returns once a fault was set ("+code") or cleared ("-code"), not counting the first `after`."""
        while word not in self.faults[after:]:
            self.changed.clear()
            await self.changed.wait()

    def edge(self, *ports: int, host: str | None = "scada") -> EdgeNode:
        return EdgeNode(
            LINE,
            self.ledger,
            IDS,
            [Broker("127.0.0.1", port, *self.login) for port in ports],
            host,
            self.now,
            lambda: self.lost,
            self.kept[-1] if self.kept else None,
            self.keep,
            lambda fault: self.note(f"+{fault.code}"),
            lambda _, code: self.note(f"-{code}"),
        )

    @asynccontextmanager
    async def running(self, *ports: int, host: str | None = "scada"):
        task = asyncio.create_task(self.edge(*ports, host=host).run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class Log:
    """All bytes of all links in order of arrival, with the test's own marks between them."""

    def __init__(self) -> None:
        self.chunks: list[dict] = []
        self.marks: dict[str, int] = {}
        self.count = 0
        self.granted: Counter[str] = Counter()
        self.came = asyncio.Event()

    def saw(self, link: str, way: str, version: int, data: bytes) -> None:
        self.count += 1
        self.granted[link] += way == "down" and data[0] == SUBACK
        self.came.set()
        self.chunks.append(
            {"n": self.count, "link": link, "way": way, "version": version, "bytes": base64.b64encode(data).decode()}
        )

    def mark(self, word: str) -> None:
        """Whatever comes later has a number above `marks[word]`."""
        self.count += 1
        self.marks[word] = self.count

    async def subscribed(self, link: str) -> None:
        """Returns once the edge node's subscriptions of a link are granted: to commands and to STATE."""
        while self.granted[link] < 1 + len(MACHINES) + 1:
            self.came.clear()
            await self.came.wait()


class Tap(Gate):
    """A relay in front of the broker that sees every byte; `old` hangs up on MQTT 5, as an old broker does."""

    def __init__(self, name: str, port: int, log: Log, *, old: bool = False) -> None:
        super().__init__(port)
        self.name, self.log, self.old = name, log, old
        self.links = 0

    async def relay(self, reader, writer) -> None:
        self.tasks |= {task for task in [asyncio.current_task()] if task}
        self.links += 1
        name = f"{self.name}{self.links}"
        with suppress(OSError):
            first = await reader.read(65536)
            # The protocol's level stands behind its name, "MQTT", in the CONNECT packet.
            version = first[first.index(b"MQTT") + 4]
            self.log.saw(name, "up", version, first)
            if not (self.old and version == 5):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
                far_writer.write(first)
                self.writers += [writer, far_writer]
                await asyncio.gather(
                    self.pump(reader, far_writer, partial(self.log.saw, name, "up", version)),
                    self.pump(far_reader, writer, partial(self.log.saw, name, "down", version)),
                )
        writer.close()


class Host:
    """A host application's hands: says whether it is online, sends commands, hears what the edge node says."""

    def __init__(self, link: Mqtt, log: Log, commands: dict[str, bytes]) -> None:
        self.link, self.log, self.commands = link, log, commands
        self.heard: list[Message] = []
        self.marks: dict[str, int] = {}
        self.came = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, log: Log, commands: dict[str, bytes]):
        async with Mqtt(Broker("127.0.0.1", port), "host") as link:
            await link.subscribe("spBv1.0/#")
            host = cls(link, log, commands)
            listening = asyncio.create_task(host.listen())
            try:
                yield host
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def listen(self) -> None:
        async for message in self.link.messages():
            self.heard.append(message)
            self.came.set()

    async def state(self, host: str, stamp: int, *, online: bool) -> None:
        payload = json.dumps({"online": online, "timestamp": stamp}).encode()
        await self.link.publish(f"spBv1.0/STATE/{host}", payload, retain=True)

    async def command(self, name: str, message: str = "NCMD", device: str = "") -> None:
        topic = "/".join(filter(None, (BASE, message, "cooker3", device)))
        await self.link.send(Message(topic, self.commands[name], qos=0))

    async def hears(self, *words: str, after: int = 0, value: object = None) -> int:
        """Returns once a message of this type (and device, with this value) came after the first `after`; its place."""
        while True:
            for place, message in enumerate(self.heard[after:], after):
                _, _, kind, _, *device = message.topic.split("/") if "STATE" not in message.topic else [""] * 4
                if (kind, *device) == words and (
                    value is None or any(one.value is value for one in decode(message.payload).fields)
                ):
                    return place + 1
            self.came.clear()
            await self.came.wait()


async def told(ledger) -> None:
    """Returns once the broker has every record."""
    async with ledger.moved:
        await ledger.moved.wait_for(lambda: ledger.cursor("sparkplug") >= ledger.last_seq)


def observe(chunks: list[dict], encode: list[dict]) -> dict:
    """What node makes of it."""
    text = json.dumps({"chunks": chunks, "encode": encode})
    done = subprocess.run(
        [NODE or "node", str(OBSERVER)], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def commands() -> dict[str, bytes]:
    """Commands as another party's library writes them."""
    stamp = time.time_ns() // 1_000_000
    wanted = {
        "rebirth": {"name": "Node Control/Rebirth", "type": "Boolean", "value": True},
        "reboot": {"name": "Node Control/Reboot", "type": "Boolean", "value": True},
        "good": {"name": "good", "type": "Int64", "value": 7},
        "alias": {"alias": 5, "type": "Boolean", "value": True},
    }
    encoded = observe([], [{"timestamp": stamp, "metrics": [one]} for one in wanted.values()])["encoded"]
    return {name: base64.b64decode(raw) for name, raw in zip(wanted, encoded, strict=True)}
