"""The tables of a line file, as an engineer writes them, and what the parts of the agent take from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from agent.configuration.duration import Duration
from agent.configuration.size import Size
from agent.flashing import Lamp, pair
from agent.model import Line, Machine
from drivers.catalog import device_type
from drivers.contract import Device, Name

Steady = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
Flashes = Annotated[str, Field(pattern=r"^\d{1,10}~\d{1,10}$")]
LampWord = Steady | Flashes
Reference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}\.[a-z][a-z0-9_]{0,31}$")]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
PathWord = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
SparkplugWord = Annotated[str, Field(pattern=r"^[^+#/\x00-\x1f\x7f-\x9f]{1,64}$")]
Weekday = Annotated[str, Field(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)$")]


ENERGY_UNITS = {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6}  # in Wh
LONGEST_EXCEPTION = timedelta(366)
LEAST_LEDGER = 64 * 2**20
LEAST_RECORDS_S = 7 * 86400


class Table(BaseModel):
    """A TOML table: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerTable(Table):
    """An MQTT broker. A password is read from a file, never written here.

    `ca_file` makes the link TLS, `cert_file` and `key_file` are what the broker knows this agent by.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _checked_by_a_ca(self) -> Self:
        if self.cert_file is not None and self.ca_file is None:
            raise ValueError("cert_file without ca_file: set ca_file")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file without cert_file: set cert_file")
        return self


class MqttTable(BrokerTable):
    """The plant's broker.

    `consumer` is the one that acknowledges records itself: they wait for it.
    `raw` are the forms in which raw values are told. `home_assistant` is the prefix under which Home Assistant looks
    for sensors, "homeassistant" unless it was changed there; without it none are told.
    """

    consumer: PathWord | None = None
    raw: tuple[Literal["json", "binary"], ...] = ("json",)
    home_assistant: PathWord | None = None


class SparkplugTable(Table):
    """The line as a Sparkplug B edge node, its machines as devices: group is site:area and node the line by default.

    Nothing is told before `primary_host` is online. Without a `broker` it is that of [mqtt]; of several, one at a time.
    """

    group: SparkplugWord | None = None
    node: SparkplugWord | None = None
    primary_host: SparkplugWord | None = None
    broker: tuple[BrokerTable, ...] = ()


class PanelTable(Table):
    """Where the on-site panel listens, and by which host names it may be called.

    With `guests`, who sits at this very machine looks without logging in; nobody changes anything that way.
    """

    listen: Annotated[str, Field(pattern=r"^[^\s:]+:\d{1,5}$")] = "127.0.0.1:8080"
    hosts: tuple[str, ...] = ()
    guests: bool = False

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The port to listen on; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])


class LedgerTable(Table):
    """How large the ledger may get, how much of the raw samples stays, and how often it goes to disk.

    `records` is how long facts stay that every sink has; others stay. Flash lasts longer with a `commit` of a second
    or more; what the agent tells the outside waits for it, and so does what it acknowledges to a PLC.
    """

    size: Size = Field("2GiB", validate_default=True)
    samples: Duration | None = None
    samples_size: Size | None = None
    records: Duration | None = None
    commit: Duration = Field("205ms", validate_default=True)

    @field_validator("size")
    @classmethod
    def _large_enough(cls, value: int) -> int:
        if value < LEAST_LEDGER:
            raise ValueError("a ledger needs '64MiB' at least")
        return value

    @field_validator("records")
    @classmethod
    def _long_enough(cls, value: float | None) -> float | None:
        if value is not None and value < LEAST_RECORDS_S:
            raise ValueError("figures and displays need the records of '7d' at least")
        return value

    @field_validator("commit")
    @classmethod
    def _soon_enough(cls, value: float) -> float:
        if not 0.05 <= value <= 10:
            raise ValueError("write '50ms' to '10s': what is told to the outside waits for it")
        return value


class ShiftTable(Table):
    """A shift in local time; one that ends before it starts crosses midnight."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    breaks: tuple[tuple[TimeOfDay, TimeOfDay], ...] = ()


