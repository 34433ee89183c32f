"""Pure: Modbus RTU frames. A reply is taken only whole, with its checksum right and as long as was asked for."""

from __future__ import annotations

from drivers.modbus.frame import EXCEPTION, READ_ONLY_FUNCTIONS

LONGEST = 256
POLYNOMIAL = 0xA001
IDENTITY = 43


def _remainder(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ POLYNOMIAL if octet & 1 else octet >> 1
    return octet


TABLE = tuple(_remainder(octet) for octet in range(256))


def checksum(octets: bytes | bytearray) -> int:
    """CRC-16/MODBUS; it is sent low octet first."""
    crc = 0xFFFF
    for octet in octets:
        crc = crc >> 8 ^ TABLE[(crc ^ octet) & 0xFF]
    return crc


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """The frame of a request; ValueError for a function that is not on the read-only list."""
    if pdu[0] not in READ_ONLY_FUNCTIONS:
        raise ValueError(f"function {pdu[0]} does not only read; this driver never sends it")
    body = bytes([unit]) + pdu
    return body + checksum(body).to_bytes(2, "little")


def rtu_size(received: bytes | bytearray) -> int | None:
    """How long the frame is that begins here, None where too little came to say; ValueError where none begins."""
    if len(received) < 3:
        return None
    function = received[1]
    if function in (1, 2, 3, 4):
        size: int | None = 5 + received[2]
    elif function & EXCEPTION and function & ~EXCEPTION in READ_ONLY_FUNCTIONS:
        size = 5
    elif function == IDENTITY:
        size = _identity_size(received)
    else:
        raise ValueError(f"no reply of a read begins with function {function}")
    if size is not None and size > LONGEST:
        raise ValueError(f"a frame of {size} octets")
    return size


def _identity_size(received: bytes | bytearray) -> int | None:
    at = 8
    if len(received) < at:
        return None
    for _ in range(received[7]):
        if len(received) < at + 2:
            return None
        at += 2 + received[at + 1]
    return at + 2


def rtu_body(frame: bytes) -> tuple[int, bytes]:
    """Unit and PDU of a whole frame; ValueError where the checksum is wrong."""
    if checksum(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        raise ValueError("wrong checksum")
    return frame[0], frame[1:-2]


def answers(request: bytes, reply: bytes) -> bool:
    """Whether a reply can be this request's: its function, and its length where the request says it."""
    if reply[0] == request[0] | EXCEPTION:
        return True
    if reply[0] != request[0]:
        return False
    if request[0] == IDENTITY:
        return True
    count = int.from_bytes(request[3:5])
    return reply[1] == (-(-count // 8) if request[0] <= 2 else 2 * count)
