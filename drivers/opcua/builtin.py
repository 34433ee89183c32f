"""Pure: step over any of OPC UA's built-in types without making anything of it, however a server lies about lengths.

Also what every response passes before the library decodes it: its decoder believes what it is told, and never comes
to an end with five octets that announce an array of two thousand million nothings.
"""

from __future__ import annotations

import math

from agent.model import BAD
from drivers.opcua.cursor import I32, U32, Cursor

VALUE, STATUS, SOURCE, SOURCE_PICO, SERVER, SERVER_PICO = 1, 2, 4, 16, 8, 32
BESIDE_VALUE = ((STATUS, 4), (SOURCE, 8), (SOURCE_PICO, 2), (SERVER, 8), (SERVER_PICO, 2))
NULL, DIMENSIONS, ARRAY = 0, 0x40, 0x80
SIZES = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 4, 8: 8, 9: 8, 10: 4, 11: 8, 13: 8, 14: 16, 19: 4}
LEAST = {17: 2, 18: 2, 20: 6, 21: 1, 22: 3, 23: 1, 24: 1, 25: 1, 12: 4, 15: 4, 16: 4}
EXPANDED_URI, EXPANDED_INDEX = 0x80, 0x40
DEEPEST = 16
MOST_ELEMENTS = 100_000
SPARE_ELEMENTS = 16  # an empty array may have dimensions such as 3 by 0
READ_RESPONSE, CREATE_MONITORED_ITEMS_RESPONSE, SERVER_STATUS = 634, 754, 864
HARMLESS_OBJECTS = frozenset({SERVER_STATUS})


def response_header(cursor: Cursor, *, only: frozenset[int] | None = None) -> int:
    """Step over a response header; its StatusCode."""
    cursor.skip(12)
    status = int(cursor.number(U32))
    _diagnostic_info(cursor, 0)
    for _ in range(cursor.count(4)):
        cursor.string()
    _extension_object(cursor, only)
    return status


def vet(body: bytes) -> None:
    """ValueError where a response has what only a hostile or broken server sends us: not for the library to decode.

    Objects other than ServerStatus are none of the things that this client asks for.
    """
    cursor = Cursor(body)
    kind = cursor.node_id()
    if response_header(cursor, only=HARMLESS_OBJECTS) >= BAD:
        return
    if kind == READ_RESPONSE:
        for _ in range(cursor.count()):
            _data_value(cursor, 0, HARMLESS_OBJECTS)
    elif kind == CREATE_MONITORED_ITEMS_RESPONSE:
        for _ in range(cursor.count(23)):
            cursor.skip(20)
            _extension_object(cursor, HARMLESS_OBJECTS)


def rest_of_variant(cursor: Cursor, kind: int, depth: int = 0, only: frozenset[int] | None = None) -> None:
    """Step over what follows the first octet of a Variant."""
    plain = kind & ~(ARRAY | DIMENSIONS)
    if plain == NULL and kind != NULL:
        raise ValueError("an array of nulls has no size that could be checked")
    if plain not in SIZES and plain not in LEAST and plain != NULL:
        raise ValueError(f"a value of type {plain}, which the standard does not have")
    if depth > DEEPEST:
        raise ValueError(f"values nested deeper than {DEEPEST}")
    count = 1
    if not kind & ARRAY:
        _scalar(cursor, plain, depth, only)
    elif plain in SIZES:
        count = cursor.count(SIZES[plain])
        cursor.skip(SIZES[plain] * count)
    else:
        count = cursor.count(LEAST[plain])
        if count > MOST_ELEMENTS:
            raise ValueError(f"an array of {count} elements; at most {MOST_ELEMENTS} are stepped over")
        for _ in range(count):
            _scalar(cursor, plain, depth, only)
    if kind & DIMENSIONS:
        _dimensions(cursor, count)


def _dimensions(cursor: Cursor, count: int) -> None:
    """Step over an array's dimensions; ValueError for more than its elements fill: the library would make them up."""
    number = cursor.count(4)
    if number > DEEPEST:
        raise ValueError(f"an array nested in {number} dimensions")
    sizes = [cursor.number(I32) for _ in range(number)]
    if min(sizes, default=0) < 0 or math.prod(size or 1 for size in sizes) > count + SPARE_ELEMENTS:
        raise ValueError(f"dimensions {sizes} for an array of {count} elements")


def _scalar(cursor: Cursor, kind: int, depth: int, only: frozenset[int] | None) -> None:
    """Step over one value of a type; a null one has no octets."""
    if kind in SIZES:
        cursor.skip(SIZES[kind])
    elif kind in (12, 15, 16):
        cursor.string()
    elif kind in (17, 18):
        _node_id(cursor)
    elif kind == 20:
        cursor.skip(2)
        cursor.string()
    elif kind == 21:
        mask = cursor.octet()
        for _ in range((mask & 1) + (mask >> 1 & 1)):
            cursor.string()
    elif kind == 22:
        _extension_object(cursor, only)
    elif kind == 23:
        _data_value(cursor, depth + 1, only)
    elif kind == 24:
        rest_of_variant(cursor, cursor.octet(), depth + 1, only)
    elif kind == 25:
        _diagnostic_info(cursor, depth + 1)


def _data_value(cursor: Cursor, depth: int, only: frozenset[int] | None) -> None:
    mask = cursor.octet()
    if mask & VALUE:
        rest_of_variant(cursor, cursor.octet(), depth, only)
    cursor.skip(sum(size for bit, size in BESIDE_VALUE if mask & bit))


def _node_id(cursor: Cursor) -> None:
    """Step over a NodeId or an ExpandedNodeId."""
    flags = cursor.data[cursor.at] if cursor.left else 0
    cursor.node_id(ignoring=EXPANDED_URI | EXPANDED_INDEX)
    if flags & EXPANDED_URI:
        cursor.string()
    if flags & EXPANDED_INDEX:
        cursor.skip(4)


def _extension_object(cursor: Cursor, only: frozenset[int] | None) -> None:
    """Step over an object; ValueError for a body of another type than `only`, where that is given."""
    kind = cursor.node_id()
    encoding = cursor.octet()
    if encoding not in (0, 1, 2):
        raise ValueError(f"an object with encoding {encoding}")
    if encoding:
        if only is not None and kind not in only:
            raise ValueError("an object of a type that was not asked for")
        cursor.skip(cursor.number(U32))


def _diagnostic_info(cursor: Cursor, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"diagnostics nested deeper than {DEEPEST}")
    mask = cursor.octet()
    cursor.skip(4 * sum(mask >> bit & 1 for bit in (0, 1, 2, 3)))
    if mask & 16:
        cursor.string()
    if mask & 32:
        cursor.skip(4)
    if mask & 64:
        _diagnostic_info(cursor, depth + 1)
