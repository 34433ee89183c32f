"""Pure: what a Modbus frame is, in the protocol's words. Never raises, whatever the octets are."""

from __future__ import annotations

from drivers.frames import Describe, Frame, Part
from drivers.modbus.device import ModbusDevice
from drivers.modbus.frame import EXCEPTION, HEADER, MAX_FOLLOWING
from drivers.modbus.rtu import IDENTITY, checksum

SPACES = {1: "C", 2: "DI", 3: "HR", 4: "IR"}
UNIT_AT, PDU_AT = HEADER.size - 1, HEADER.size
WORDS = frozenset(
    {
        *("transaction", "unit", "read", "registers", "bits", "exception", "identify", "identity", "function"),
        *("announced", "incomplete", "foreign", "more", "crc-good", "crc-bad"),
    }
)
"""All words that its parts use."""


def describer(device: ModbusDevice) -> Describe:
    """For the frames that the device's line carries."""
    return rtu if device.is_bus else tcp


def tcp(frame: Frame) -> tuple[Part, ...]:
    """Transaction, unit, and what is asked or answered."""
    octets = frame.octets
    if len(octets) < HEADER.size:
        return ({"word": "incomplete"},)
    transaction, protocol, length, unit = HEADER.unpack_from(octets)
    if protocol or not 3 <= length <= MAX_FOLLOWING:
        return ({"word": "foreign"},)
    head: tuple[Part, ...] = ({"word": "transaction", "id": str(transaction)}, {"word": "unit", "unit": unit})
    end = UNIT_AT + length
    if frame.size < end:
        return (*head, {"word": "incomplete"})
    more: tuple[Part, ...] = ({"word": "more", "n": frame.size - end},) if frame.size > end else ()
    return (*head, *_pdu(octets[PDU_AT:end], sent=frame.sent), *more)


def rtu(frame: Frame) -> tuple[Part, ...]:
    """Unit, what is asked or answered, and whether the checksum is right."""
    octets = frame.octets
    if len(octets) < 4:
        return ({"word": "incomplete"},)
    right = checksum(octets[:-2]) == int.from_bytes(octets[-2:], "little")
    crc: Part = {"word": "crc-good" if right else "crc-bad"}
    return ({"word": "unit", "unit": octets[0]}, *_pdu(octets[1:-2], sent=frame.sent), crc)


def _pdu(pdu: bytes, *, sent: bool) -> tuple[Part, ...]:
    function = pdu[0]
    if function & EXCEPTION:
        return ({"word": "exception", "code": pdu[1]},) if len(pdu) == 2 else ({"word": "incomplete"},)
    if function == IDENTITY:
        return _identity(pdu, sent=sent)
    if function not in SPACES:
        return ({"word": "function", "code": function},)
    if sent:
        start, count = str(int.from_bytes(pdu[1:3])), int.from_bytes(pdu[3:5])
        read: Part = {"word": "read", "space": SPACES[function], "start": start, "n": count}
        return (read,) if len(pdu) == 5 else ({"word": "incomplete"},)
    return _values(pdu, function)


def _identity(pdu: bytes, *, sent: bool) -> tuple[Part, ...]:
    """43/14: which object is asked for, or how many came."""
    if len(pdu) < (4 if sent else 7):
        return ({"word": "incomplete"},)
    return ({"word": "identify", "object": pdu[3]},) if sent else ({"word": "identity", "n": pdu[6]},)


def _values(pdu: bytes, function: int) -> tuple[Part, ...]:
    """How many came; beside it how many octets the reply announces, where it does not have them."""
    if len(pdu) < 2:
        return ({"word": "incomplete"},)
    octets = len(pdu) - 2
    values: Part = {"word": "bits", "n": 8 * octets} if function <= 2 else {"word": "registers", "n": octets // 2}
    return (values,) if pdu[1] == octets else (values, {"word": "announced", "n": pdu[1]})