class ExceptionTable(Table):
    """Days with shifts of their own, first to last: of the calendar's by name, or written out; none on a holiday."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    first: date = Field(alias="from")
    last: date | None = Field(None, alias="to")
    shifts: tuple[str, ...] = ()
    shift: tuple[ShiftTable, ...] = ()

    @property
    def days(self) -> Iterator[date]:
        """The days it holds for."""
        return (self.first + timedelta(days) for days in range(((self.last or self.first) - self.first).days + 1))

    @field_validator("last")
    @classmethod
    def _not_before(cls, last: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first")
        if last is not None and first is not None and not first <= last <= first + LONGEST_EXCEPTION:
            raise ValueError("write the last of the days, at most a year after the first")
        return last


class StateTable(Table):
    """Which values of the lamp tag mean which state; a value not listed is UNKNOWN.

    "1~0" is a lamp that flashes between the two, and stays at neither for longer than `flash`. `codes` are the stop
    codes that lamps of `stopped` stand for where the PLC tells none: codes = { 3 = 12, "1~0" = 31 }.
    """

    tag: Reference
    executing: tuple[LampWord, ...]
    starved: tuple[LampWord, ...] = ()
    blocked: tuple[LampWord, ...] = ()
    stopped: tuple[LampWord, ...] = ()
    changeover: tuple[LampWord, ...] = ()
    idle: tuple[LampWord, ...] = ()
    out_of_service: tuple[LampWord, ...] = ()
    flash: Duration = 1.5
    codes: Mapping[Annotated[str, Field(pattern=r"^\d{1,10}(~\d{1,10})?$")], Annotated[int, Field(gt=0)]] = Field(
        default_factory=dict
    )

    @field_validator("codes")
    @classmethod
    def _of_stopped(cls, codes: Mapping[str, int], info: ValidationInfo) -> Mapping[str, int]:
        stopped = {_lamp(written) for written in info.data.get("stopped", ())}
        for written in codes:
            if _lamp(written) not in stopped:
                raise ValueError(f"{written!r} is no lamp of stopped: add it there")
        return codes

    @property
    def stop_codes(self) -> dict[Lamp, int]:
        """Stop codes by lamp."""
        return {_lamp(written): code for written, code in self.codes.items()}

    def lamps(self, word: str) -> tuple[Lamp, ...]:
        """The lamps of a state: values, and pairs that flash."""
        written: tuple[LampWord, ...] = getattr(self, word)
        return tuple(_lamp(lamp) for lamp in written)


def _lamp(written: LampWord) -> Lamp:
    """4, "4" and "1~0" as lamps."""
    return pair(written) if isinstance(written, str) and "~" in written else int(written)


class MachineTable(Table):
    """A machine and the tags that tell its state and parts; `max_rate` (parts a second) bounds a believable count.

    `rework` counts the parts of `good` that were mended; `energy` is a meter's total in Wh, kWh or MWh.
    """

    name: Name
    display: Mapping[str, str] = Field(default_factory=dict)
    good: Reference | None = None
    scrap: Reference | None = None
    rework: Reference | None = None
    energy: Reference | None = None
    cycle: Reference | None = None
    reason: Reference | None = None
    state: StateTable
    max_rate: Annotated[float, Field(gt=0)] | None = None
    stop_reasons: Mapping[int, str] = Field(default_factory=dict)

    @property
    def equipment(self) -> Machine:
        """What figures and displays need to know of the machine."""
        counters = {name for name in ("rework", "energy") if getattr(self, name)}
        return Machine(self.name, self.display or {"en": self.name}, self.stop_reasons, frozenset(counters))


class CameraTable(Table):
    """A camera that drops one image a part into a folder, and the models that judge it."""

    name: Name
    machine: Name
    folder: Path
    model: str
    shot: Reference | None = None
    process: tuple[Reference, ...] = ()
    process_model: str | None = None


class ProductTable(Table):
    """A product, its setup family and its cycle time on each machine of its route."""

    name: PathWord
    display: Mapping[str, str] = Field(default_factory=dict)
    family: str
    cycle: Mapping[Name, Duration]


class ScheduleTable(Table):
    """How jobs are proposed: the model, the setup between families, and how far ahead nothing moves."""

    model: str = "dispatch"
    changeover: Duration = 0.0
    frozen: Duration = 0.0


class LineFile(Table):
    """One line of one site, as written by its engineer.

    `least_coverage` in per cent: displays show no value of a figure of which less was seen.
    """

    site: PathWord
    area: PathWord
    line: PathWord
    takt: Duration
    timezone: str = "UTC"
    display: Mapping[str, str] = Field(default_factory=dict)
    targets: Mapping[str, float] = Field(default_factory=dict)
    least_coverage: Annotated[float, Field(ge=0, le=100)] = 50
    energy: Reference | None = None
    mqtt: MqttTable | None = None
    sparkplug: SparkplugTable | None = None
    panel: PanelTable | None = None
    ledger: LedgerTable = Field(default_factory=lambda: LedgerTable.model_validate({}))
    shift: tuple[ShiftTable, ...] = ()
    exception: tuple[ExceptionTable, ...] = ()
    device: tuple[dict[str, Any], ...] = ()
    machine: tuple[MachineTable, ...] = ()
    camera: tuple[CameraTable, ...] = ()
    product: tuple[ProductTable, ...] = ()
    schedule: ScheduleTable | None = None

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"no time zone {value!r}; write one such as 'Asia/Shanghai' or 'Europe/Berlin'")
        return value

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """The device tables in the terms of their drivers."""
        return tuple(device_type(table["driver"]).model_validate(table) for table in self.device)

    @property
    def equipment(self) -> Line:
        """What figures and displays need to know of the line."""
        return Line(
            site=self.site,
            area=self.area,
            line=self.line,
            display=self.display or {"en": self.line},
            takt_s=self.takt,
            timezone=self.timezone,
            machines=tuple(m.equipment for m in self.machine),
            products={p.name: p.display or {"en": p.name} for p in self.product},
            targets=self.targets,
            metered=self.energy is not None,
            least_coverage=self.least_coverage / 100,
        )
