"""Pure: what a survey found -> a report for people and a device table to review."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.taglist.adopt import plain_name
from agent.taglist.draft import LETTER
from agent.taglist.table import toml_value
from drivers.modbus.datatype import RAW, REGISTERS, WordOrder, octet_order

if TYPE_CHECKING:  # each protocol library is loaded by its own survey alone
    from drivers.modbus.survey import Run, Unit
    from drivers.opcua.survey import Found, Offer, Variable

ORDERS: tuple[WordOrder, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
MOST_TAGS = 125
REVIEW = "# Found by tanchang probe. Review it: keep what the line needs, and name it as people do."
UNSECURED = "# Looked at over an unsecured channel: anybody in this network can read and forge all values."
SECURED = "# Folders and files start from the line file; {} holds our certificate, and those of accepted servers."
CLOSE = 1e-4


def modbus_report(units: Sequence[Unit]) -> Iterator[str]:
    """A few lines for each unit."""
    for unit in units:
        who = " ".join(unit.objects.values()) or "does not say who it is"
        yield f"unit {unit.number}: {who}"
        if not unit.runs:
            yield "  answers, but has no register where it was looked; give a larger --span"
            continue
        yield f"  registers: {', '.join(_stretch(run) for run in unit.runs)}"
        yield f"  {unit.block} registers at once, {_latency(unit.median_s, unit.slowest_s)}"


def modbus_tables(units: Sequence[Unit], host: str, port: int, name: str) -> str:
    """A device for each unit that has registers, every register as it is: what they mean only people know."""
    tables = []
    for unit in (unit for unit in units if unit.runs):
        places = [(LETTER[run.space], run.start + offset) for run in unit.runs for offset in range(run.count)]
        tags = [
            f'  {{ name = "{letter.lower()}{at}", address = "{letter}{at}", datatype = "u16" }},'
            for letter, at in places
        ]
        left = [f"  # {len(places) - MOST_TAGS} more registers"] if len(places) > MOST_TAGS else []
        called = name if len(units) == 1 else f"{name}_{unit.number}"
        head = ["[[device]]", f"name = {toml_value(called)}", 'driver = "modbus"', f"host = {toml_value(host)}"]
        head += [f"port = {port}", f"unit = {unit.number}", f"max_registers = {max(4, unit.block)}", "tag = ["]
        tables.append("\n".join([*head, *tags[:MOST_TAGS], *left, "]", ""]))
    return "\n".join([REVIEW, *tables])


def offer_report(offer: Offer) -> Iterator[str]:
    """How the server may be called and what certificate it shows: what to compare with its own display."""
    yield "endpoints, with the users that each takes:"
    for one in offer.endpoints:
        yield f"  {one.policy} {one.mode}: {', '.join(one.users) or 'none told'}"
    if offer.others:
        yield "other servers that it knows of:"
        yield from (f"  {url}  {name}" for name, url in offer.others)
    if (shown := offer.certificate) is None:
        return
    yield f"certificate: {shown.subject or 'no subject'}, from {shown.not_before[:10]} until {shown.not_after[:10]}"
    yield f"  hosts   {', '.join(shown.hosts) or 'none'}"
    yield f"  SHA-256 {shown.thumbprint}"
    yield f"  SHA-1   {shown.sha1}"


def opcua_report(found: Found) -> Iterator[str]:
    """What the server is, what it allows, what it has."""
    yield f"server: {found.product or 'does not say who it is'}"
    limits = [f"{name} {value}" for name, value in found.limits.items() if value is not None]
    yield f"limits: {', '.join(limits) or 'none told'}"
    yield _latency(found.median_s, found.slowest_s)
    counts = Counter(variable.namespace for variable in found.variables)
    for index, uri in enumerate(found.namespaces):
        yield f"namespace {index}: {uri}, {counts[index]} variables"
    for variable in found.variables:
        kind = variable.datatype or "no type of ours"
        yield f"  ns={variable.namespace};{variable.node}  {kind}  {variable.value[:60]}"
    if not found.whole:
        yield "there are more nodes; give a larger --most"


def opcua_table(found: Found, link: Mapping[str, str]) -> str:
    """One device with every variable whose type we have; the namespace with the most of them by its URI.

    `link` has the keys of the table by which the server was reached.
    """
    readable = [variable for variable in found.variables if variable.datatype]
    if not readable:
        return f"{REVIEW}\n# The server has no variable of a type that can be read.\n"
    main = Counter(variable.namespace for variable in readable).most_common(1)[0][0]
    taken: set[str] = set()
    tags = []
    for variable in readable:
        called = _unused(plain_name(variable.node.partition("=")[2]) or plain_name(variable.name) or "tag", taken)
        taken.add(called)
        node = variable.node if variable.namespace == main else f"ns={variable.namespace};{variable.node}"
        pairs = f'name = "{called}", node = {toml_value(node)}, datatype = "{variable.datatype}"'
        tags.append(f"  {{ {pairs} }},{_comment(variable)}")
    head = ["[[device]]", *(f"{key} = {toml_value(value)}" for key, value in link.items())]
    head += [f"namespace = {toml_value(found.namespaces[main])}", "tag = ["]
    note = UNSECURED if link["security"] == "none" else SECURED.format(link.get("pki", "pki"))
    return "\n".join([REVIEW, note, *head, *tags, "]", ""])


def orders(octets: bytes, expected: float) -> list[tuple[str, str]]:
    """Every (datatype, word order) by which these registers hold the value that the engineer sees at the machine."""
    fits: list[tuple[str, str]] = []
    for datatype, size in REGISTERS.items():
        if datatype not in RAW or datatype.startswith("bcd") or 2 * size > len(octets):
            continue
        for order in ORDERS[: 1 if size == 1 else 4]:
            straight = bytes(octets[place] for place in octet_order(2 * size, order))
            code = {"f": {4: "f", 8: "d"}, "u": {2: "H", 4: "I", 8: "Q"}, "i": {2: "h", 4: "i", 8: "q"}}[datatype[0]]
            if math.isclose(struct.unpack(f">{code[2 * size]}", straight)[0], expected, rel_tol=CLOSE):
                fits.append((datatype, order))
    return fits


def _stretch(run: Run) -> str:
    first, letter = run.start, LETTER[run.space]
    return f"{letter}{first}" if run.count == 1 else f"{letter}{first} to {letter}{first + run.count - 1}"


def _latency(median_s: float, slowest_s: float) -> str:
    return f"answers in {1000 * median_s:.1f} ms, at the slowest {1000 * slowest_s:.1f} ms"


def _comment(variable: Variable) -> str:
    said = "".join(character if character.isprintable() else " " for character in variable.value[:40]).strip()
    return f"  # {said}" if said else ""


def _unused(name: str, taken: set[str]) -> str:
    called, count = name, 1
    while called in taken:
        count += 1
        called = f"{name[:28]}_{count}"
    return called
