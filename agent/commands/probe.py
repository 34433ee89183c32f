"""`tanchang probe`: look at a server or a Modbus address, print what is there and a device table to review."""

from __future__ import annotations

import asyncio
import logging
import re
import shlex
import sys
import time
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.commands.fragment import modbus_report, modbus_tables, offer_report, opcua_report, opcua_table, orders
from agent.configuration.mistake import from_validation
from drivers.contract import DriverError
from drivers.opcua.device import OpcuaServer

if TYPE_CHECKING:  # the protocol library is loaded by the look alone
    from drivers.opcua.survey import Offer

MISTAKE = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """How far to look, and how to get in; a field is an option of the command.

    `units` such as '1-16' or '1,2,10'; `expect` such as 'HR8=16.2', read from one unit. From `security` on the keys of
    an OPC UA server's device table, whose model says what fits.
    """

    units: str = "1-16"
    span: int = 400
    most: int = 5000
    timeout: float | None = None
    name: str = "device1"
    expect: str | None = None
    security: str = "sign_and_encrypt"
    certificate: str | None = None
    private_key: str | None = None
    pki: str = "pki"
    server_thumbprint: str | None = None
    server_host: str | None = None
    username: str | None = None
    password_file: str | None = None
    user_certificate: str | None = None
    user_private_key: str | None = None


MODBUS_TIMEOUT_S = 1.0
OPCUA_TIMEOUT_S = 5.0  # a small PLC takes its time over keys
USUAL = Scope()


def probe(address: str, scope: Scope) -> int:
    """Report on standard error, tables on standard output; 1 where nothing is told, 2 for a mistake in the call."""
    match = re.fullmatch(r"modbus://([^\s/:]+)(?::(\d{1,5}))?/?", address)
    try:
        if match:
            return _modbus(match[1], int(match[2] or 502), scope)
        if address.startswith("opc.tcp://"):
            return _opcua(address, scope)
        _say(f"{address}: write opc.tcp://host:port/ or modbus://host:port")
    except DriverError as error:
        _say(str(error))
        return 1
    except ValueError as error:
        _say(str(error))
    return MISTAKE


def unit_numbers(text: str) -> list[int]:
    """'1-3,10' -> 1, 2, 3, 10; ValueError with the remedy for anything else."""
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part.strip())
        if not match or not 0 <= int(match[1]) <= int(match[2] or match[1]) <= 255:
            raise ValueError(f"units {text!r}: write numbers from 0 to 255, such as 1-16 or 1,2,10")
        numbers += range(int(match[1]), int(match[2] or match[1]) + 1)
    return numbers


def _modbus(host: str, port: int, scope: Scope) -> int:
    from drivers.modbus.survey import survey

    numbers = unit_numbers(scope.units)
    if scope.expect is not None:
        return _expect(host, port, numbers, scope)
    units = asyncio.run(survey(host, port, numbers, scope.span, scope.timeout or MODBUS_TIMEOUT_S, time.monotonic))
    for line in modbus_report(units):
        print(line, file=sys.stderr)
    if not units:
        print(f"{host}:{port} accepts a connection, but none of the units {scope.units} answers", file=sys.stderr)
        return 1
    print(modbus_tables(units, host, port, scope.name), end="")
    return 0


def _expect(host: str, port: int, numbers: list[int], scope: Scope) -> int:
    """Which datatype and word order show the value that the engineer typed in."""
    from drivers.modbus.address import parse
    from drivers.modbus.survey import peek

    match = re.fullmatch(r"(\w+)=([-+]?\d+(?:\.\d+)?)", scope.expect or "")
    if not match or len(numbers) != 1 or parse(match[1])[0].is_bits:
        raise ValueError("--expect looks at one register of one unit: write --units 1 --expect HR8=16.2")
    (space, start), place, value = parse(match[1]), match[1], match[2]
    octets = asyncio.run(peek(host, port, numbers[0], space, start, scope.timeout or MODBUS_TIMEOUT_S))
    fits = orders(octets, float(value))
    for datatype, order in fits:
        print(f'{place} is {value} as datatype = "{datatype}", word_order = "{order}"')
    if not fits:
        print(
            f"{place} holds {octets.hex(' ', 2) or 'nothing'}, which is {value} in no way; look again", file=sys.stderr
        )
    return int(not fits)


def _opcua(url: str, scope: Scope) -> int:
    from drivers.opcua.security import NoFileError, UnknownServerError
    from drivers.opcua.survey import offer, survey

    link = _link(url, scope)
    server = _server(link, scope)
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what it says of a refusal is said in our words
    offered = asyncio.run(offer(server))
    _say(*offer_report(offered))
    try:
        found = asyncio.run(survey(server, scope.most, time.monotonic))
    except UnknownServerError as error:
        pinned = again(url, replace(scope, server_thumbprint=error.certificate.thumbprint))
        _say(f"{error.why}; it is pending in {server.pki}. Once its thumbprint is what the server itself displays:")
        _say(f"  {pinned}")
        return 1
    except NoFileError as error:
        _say(str(error))
        return MISTAKE
    except DriverError as error:
        _say(str(error), *_way_out(url, scope, offered))
        return 1
    _say(*opcua_report(found))
    print(opcua_table(found, link), end="")
    return 0


def _link(url: str, scope: Scope) -> dict[str, str]:
    """The keys of the device table by which the server is called."""
    keys = [field.name for field in fields(scope) if field.name in OpcuaServer.model_fields and field.name != "timeout"]
    given = {key: getattr(scope, key) for key in keys if getattr(scope, key) != getattr(USUAL, key)}
    return {"name": scope.name, "driver": "opcua", "url": url, "security": scope.security} | given


def _server(link: dict[str, str], scope: Scope) -> OpcuaServer:
    """ValueError has every mistake in the words of a line file."""
    try:
        return OpcuaServer.model_validate(link | {"timeout": f"{scope.timeout or OPCUA_TIMEOUT_S:f}s"})
    except ValidationError as error:
        raise ValueError("; ".join(map(str, from_validation(error, link, OpcuaServer)))) from error


def _way_out(url: str, scope: Scope, offered: Offer) -> list[str]:
    """What to do where the server does not offer the kind of channel that was asked for."""
    if scope.security == "none":
        has_none = any(one.mode == "None" for one in offered.endpoints)
        return [] if has_none else ["it offers no unsecured endpoint; leave --security none out"]
    if offered.best is None:
        unsecured = again(url, replace(scope, security="none"))
        return ["or look over an unsecured channel, on an isolated network only:", f"  {unsecured}"]
    return []


def again(address: str, scope: Scope) -> str:
    """The command that looks so, for a shell."""
    words = ["tanchang", "probe", address]
    for field in fields(scope):
        value = getattr(scope, field.name)
        if value != getattr(USUAL, field.name):
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def _say(*lines: str) -> None:
    """On standard error, without what would steer a terminal: a server may call itself anything."""
    for line in lines:
        print("".join(one if one.isprintable() else " " for one in line), file=sys.stderr)
