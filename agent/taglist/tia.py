"""Pure: a row of TIA Portal's PLC tag table, read from the CPU's own OPC UA server."""

from __future__ import annotations

from collections.abc import Mapping

from agent.taglist.draft import Choices, Draft, Reject

COLUMNS = ("name", "data type", "logical address")
CAUTION = (
    "symbols are read from the CPU's own OPC UA server, which has to be activated; "
    "tags of optimised data blocks stand in no tag table: tanchang probe finds them"
)
NAMESPACE = "http://www.siemens.com/simatic-s7-opcua"

# What the server gives for each SIMATIC type: S7-1500 communication function manual A5E03735815, table 9-1.
TYPES = {
    "bool": "bool",
    "byte": "u8",
    "word": "u16",
    "dword": "u32",
    "lword": "u64",
    "sint": "i8",
    "int": "i16",
    "dint": "i32",
    "lint": "i64",
    "usint": "u8",
    "uint": "u16",
    "udint": "u32",
    "ulint": "u64",
    "real": "f32",
    "lreal": "f64",
    "time": "i32",
    "ltime": "i64",
    "s5time": "u16",
    "date": "u16",
    "time_of_day": "u32",
    "tod": "u32",
    "ltime_of_day": "u64",
    "ltod": "u64",
    "ldt": "datetime",
    "char": "u8",
    "wchar": "u16",
    "string": "text",
    "wstring": "text",
    "timer": "u16",
    "counter": "u16",
}
UNITS = {"time": "ms", "ltime": "ns"}


def draft(row: Mapping[str, str], choices: Choices) -> Draft:  # noqa: ARG001 - one signature for all dialects
    """The tag of a row; Reject where it cannot be."""
    if row.get("hmi accessible", "").lower() in ("false", "0"):
        raise Reject('not accessible from outside; tick "Accessible from HMI/OPC UA" in the tag table')
    kind = row["data type"].strip('"').lower()
    if kind.startswith("array"):
        raise Reject("an array; name its values one by one, or find them with tanchang probe")
    datatype = TYPES.get(kind.partition("[")[0])
    if datatype is None:
        raise Reject(f"data type {row['data type']!r} is no single value; find its parts with tanchang probe")
    if not row["name"] or '"' in row["name"]:
        raise Reject("a symbol needs a name without quotation marks")
    tag = {"node": f's="{row["name"]}"', "datatype": datatype}
    if kind in UNITS:
        tag["unit"] = UNITS[kind]
    comment = " ".join(part for part in (row["logical address"], row.get("comment", "")) if part)
    return Draft(row["name"], tag, row["logical address"], group=row.get("path", ""), comment=comment)
