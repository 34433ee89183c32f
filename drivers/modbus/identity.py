"""Pure: who a Modbus device is, from its answer to Read Device Identification (43/14)."""

from __future__ import annotations

import re
import struct

from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse

from agent.model import Origin
from drivers.modbus.frame import answered

FUNCTION = 43
REGULAR = 2
VENDOR, PRODUCT, APPLICATION = 0, 1, 6
SIMULATORS = "tanchang simulators"


def identity_request(first: int = 0) -> bytes:
    """The PDU that asks for the regular objects from number `first` on."""
    return bytes([FUNCTION]) + ReadDeviceInformationRequest(read_code=REGULAR, object_id=first).encode()


def identity_reply(pdu: bytes) -> tuple[dict[int, str], int | None]:
    """Objects by number, and the number to ask for next. Refusal for an exception, ValueError for a broken reply."""
    answered(FUNCTION, pdu)
    reply = ReadDeviceInformationResponse()
    try:
        reply.decode(pdu[1:])
    except (struct.error, IndexError) as error:
        raise ValueError(f"broken device identification: {error}") from error
    if reply.sub_function_code != ReadDeviceInformationResponse.sub_function_code:
        raise ValueError(f"encapsulated interface {reply.sub_function_code} answered for device identification")
    objects = {
        number: text.decode("utf-8", "replace") for number, text in reply.information.items() if isinstance(text, bytes)
    }
    return objects, reply.next_object_id if reply.more_follows else None


def origin(objects: dict[int, str]) -> Origin:
    """What the objects say; only our simulators call themselves so, and tell how fast their clock runs."""
    vendor, product = objects.get(VENDOR, ""), objects.get(PRODUCT, "")
    speed = re.fullmatch(r"speed=(\d+(?:\.\d+)?)", objects.get(APPLICATION, ""))
    simulated = vendor == SIMULATORS
    return Origin(vendor, product, simulated, float(speed[1]) if simulated and speed else 1.0)
