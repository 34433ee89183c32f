"""One life of an edge node at a real broker, told once a process: what every assertion looks at.

Links by name: a1.. over the main tap, b1.. over a second broker's, o1.. over one that knows MQTT 3.1.1 only.
"""

import asyncio
import functools
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from agent.ledger import Reader
from agent.model import Cause, Fault, MachineState, State
from gateway.broker import program, start_broker
from gateway.sparkplug import node
from tests.system.sparkplug_rig import MACHINES, NODE, OBSERVER, START, Host, Log, Plant, Tap, commands, observe, told
from tests.system.uplink_rig import WatchedLedger

BACKLOG, MANY = 12, 300
NEEDS = pytest.mark.skipif(
    program("mosquitto") is None or NODE is None or not (OBSERVER.parent / "node_modules").is_dir(),
    reason="needs mosquitto, node and the peers of tests/peers",
)
FAULT = Fault("washer1", "not_connected", "no answer from 127.0.0.1:5020", "check its cable", START)


@dataclass(frozen=True)
class Packet:
    """A packet as node read it; `n` orders it among all packets and marks."""

    n: int
    link: str
    way: str
    cmd: str
    of: dict

    @property
    def topic(self) -> str:
        return self.of["topic"]

    @property
    def kind(self) -> str:
        """NBIRTH, DDATA, ..., or "" for what is no Sparkplug message of an edge node."""
        words = (self.of.get("topic") or "").split("/")
        return words[2] if words[0] == "spBv1.0" and len(words) > 3 else ""

    @property
    def device(self) -> str:
        return "/".join(self.topic.split("/")[4:])

    @property
    def wire(self) -> dict:
        return self.of["wire"]

    @property
    def metrics(self) -> list[dict]:
        return self.wire.get("metrics", [])

    @property
    def properties(self) -> list[tuple[dict, str, dict]]:
        """Every property: its metric, key and value."""
        sets = [(metric, metric["properties"]) for metric in self.metrics if "properties" in metric]
        return [(metric, *pair) for metric, one in sets for pair in zip(one["keys"], one["values"], strict=True)]

    def metric(self, name: str) -> dict:
        found = [one for one in self.metrics if one.get("name") == name]
        assert len(found) == 1
        return found[0]


@dataclass(frozen=True)
class Seen:
    """Everything: the packets, where the marks stand among them, faults, bdSeq as kept; began and ended in wall ms."""

    packets: tuple[Packet, ...]
    marks: dict[str, int]
    faults: tuple[str, ...]
    kept: tuple[str, ...]
    on_disk: str
    last_seq: int
    ledger: str
    began: int
    ended: int

    @functools.cached_property
    def links(self) -> list[str]:
        return list(dict.fromkeys(one.link for one in self.packets))

    def sent(self, *kinds: str, link: str = "", after: str = "", before: str = "") -> list[Packet]:
        """What the edge node published, in order; of these kinds, on this link, between these marks."""
        low, high = self.marks.get(after, 0), self.marks[before] if before else float("inf")
        return [
            one
            for one in self.packets
            if one.way == "up" and one.cmd == "publish" and low < one.n < high and one.link.startswith(link)
            if not kinds or one.kind in kinds
        ]

    def control(self, cmd: str, link: str = "") -> list[Packet]:
        """The control packets of a kind that the edge node sent."""
        return [one for one in self.packets if one.way == "up" and one.cmd == cmd and one.link.startswith(link)]

    def out_of_step(self, kind: str) -> list[Packet]:
        """Messages of a kind whose seq is not one more (256 is 0) than that of the message before on its link."""
        wrong = []
        for link in self.links:
            last = -1
            for one in (one for one in self.sent(link=link) if one.kind != "NDEATH"):
                if one.kind == kind and one.wire.get("seq") != (last + 1) % 256:
                    wrong.append(one)
                last = one.wire["seq"]
        assert self.sent(kind)
        return wrong

    def births_of(self, link: str) -> dict[tuple[str, int], dict]:
        """The metrics told at birth on a link, by device and alias."""
        return self._births[link]

    @functools.cached_property
    def _births(self) -> dict[str, dict[tuple[str, int], dict]]:
        births: dict[str, dict[tuple[str, int], dict]] = {link: {} for link in self.links}
        for one in self.sent("NBIRTH", "DBIRTH"):
            births[one.link] |= {(one.device, metric["alias"]): metric for metric in one.metrics if "alias" in metric}
        return births


