"""What every driver promises the agent, and the two configuration nouns it extends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent.configuration.duration import Duration
from agent.model import Batch, Origin
from drivers.frames import Frames

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class DriverError(Exception):
    """Root of what a driver may raise: the two leaves below tell the agent what to do."""


class NotConnectedError(DriverError):
    """The device cannot be reached now: the agent marks its tags and tries again."""


class UntrustedError(NotConnectedError):
    """The device does not prove to be the one a person accepted: the agent says so and tries again."""


class MisconfiguredError(DriverError):
    """The line file asks for something this device will never give: the agent stops trying."""


class Tag(BaseModel):
    """One value of a device; each protocol adds its address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    unit: str = ""
    every: Duration = 0.2

    @field_validator("every")
    @classmethod
    def _not_too_often(cls, every: float) -> float:
        if not 0.01 <= every <= 3600.0:
            raise ValueError("write a time from '10ms' to '1h'")
        return every


class Device(BaseModel):
    """One link; each protocol adds where it is. `clock` names the tag that carries the device's own time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: ClassVar[Mapping[str, str]] = {}
    """Keys that name files or folders, where a relative one starts from the line file; with their defaults, or ""."""

    name: Name
    driver: str
    timeout: Duration = 2.0
    clock: Name | None = None

    @property
    def warnings(self) -> Sequence[str]:
        """What the line file allows and a plant should not have, each with a remedy."""
        return ()

    @property
    def address(self) -> str:
        """Where the device is, for people."""
        raise TypeError("a driver's own device model says its address")

    @property
    def tags(self) -> Sequence[Tag]:
        """The tags in the order of the line file: a batch's index counts in it."""
        raise TypeError("a driver's own device model holds its tags")

    @property
    def late_s(self) -> float:
        """By how much the source time of a value may miss the moment it held, in seconds."""
        return 0.0

    def modulus(self, tag: str) -> int | None:
        """2**bits of an unsigned integer tag, None where the tag cannot be a part counter."""
        raise TypeError(f"a driver's own device model knows the type of {tag}")


DeviceT = TypeVar("DeviceT", bound=Device)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a driver of an earlier process stopped: the last marks of its batches, and what it told since.

    `told` has all since the whole mark and may begin earlier; `observed` is up to which plant time (ns) it vouched
    for the device.
    """

    whole: str
    place: str
    told: Sequence[Batch]
    observed: int


class Driver(ABC, Generic[DeviceT]):
    """Reads one device. Never retries, logs, writes to the device or leaves work behind: the agent does.

    Raises NotConnectedError or MisconfiguredError; a tag that cannot be read is not an
    error but a row of bad status, so its neighbours still arrive.
    """

    device_type: ClassVar[type[Device]]

    def __init__(self, device: DeviceT) -> None:
        self.device = device
        self.frames = Frames()
        """Where the frames of its link are noted; before connect() the agent puts those of earlier links there."""

    @abstractmethod
    async def connect(self, tags: Sequence[Tag]) -> Origin:
        """Open the link; a batch's index counts in `tags`. The agent cancels this after device.timeout."""

    @abstractmethod
    async def read(self) -> Batch:
        """Wait for the next batch: a Publish response, or the poll that is due. The first has every tag.

        An empty batch is a sign of life. Tokens rise. The agent allows timeout plus the slowest `every`.
        """

    @abstractmethod
    async def acknowledge(self, token: int) -> None:
        """Release everything up to token at the device's server; cheap, and safe while read() waits."""

    @abstractmethod
    async def close(self) -> None:
        """Release the link. Safe to call twice, and before connect."""

    def keep(self) -> object | None:
        """After a broken link, before close(): what lets the next driver go on there; None where nothing does.

        close() then leaves at the device what resume() will need.
        """
        return None

    def resume(self, kept: object) -> None:
        """Before connect(): go on where another driver of this device stopped, by what its keep() gave or a Bookmark.

        The first batch then restates every tag as it was last told and says so; what follows was never told.
        Where the device no longer has it, connect() begins anew.
        """
