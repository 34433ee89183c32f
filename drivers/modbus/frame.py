"""Pure: Modbus TCP frames. Only what reads may be built, and every part of a reply is checked."""

from __future__ import annotations

import struct

from drivers.modbus.blocks import Block

READ_ONLY_FUNCTIONS = frozenset({1, 2, 3, 4, 43})
"""The only function codes that ever leave this driver: three ways to read, and who the device is."""

HEADER = struct.Struct(">HHHB")  # transaction, protocol, octets that follow, unit
MAX_FOLLOWING = 254
EXCEPTION = 0x80
GATEWAY_REFUSED = (10, 11)
"""Exceptions by which a gateway says that it cannot reach the unit."""


class Refusal(Exception):  # noqa: N818 - the unit's lawful answer, not an error of ours
    """The unit answered with a Modbus exception; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """The frame of a request; ValueError for a function that is not on the read-only list."""
    if pdu[0] not in READ_ONLY_FUNCTIONS:
        raise ValueError(f"function {pdu[0]} does not only read; this driver never sends it")
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def following(header: bytes | bytearray) -> int:
    """How many octets follow the 7 of the header; ValueError where this is not Modbus TCP."""
    _, protocol, length, _ = HEADER.unpack(header)
    if protocol != 0 or not 3 <= length <= MAX_FOLLOWING:
        raise ValueError(f"not a Modbus TCP header: protocol {protocol}, length {length}")
    return int(length) - 1


def read_request(block: Block) -> bytes:
    """The PDU that reads a block."""
    return struct.pack(">BHH", block.space, block.start, block.count)


def read_reply(block: Block, pdu: bytes) -> bytes:
    """The payload of the reply to a block's request. Refusal for an exception, ValueError for any other reply."""
    answered(block.space, pdu)
    if len(pdu) < 2 or pdu[1] != block.octets or len(pdu) != 2 + block.octets:
        raise ValueError(f"{block.octets} octets were asked for, {len(pdu) - 2} came, announced as {pdu[1:2].hex()}")
    return pdu[2:]


def answered(function: int, pdu: bytes) -> None:
    """Pass where a PDU answers this function. Refusal for an exception, ValueError for any other function."""
    if pdu[0] == function | EXCEPTION and len(pdu) == 2:
        raise Refusal(pdu[1])
    if pdu[0] != function:
        raise ValueError(f"function {function} was asked, {pdu[0]} answered")
