"""`tanchang probe`: look at a server or a Modbus address, print what is there and a device table to review."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass

from agent.commands.fragment import modbus_report, modbus_tables, opcua_report, opcua_table, orders
from drivers.contract import NotConnectedError

MISTAKE = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """How far to look. `units` such as '1-16' or '1,2,10'; `expect` such as 'HR8=16.2', read from one unit."""

    units: str = "1-16"
    span: int = 400
    most: int = 5000
    timeout: float = 1.0
    name: str = "device1"
    expect: str | None = None


def probe(address: str, scope: Scope) -> int:
    """Report on standard error, tables on standard output; 1 where nothing answers, 2 for a wrong address."""
    match = re.fullmatch(r"modbus://([^\s/:]+)(?::(\d{1,5}))?/?", address)
    try:
        if match:
            return _modbus(match[1], int(match[2] or 502), scope)
        if address.startswith("opc.tcp://"):
            return _opcua(address, scope)
        print(f"{address}: write opc.tcp://host:port/ or modbus://host:port", file=sys.stderr)
    except NotConnectedError as error:
        print(error, file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
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
    units = asyncio.run(survey(host, port, numbers, scope.span, scope.timeout, time.monotonic))
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
    octets = asyncio.run(peek(host, port, numbers[0], space, start, scope.timeout))
    fits = orders(octets, float(value))
    for datatype, order in fits:
        print(f'{place} is {value} as datatype = "{datatype}", word_order = "{order}"')
    if not fits:
        print(
            f"{place} holds {octets.hex(' ', 2) or 'nothing'}, which is {value} in no way; look again", file=sys.stderr
        )
    return int(not fits)


def _opcua(url: str, scope: Scope) -> int:
    from drivers.opcua.survey import survey

    found = asyncio.run(survey(url, scope.most, scope.timeout, time.monotonic))
    for line in opcua_report(found):
        print(line, file=sys.stderr)
    print(opcua_table(found, url, scope.name), end="")
    return 0
