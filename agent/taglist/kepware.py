"""Pure: a row of a Kepware tag export."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.taglist.draft import Choices, Draft, Reject, every, laid_out, number, place

COLUMNS = ("tag name", "address", "data type")
CAUTION = (
    "40001 is taken to count from 1, bits from 0: so it is unless the device in Kepware has Zero-Based Addressing "
    "switched off; then give --address-base 0"
)
TYPES = {
    "boolean": "bool",
    "short": "i16",
    "word": "u16",
    "long": "i32",
    "dword": "u32",
    "llong": "i64",
    "qword": "u64",
    "float": "f32",
    "double": "f64",
    "bcd": "bcd16",
    "lbcd": "bcd32",
    "string": "text",
}
LINEAR = ("raw low", "raw high", "scaled low", "scaled high")


def draft(row: Mapping[str, str], choices: Choices) -> Draft:
    """The tag of a row; Reject where it cannot be."""
    access = row.get("client access", "").upper()
    if access == "WO":
        raise Reject("write only; nothing is ever written to a PLC")
    kind = row["data type"].lower()
    if kind not in TYPES:
        known = ", ".join(word.capitalize() for word in TYPES)
        raise Reject(f"data type {row['data type']!r} does not say what stands there; set it to one of {known}")
    datatype = TYPES[kind]
    laid_out(datatype, choices)
    tag = {"datatype": datatype} | _place(row["address"], datatype, choices)
    scaling, notes = _scaling(row, datatype)
    pace, slower = every(row.get("scan rate", ""))
    if row.get("eng units"):
        tag["unit"] = row["eng units"]
    if pace:
        tag["every"] = pace
    return Draft(
        row["tag name"], tag | scaling, tag["address"], comment=row.get("description", ""), notes=(*notes, *slower)
    )


def _place(address: str, datatype: str, choices: Choices) -> dict[str, Any]:
    if "[" in address:
        raise Reject("an array; write a row for each of its values")
    match = re.fullmatch(r"(\d{5,6})(?:\.(\d{1,3})([HL]?))?", address)
    base, part, side = match.groups() if match else (address, None, "")
    where = place(base, choices, bits=datatype == "bool" and part is None)
    single = where[0] in "CD"
    if datatype == "text":
        if part is None:
            raise Reject("a string needs its length, such as 400100.20H")
        return {"address": where, "length": int(part), "word_order": "BADC" if side == "L" else "ABCD"}
    if datatype == "bool" and not single:
        if part is None or int(part) > 15:
            raise Reject("which bit of the register? write 0 to 15 behind a dot, such as 400001.5")
        return {"address": where, "bit": int(part)}
    if part is not None:
        raise Reject(f"a bit or length behind a {datatype}; leave it out, or set the data type to Boolean or String")
    return {"address": where}


def _scaling(row: Mapping[str, str], datatype: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Factor and offset of linear scaling and negation; clamping is left out, for a value is told as measured."""
    kind = row.get("scaling", "").lower()
    notes: tuple[str, ...] = ()
    scale, offset = 1.0, 0.0
    if kind == "linear":
        low, high, scaled_low, scaled_high = (number(row[name], name) for name in LINEAR)
        if low == high:
            raise Reject("raw low and raw high are the same; mend the scaling")
        scale = (scaled_high - scaled_low) / (high - low)
        offset = scaled_low - low * scale
        if "1" in (row.get("clamp low"), row.get("clamp high")):
            notes = ("not clamped",)
        if row.get("negate value") == "1":
            scale, offset = -scale, -offset
    elif kind not in ("", "none"):
        raise Reject(f"scaling {row['scaling']!r} is not linear; scale where the value is used")
    if (scale, offset) == (1.0, 0.0):
        return {}, notes
    if datatype in ("bool", "text"):
        raise Reject(f"a {datatype} cannot be scaled")
    return {"scale": scale, "offset": offset}, notes
