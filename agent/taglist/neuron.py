"""Pure: a row of a Neuron tag export, its workbook saved as CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.taglist.draft import Choices, Draft, Reject, laid_out, number, place

COLUMNS = ("group", "name", "address", "attribute", "type")
CAUTION = (
    "400001 is taken to count from 1: so it is unless the node in Neuron has its start address at 0; "
    "then give --address-base 0"
)
TYPES = {
    "bit": "bool",
    "bool": "bool",
    "int16": "i16",
    "uint16": "u16",
    "int32": "i32",
    "uint32": "u32",
    "int64": "i64",
    "uint64": "u64",
    "float": "f32",
    "double": "f64",
    "string": "text",
}
ADDRESS = re.compile(r"(\d{1,3})!(\w+)(?:\.(\d{1,3})([HLDE]?))?(?:#([BL]{1,2}))?(?:\.(\d{1,3})([HLDE]?))?")


def draft(row: Mapping[str, str], choices: Choices) -> Draft:
    """The tag of a row; Reject where it cannot be."""
    rights = {word.strip().lower() for word in re.split(r"[,;|/ ]+", row["attribute"]) if word}
    if rights and not rights & {"read", "subscribe"}:
        raise Reject("write only; nothing is ever written to a PLC")
    datatype = TYPES.get(row["type"].lower())
    if datatype is None:
        raise Reject(f"type {row['type']!r} cannot be read; set it to one of {', '.join(TYPES).upper()}")
    match = ADDRESS.fullmatch(row["address"])
    if match is None:
        raise Reject(f"{row['address']!r} is no Modbus address of Neuron's, such as 1!400001")
    unit, where, part, side, endian, length, length_side = match.groups()
    tag = {"datatype": datatype} | _order(endian, datatype, choices)
    tag |= _place(where, part or length, side or length_side, datatype, choices)
    factor = number(row.get("decimal") or "1", "decimal") or 1.0  # Neuron's 0 means none
    if factor != 1.0:
        if datatype in ("bool", "text"):
            raise Reject(f"a {datatype} cannot be scaled")
        tag["scale"] = factor
    if int(unit) > 255:
        raise Reject(f"there is no unit {unit}; units are 0 to 255")
    return Draft(
        row["name"], tag, tag["address"], unit=int(unit), group=row["group"], comment=row.get("description", "")
    )


def _order(endian: str | None, datatype: str, choices: Choices) -> dict[str, Any]:
    """The word order: the letters behind # mean different things in Neuron's drivers, so they have to be told."""
    if endian is None:
        laid_out(datatype, choices)
        return {}
    if endian not in choices.endian:
        raise Reject(f"what #{endian} means differs between Neuron's drivers; give --endian {endian}=CDAB or the like")
    return {"word_order": choices.endian[endian]}


def _place(where: str, part: str | None, side: str | None, datatype: str, choices: Choices) -> dict[str, Any]:
    address = place(where, choices, bits=datatype == "bool" and part is None)
    if datatype == "text":
        if part is None or side in ("D", "E"):
            raise Reject("a string needs its length, such as 1!400001.20, with H or L behind it at most")
        return {"address": address, "length": int(part), "word_order": "BADC" if side == "L" else "ABCD"}
    if datatype == "bool" and address[0] not in "CD":
        if part is None or int(part) > 15:
            raise Reject("which bit of the register? write 0 to 15 behind a dot, such as 1!400001.5")
        return {"address": address, "bit": int(part)}
    if part is not None:
        raise Reject(f"a bit or length behind a {datatype}; leave it out, or set the type to BIT or STRING")
    return {"address": address}
