"""What the panel may see and ask of the running agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import metadata
from pathlib import Path

from agent import wiring
from agent.configuration.tables import LineFile, MachineTable
from agent.flashing import lamp_word
from agent.ledger import Ledger, Reader
from agent.live import TagRef
from agent.model import Decision, DeviceNow, Kind, LineNow, Order, Record, Window
from agent.recorder import Recorder
from agent.shift import planned
from agent.sinks import sinks
from agent.storage.reader import Series
from drivers.catalog import describer
from drivers.contract import Device, Tag
from drivers.frames import Describe, Frame, Frames
from gateway.panel.view import ROLES, FrameNow, FramesNow, Source

VERSION = metadata.version("tanchang")


class AgentView:
    """`gateway.panel.view.View` on a recorder and a read-only connection to its ledger."""

    def __init__(
        self,
        recorder: Recorder,
        ledger: Ledger,
        reader: Reader,
        evidence: Path,
        take_order: Callable[[Order], Awaitable[None]],
        file: LineFile,
        frames: Mapping[str, Frames] | None = None,
    ) -> None:
        self._recorder = recorder
        self._ledger = ledger
        self._reader = reader
        self._evidence = evidence
        self._take_order = take_order
        self._sinks = sinks(file)
        self._timezone = file.timezone
        self._calendar = wiring.calendar(file)
        self._frames = frames or {}
        self._devices = {device.name: device for device in file.devices}
        self._sources = {machine.name: sources(file, machine) for machine in file.machine}

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

    def frames(self, device: str) -> FramesNow | None:
        """The last frames of a device's link, None where there is no such device."""
        if device not in self._devices:
            return None
        return _frames_now(self._frames.get(device) or Frames(), describer(self._devices[device]))

    def depth(self) -> Mapping[str, int]:
        """`last_seq`, and the cursor of each sink by its name."""
        return {"last_seq": self._ledger.last_seq, **{sink: self._ledger.cursor(sink) for sink in self._sinks}}

    def evidence(self, name: str) -> Path | None:
        """The evidence file of that name, None where there is none or the name leads elsewhere."""
        path = self._evidence / name
        return path if path.parent == self._evidence and path.is_file() else None

    async def take_order(self, order: Order) -> None:
        """Returns once the order is committed; OrderError where it cannot be taken."""
        await self._take_order(order)

    async def audit(self, event: str, by: str, role: str, detail: str) -> None:
        """Record what somebody did on the panel."""
        await self._recorder.audit(event, VERSION, detail, by, role)

    async def give_reason(self, machine: str, body: Mapping[str, object]) -> None:
        """Record why a machine stopped, as somebody says."""
        await self._recorder.reason(machine, body)

    async def decide(self, one: Decision) -> None:
        """Record what somebody says of an inspected part; figures follow."""
        await self._recorder.decide(one)

    def root(self) -> str:
        """The short word that stands for the ledger's state."""
        return self._ledger.root

    def sources(self, machine: str) -> tuple[Source, ...]:
        """The tags that tell of a machine, those with a role first."""
        return self._sources[machine]

    def planned(self, since: int, until: int) -> tuple[tuple[int, int], ...]:
        """The planned spans of [since, until) after the line file's shifts."""
        return planned(self._calendar, self._timezone, Window("", "", since, until))

    def samples(self, device: str, tag: str, since: int, until: int) -> Series:
        """Raw samples with since <= source time < until, from the ledger's blocks."""
        return self._reader.samples(device, tag, since, until)


def _frames_now(frames: Frames, describe: Describe) -> FramesNow:
    def now(frame: Frame) -> FrameNow:
        return FrameNow(frame.time, frame.sent, frame.octets, frame.size, describe(frame))

    broken = frames.broken
    return FramesNow(
        last=tuple(map(now, frames.last())),
        refused=tuple((now(request), now(answer)) for request, answer in frames.refused()),
        broken_at=broken.time if broken else None,
        broken_why=broken.why if broken else "",
        before=tuple(map(now, broken.frames)) if broken else (),
    )


def sources(file: LineFile, machine: MachineTable) -> tuple[Source, ...]:
    """Tags with a role for the machine, what its cameras take along, and measured values of its own."""
    devices = {device.name: device for device in file.devices}
    (rule,) = wiring.machine_rules(file.model_copy(update={"machine": (machine,)}), file.devices)
    counters: dict[str, TagRef | None] = {name: counter.tag for name, counter in rule.counters.items()}
    tags: dict[str, TagRef | None] = {"state": rule.state, "reason": rule.reason, "cycle": rule.cycle, **counters}
    roles = {ref: role for role in ROLES if (ref := tags.get(role))}
    words = {lamp_word(lamp): state.word for lamp, state in rule.patterns.items()}
    wanted = dict.fromkeys((ref.device, ref.tag) for ref in roles)
    wanted |= dict.fromkeys(_taken_along(file, machine.name))
    wanted |= dict.fromkeys(_own(file, machine, devices))
    found = []
    for device, name in wanted:
        tag = next(tag for tag in devices[device].tags if tag.name == name)
        role = next((role for ref, role in roles.items() if ref == (device, name)), "")
        found.append(_source(role, device, tag, words if role == "state" else {}))
    return tuple(found)


def _source(role: str, device: str, tag: Tag, words: Mapping[str, str]) -> Source:
    table = tag.model_dump()
    address = str(table.get("address") or table.get("node") or tag.name)
    return Source(role, device, tag.name, tag.unit, address, str(table.get("datatype") or ""), tag.every, words)


def _taken_along(file: LineFile, machine: str) -> list[tuple[str, str]]:
    """Process values that belong to the shots of the machine's cameras."""
    references = [one for camera in file.camera if camera.machine == machine for one in camera.process]
    return [(device, tag) for device, _, tag in (one.partition(".") for one in references)]


def _own(file: LineFile, machine: MachineTable, devices: Mapping[str, Device]) -> list[tuple[str, str]]:
    """Measured values of the device that tells the state: all where it is this machine's alone, else by their name."""
    name = machine.state.tag.partition(".")[0]
    alone = all(one.name == machine.name or one.state.tag.partition(".")[0] != name for one in file.machine)
    tags = [tag for tag in devices[name].tags if tag.unit and tag.name != devices[name].clock]
    return [(name, tag.name) for tag in tags if alone or _names(tag, machine.name)]


def _names(tag: Tag, machine: str) -> bool:
    """Whether the tag's name or its node says that it is the machine's."""
    return tag.name.startswith(f"{machine}_") or f"={machine}." in str(tag.model_dump().get("node"))
