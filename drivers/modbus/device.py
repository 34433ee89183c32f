"""The device table of a Modbus TCP unit, as an engineer writes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from drivers.contract import Device, Tag
from drivers.modbus.address import Space, parse

DataType = Literal["u16", "i16", "u32", "i32", "u64", "f32", "bool"]
WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
REGISTERS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "bool": 1}
"""How many addresses a value of each type takes."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class ModbusTag(Tag):
    """A value at an address: `raw * scale + offset`. A bool stands in a coil or discrete input."""

    address: Annotated[str, BeforeValidator(_text)]
    datatype: DataType
    scale: float = 1.0
    offset: float = 0.0

    @cached_property
    def place(self) -> tuple[Space, int]:
        """Address space, and offset from 0 of the first register or bit."""
        return parse(self.address)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        space, offset = self.place
        if space.is_bits != (self.datatype == "bool"):
            right = "'bool'" if space.is_bits else "a number type such as 'u16'"
            raise ValueError(f"{self.address} takes datatype {right}, not {self.datatype!r}")
        if offset + REGISTERS[self.datatype] > 0x1_0000:
            raise ValueError(f"a {self.datatype} at {self.address} runs past the end of its table")
        if self.datatype == "bool" and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError("a bool has no scale or offset; leave them out")
        return self


class ModbusDevice(Device):
    """One unit behind a Modbus TCP address.

    `word_order` is how values of two or more registers are laid out: ABCD as the protocol has it, CDAB words
    swapped, BADC bytes swapped, DCBA both. `gap` is how many registers no tag asks for may be read to save a
    request, `max_registers` the most a single request asks for.
    """

    driver: Literal["modbus"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    word_order: WordOrder = "ABCD"
    gap: Annotated[int, Field(ge=0, le=124)] = 16
    max_registers: Annotated[int, Field(ge=4, le=125)] = 125
    tag: tuple[ModbusTag, ...]

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port} unit {self.unit}"

    @property
    def tags(self) -> Sequence[ModbusTag]:
        return self.tag

    def modulus(self, tag: str) -> int | None:
        found = next(candidate for candidate in self.tag if candidate.name == tag)
        scaled = (found.scale, found.offset) != (1.0, 0.0)
        return 1 << int(found.datatype[1:]) if found.datatype[0] == "u" and not scaled else None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.tag:
            raise ValueError("this device has no tag; write at least one")
        if self.clock is None:
            return self
        tag = next((tag for tag in self.tag if tag.name == self.clock), None)
        if tag is None:
            raise ValueError(f"clock: no tag {self.clock!r} in this device; write the tag that carries its time")
        if tag.datatype != "u64" or (tag.scale, tag.offset) != (1.0, 0.0):
            raise ValueError(f"clock: tag {tag.name!r} must be ms since 1970 UTC in a 'u64', without scale or offset")
        return self
