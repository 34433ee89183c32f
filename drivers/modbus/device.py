"""The device table of a Modbus unit, as an engineer writes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt, model_validator

from drivers.contract import Device, Tag
from drivers.modbus.address import Base, Space, parse
from drivers.modbus.datatype import MODULUS, REGISTERS, DataType, Guard, WordOrder, pattern
from drivers.modbus.endpoint import Endpoint, Framing, Parity, Socket, Tty


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ModbusTag(Tag):
    """A value at an address: `raw * scale + offset`.

    A bool stands in a coil or discrete input, or is `bit` 0 to 15 of a register, 0 the lowest. A text has `length`
    characters, two a register. `sentinels` are raw values by which the device says that it has none.
    """

    address: Annotated[str, BeforeValidator(_text)]
    datatype: DataType
    scale: float = 1.0
    offset: float = 0.0
    bit: Annotated[int, Field(ge=0, le=15)] | None = None
    length: Annotated[int, Field(ge=1, le=250)] | None = None
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    sentinels: tuple[StrictInt | StrictFloat, ...] = ()
    word_order: WordOrder | None = None
    address_base: Base | None = None
    guard: Guard | None = None

    @cached_property
    def place(self) -> tuple[Space, int]:
        """Address space, and offset from 0 of the first register or bit."""
        return parse(self.address, self.address_base, bits=self.datatype == "bool" and self.bit is None)

    @property
    def size(self) -> int:
        """How many addresses the value takes."""
        return -(-(self.length or 0) // 2) if self.datatype == "text" else REGISTERS[self.datatype]

    @property
    def scaled(self) -> bool:
        """Whether the value is not the raw number itself."""
        return (self.scale, self.offset) != (1.0, 0.0)

    @cached_property
    def patterns(self) -> tuple[int, ...]:
        """The sentinels as bits, most significant first."""
        return tuple(pattern(self.datatype, value) for value in self.sentinels)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        space, offset = self.place
        single = self.datatype == "bool" and self.bit is None
        if space.is_bits != single:
            right = "'bool'" if space.is_bits else "a number type such as 'u16', or 'bool' with its bit"
            raise ValueError(f"{self.address} takes datatype {right}, not {self.datatype!r}")
        if self.bit is not None and self.datatype != "bool":
            raise ValueError(f"a bit is a 'bool', not {self.datatype!r}")
        if (self.length is not None) != (self.datatype == "text"):
            raise ValueError("a 'text' needs its length in characters, and nothing else has one")
        if offset + self.size > 0x1_0000:
            raise ValueError(f"a {self.datatype} at {self.address} runs past the end of its table")
        if self.datatype in ("bool", "text") and (self.scaled or self.sentinels):
            raise ValueError(f"a {self.datatype} has no scale or offset and no sentinels; leave them out")
        assert self.patterns is not None  # a sentinel that cannot be is refused here
        return self


class ModbusDevice(Device):
    """One unit behind a Modbus TCP address, a serial server (`framing` rtu) or a serial line (`port` a path).

    Devices on the same line, and `shared` ones with the same host and port, share one connection; `outstanding` is how
    many requests this unit is sent before the first is answered. `guard` double_read is for values a PLC may tear.
    `word_order` is how values of two or more registers are laid out: ABCD as the protocol has it, CDAB words
    swapped, BADC bytes swapped, DCBA both; a tag may have its own. `address_base` is where addresses count from that
    do not say it themselves. `gap` is how many registers no tag asks for may be read to save a request,
    `max_registers` the most a single request asks for.
    """

    driver: Literal["modbus"]
    host: Annotated[str, Field(min_length=1)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | Annotated[str, Field(pattern="^/")] = 502
    framing: Framing = "tcp"
    shared: bool = False
    baudrate: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 19200
    parity: Parity = "even"
    stopbits: Literal[1, 2] = 1
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    word_order: WordOrder = "ABCD"
    address_base: Base | None = None
    gap: Annotated[int, Field(ge=0, le=124)] = 16
    max_registers: Annotated[int, Field(ge=4, le=125)] = 125
    outstanding: Annotated[int, Field(ge=1, le=16)] = 1
    guard: Guard = "none"
    tag: tuple[ModbusTag, ...]

    @property
    def address(self) -> str:
        return f"{self.endpoint} unit {self.unit}"

    @property
    def endpoint(self) -> Endpoint:
        """What its connection leads to."""
        if isinstance(self.port, str):
            return Tty(self.port, self.baudrate, self.parity, self.stopbits)
        alone = not (self.shared or self.is_bus)
        return Socket(self.host or "", self.port, self.framing, self.unit if alone else None)

    @property
    def is_bus(self) -> bool:
        """Whether the line carries RTU frames: one request at a time, for all units on it."""
        return isinstance(self.port, str) or self.framing == "rtu"

    @property
    def tags(self) -> Sequence[ModbusTag]:
        return self.tag

    @property
    def late_s(self) -> float:
        """A reply may be on its way for a timeout, and the unit's clock may be read in another request."""
        return self.timeout

    def modulus(self, tag: str) -> int | None:
        found = next(candidate for candidate in self.tag if candidate.name == tag)
        return None if found.scaled else MODULUS.get(found.datatype)

    @model_validator(mode="before")
    @classmethod
    def _hand_down(cls, table: Any) -> Any:
        """The device's address base goes to the tags that have none of their own."""
        base = table.get("address_base") if isinstance(table, dict) else None
        tags = table.get("tag") if isinstance(table, dict) else None
        if base not in (0, 1) or not isinstance(tags, list | tuple):
            return table
        handed = [{"address_base": base} | tag if isinstance(tag, dict) else tag for tag in tags]
        return table | {"tag": handed}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.tag:
            raise ValueError("this device has no tag; write at least one")
        for tag in self.tag:
            if tag.size > self.max_registers:
                raise ValueError(
                    f"tag {tag.name!r} takes {tag.size} registers and a request {self.max_registers}; "
                    "write a higher max_registers or a shorter length"
                )
        if self.clock is not None:
            self._check_clock(self.clock)
        self._check_endpoint()
        return self

    def _check_endpoint(self) -> None:
        if isinstance(self.port, int) and self.host is None:
            raise ValueError("host is missing; write the address of the device, or port = '/dev/tty...' for a line")
        if isinstance(self.port, str) and self.host is not None:
            raise ValueError("a serial line has no host; leave host out, or write port as a number")
        serial = {"baudrate", "parity", "stopbits"} & self.model_fields_set
        if isinstance(self.port, int) and serial:
            raise ValueError(
                f"{', '.join(sorted(serial))}: only a serial line has them; the serial server keeps its own"
            )
        if self.is_bus and self.outstanding > 1:
            raise ValueError("RTU takes one request at a time; leave outstanding out")

    def _check_clock(self, name: str) -> None:
        tag = next((tag for tag in self.tag if tag.name == name), None)
        if tag is None:
            raise ValueError(f"clock: no tag {name!r} in this device; write the tag that carries its time")
        if tag.datatype != "u64" or tag.scaled:
            raise ValueError(f"clock: tag {name!r} must be ms since 1970 UTC in a 'u64', without scale or offset")
