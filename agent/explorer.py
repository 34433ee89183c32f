"""Looks at what devices have, for `gateway.panel.explorer`: by short connections beside the driver's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.taglist.adopt import plain_name
from agent.taglist.table import toml_value
from drivers.contract import Device, DriverError
from drivers.modbus.address import parse
from drivers.modbus.device import ModbusDevice
from drivers.modbus.endpoint import Socket
from drivers.modbus.glance import Word, words
from drivers.opcua.device import OpcuaDevice
from gateway.panel.explorer import Level, LookError, Node, Place, Register

if TYPE_CHECKING:  # the protocol library is loaded by the first look
    from drivers.opcua import browse

MOST_NODES = 200
LETTERS = {3: "HR", 4: "IR"}
BUS = "its line carries one master, and that is the agent: look with tanchang probe while the agent stands"


class Looks:
    """`gateway.panel.explorer.Explorer` on the devices of a line file."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self._devices = {device.name: device for device in devices}

    def places(self) -> list[Place]:
        """The devices, and what can be looked at."""
        return [_place(device) for device in self._devices.values()]

    async def nodes(self, device: str, node: str) -> Level:
        """A level of a server's address space, at most MOST_NODES of it."""
        from drivers.opcua.browse import level

        known = self._devices[device]
        if not isinstance(known, OpcuaDevice):
            raise KeyError(device)
        try:
            found = await level(known, node, MOST_NODES)
        except (DriverError, OSError, ValueError) as error:
            raise LookError(str(error) or f"{known.url} does not answer: check address and network") from error
        return Level(tuple(_node(one, found.own) for one in found.nodes), found.more)

    async def registers(self, device: str, address: str, count: int) -> list[Register]:
        """Registers of a unit from an address on, fewer where it refuses so many."""
        from drivers.modbus.survey import peek

        known = self._devices[device]
        if not isinstance(known, ModbusDevice):
            raise KeyError(device)
        endpoint = known.endpoint
        if not isinstance(endpoint, Socket) or endpoint.framing != "tcp":
            raise LookError(BUS)
        try:
            space, start = parse(address, known.address_base)
            if space.is_bits:
                raise LookError(f"{address} is a bit: write a register such as HR0 or IR0")
            octets = await peek(endpoint.host, endpoint.port, known.unit, space, start, known.timeout, count)
        except (DriverError, OSError, ValueError) as error:
            raise LookError(str(error)) from error
        if not octets:
            raise LookError(f"unit {known.unit} of {endpoint} has no register {address}, or does not answer")
        return [_register(one, LETTERS[space]) for one in words(octets, start)]


def _place(device: Device) -> Place:
    if isinstance(device, OpcuaDevice):
        return Place(device.name, device.driver, device.address, "nodes")
    if isinstance(device, ModbusDevice) and device.is_bus:
        return Place(device.name, device.driver, device.address, "", BUS)
    return Place(device.name, device.driver, device.address, "registers")


def _node(one: browse.Node, own: int) -> Node:
    index, _, rest = one.node.partition(";") if one.node.startswith("ns=") else ("ns=0", "", one.node)
    written = rest if index == f"ns={own}" and own else one.node
    tag = ""
    if one.datatype is not None:
        name = plain_name(rest.partition("=")[2]) or plain_name(one.name) or "tag"
        tag = _line(name=name, node=written, datatype=one.datatype)
    return Node(one.node, one.name, one.is_variable, one.datatype, one.value, tag)


def _register(one: Word, letters: str) -> Register:
    address = f"{letters}{one.offset}"
    name = address.lower()
    tags = {"u16": _line(name=name, address=address, datatype="u16")}
    tags |= {pair.order: _line(name=name, address=address, datatype="f32", word_order=pair.order) for pair in one.pairs}
    return Register(address, one.u16, one.i16, {pair.order: pair.f32 for pair in one.pairs}, tags)


def _line(**pairs: str) -> str:
    return f"  {{ {', '.join(f'{key} = {toml_value(value)}' for key, value in pairs.items())} }},"
