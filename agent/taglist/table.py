"""Pure: the device tables that lists are taken over into, one for each protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agent.taglist.draft import Choices
from agent.taglist.tia import NAMESPACE
from drivers.modbus.device import ModbusTag
from drivers.opcua.device import OpcuaTag


class Table(Protocol):
    """What a protocol's device table needs."""

    place: str
    """The key of a tag that says where its value stands."""

    def check(self, name: str, tag: Mapping[str, Any], choices: Choices) -> None:
        """Hold a tag to the line file's own model; ValidationError where it does not fit."""

    def head(self, name: str, unit: int, choices: Choices) -> Sequence[str]:
        """The lines of the table before its tags."""


class ModbusTable:
    """A Modbus unit."""

    place = "address"

    def check(self, name: str, tag: Mapping[str, Any], choices: Choices) -> None:
        ModbusTag.model_validate({"word_order": choices.word_order, **tag, "name": name})

    def head(self, name: str, unit: int, choices: Choices) -> Sequence[str]:
        order = [] if choices.word_order is None else [f"word_order = {toml_value(choices.word_order)}"]
        return [
            f"name = {toml_value(name)}",
            'driver = "modbus"',
            f"host = {toml_value(choices.host)}",
            f"port = {choices.port or 502}",
            f"unit = {unit}",
            *order,
        ]


class SimaticTable:
    """A SIMATIC CPU's own OPC UA server."""

    place = "node"

    def check(self, name: str, tag: Mapping[str, Any], choices: Choices) -> None:  # noqa: ARG002 - the protocol's
        OpcuaTag.model_validate({**tag, "name": name})

    def head(self, name: str, unit: int, choices: Choices) -> Sequence[str]:  # noqa: ARG002 - the protocol's
        return [
            f"name = {toml_value(name)}",
            'driver = "opcua"',
            f"url = {toml_value(f'opc.tcp://{choices.host}:{choices.port or 4840}')}",
            f"namespace = {toml_value(NAMESPACE)}",
        ]


def toml_value(value: Any) -> str:
    """A value in TOML: JSON's strings and numbers are TOML's too, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