class Assertions:
    """Checks by the id of the specification's assertion they prove; one test each, named by the id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Callable[[Seen], None]] = {}

    def of(self, *ids: str):
        """The check proves all of these: the specification says several things more than once."""

        def added(check):
            assert not self.by_id.keys() & set(ids), ids
            self.by_id |= dict.fromkeys(ids, check)
            return check

        return added

    def params(self):
        return [pytest.param(check, id=name) for name, check in self.by_id.items()]


@functools.cache
def capture() -> Seen:
    """The life, told once."""
    with tempfile.TemporaryDirectory() as folder, patch.object(node, "REPEATED", 5):
        return asyncio.run(_live(Path(folder)))


async def _live(folder: Path) -> Seen:
    began = time.time_ns() // 1_000_000
    log, orders = Log(), await asyncio.to_thread(commands)
    ledger = await WatchedLedger.open(folder / "ledger", group_s=0.01)
    try:
        plant = Plant(ledger, log)
        async with (
            asyncio.timeout(100),
            start_broker(folder / "broker", "mosquitto") as broker,
            Tap("a", broker.port, log).standing() as tap,
            Tap("b", broker.port, log).standing() as other,
            Tap("o", broker.port, log, old=True).standing() as old,
            Host.connected(broker.port, log, orders) as host,
        ):
            await plant.make(*["press1"] * BACKLOG)
            async with plant.running(tap.port):
                await _waits_for_its_host(plant, host)
                await _reports(plant, host)
                await _loses_a_machine(plant, host)
                await _takes_commands(plant, host)
                await _survives_a_cut(plant, host, tap)
                await _waits_while_its_host_is_away(plant, host)
            log.mark("stopped")
            await host.hears("NDEATH", after=_heard(host, "restarting"))
            await _starts_again(plant, host, tap)
            await _walks_to_another_server(plant, host, tap, other)
            await _speaks_to_an_old_broker(plant, old)
            async with plant.running(tap.port, host="nobody"):
                await log.subscribed("a6")
    finally:
        await ledger.close()
    reader = Reader(folder / "ledger")
    on_disk = reader.marks()["sparkplug.bdSeq"]
    reader.close()
    seen = await asyncio.to_thread(observe, log.chunks, [])
    packets = tuple(Packet(one["n"], one["link"], one["way"], one["cmd"], one) for one in seen["packets"])
    ordered = tuple(sorted(packets, key=lambda one: one.n))
    ended = time.time_ns() // 1_000_000
    faults, kept = tuple(plant.faults), tuple(plant.kept)
    return Seen(ordered, log.marks, faults, kept, on_disk, ledger.last_seq, ledger.id, began, ended)


def _heard(host: Host, mark: str) -> int:
    return host.marks.get(mark, 0)


async def _refused(plant: Plant, host: Host, *what: str) -> None:
    """A command that is refused: once its fault is there, all that was sent before it has been heard."""
    before = len(plant.faults)
    await host.command(*what)
    await plant.noted("+command_refused", before)


async def _accepted(plant: Plant, host: Host) -> None:
    """A rebirth, after which the fault of a refused command is over."""
    before, faults = len(host.heard), len(plant.faults)
    await host.command("rebirth")
    await plant.noted("-command_refused", faults)
    await host.hears("DBIRTH", "washer1", after=before)


async def _waits_for_its_host(plant: Plant, host: Host) -> None:
    await plant.log.subscribed("a1")
    await host.state("other", 9000, online=True)
    await host.state("scada", 1000, online=False)
    await host.state("scada", 500, online=True)
    await _refused(plant, host, "reboot")
    plant.log.mark("no host")
    await host.state("scada", 2000, online=True)
    await host.hears("DBIRTH", "washer1")
    await told(plant.ledger)
    plant.log.mark("caught up")


async def _reports(plant: Plant, host: Host) -> None:
    for _ in range(2):
        await plant.make(*MACHINES * (MANY // 4))
        await told(plant.ledger)
    await plant.turn("press1", MachineState(State.NOT_EXECUTING, Cause.STOPPED, 31))
    await plant.trouble(FAULT)
    await plant.make("washer1", late=True)
    await told(plant.ledger)
    plant.log.mark("not durable")
    plant.durable, before = False, len(host.heard)
    before = await host.hears("NDATA", after=before, value=False)
    plant.durable = True
    await host.hears("NDATA", after=before, value=True)
    plant.log.mark("reported")


async def _loses_a_machine(plant: Plant, host: Host) -> None:
    plant.log.mark("lost")
    plant.lost.add("washer1")
    before = await host.hears("DDEATH", "washer1")
    await plant.make("washer1")
    await told(plant.ledger)
    plant.log.mark("back")
    plant.lost.clear()
    before = await host.hears("DBIRTH", "washer1", after=before)
    await plant.make("washer1")
    await host.hears("DDATA", "washer1", after=before)
    await told(plant.ledger)


async def _takes_commands(plant: Plant, host: Host) -> None:
    plant.log.mark("commands")
    await _accepted(plant, host)
    for what in (("good",), ("alias",), ("good", "DCMD", "press1"), ("rebirth", "DCMD", "press1")):
        await _refused(plant, host, *what)
        plant.log.mark(f"refused {' '.join(what)}")
        await _accepted(plant, host)
    plant.log.mark("commanded")


async def _survives_a_cut(plant: Plant, host: Host, tap: Tap) -> None:
    before = len(host.heard)
    tap.cut()
    plant.log.mark("cut")
    await host.hears("NDEATH", after=before)
    await plant.make(*["press1"] * 3)
    await host.hears("DBIRTH", "washer1", after=before)
    await told(plant.ledger)


async def _waits_while_its_host_is_away(plant: Plant, host: Host) -> None:
    await host.state("scada", 1500, online=False)
    await _refused(plant, host, "reboot")
    plant.log.mark("old word ignored")
    before = len(host.heard)
    await host.state("scada", 3000, online=False)
    plant.log.mark("host away")
    await host.hears("NDEATH", after=before)
    await plant.make(*["press1"] * 5)
    await plant.log.subscribed("a3")
    await _refused(plant, host, "reboot")
    plant.log.mark("still away")
    await host.state("scada", 4000, online=True)
    before = await host.hears("DBIRTH", "washer1", after=before)
    await told(plant.ledger)
    plant.log.mark("stopping")
    host.marks["restarting"] = len(host.heard)


async def _starts_again(plant: Plant, host: Host, tap: Tap) -> None:
    before = len(host.heard)
    async with plant.running(tap.port):
        await host.hears("DBIRTH", "washer1", after=before)
        await plant.make("press1")
        await told(plant.ledger)
    plant.log.mark("second stop")


async def _walks_to_another_server(plant: Plant, host: Host, tap: Tap, other: Tap) -> None:
    before = len(host.heard)
    async with plant.running(tap.port, other.port):
        before = await host.hears("DBIRTH", "washer1", after=before)
        await host.state("scada", 5000, online=False)
        before = await host.hears("NDEATH", after=before)
        await host.state("scada", 6000, online=True)
        await host.hears("DBIRTH", "washer1", after=before)
    plant.log.mark("third stop")


async def _speaks_to_an_old_broker(plant: Plant, old: Tap) -> None:
    async with plant.running(old.port, host=None):
        await plant.make("press1")
        await told(plant.ledger)
    plant.log.mark("fourth stop")
