"""Frames as the sample's links may have carried them, said by the real describers."""

from __future__ import annotations

import struct
from datetime import datetime
from zoneinfo import ZoneInfo

from drivers.frames import CUT, Describe, Frame
from drivers.modbus import describe as modbus
from drivers.modbus.frame import frame as adu
from drivers.opcua import describe as opcua
from drivers.opcua.request import publish_request
from gateway.panel.view import FrameNow, FramesNow
from tests.unit.test_frames import publish_response

MS = 1_000_000


def wall(clock: str) -> int:
    """The gateway's time of a clock reading on the sample's day, in ns."""
    day = datetime.fromisoformat(f"2026-11-20T{clock}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return round(day.timestamp() * 1000) * MS


def seen(describe: Describe, time: int, octets: bytes, *, sent: bool) -> FrameNow:
    """A frame as the panel is handed it."""
    whole = Frame(time, sent, octets[:CUT], len(octets))
    return FrameNow(time, sent, whole.octets, whole.size, describe(whole))


def _modbus(clock: str, transaction: int, count: int, reply: bytes | None, unit: int = 3) -> tuple[FrameNow, ...]:
    start, time = 100 + transaction, wall(clock)
    request = seen(modbus.tcp, time, adu(transaction, unit, struct.pack(">BHH", 3, start, count)), sent=True)
    if reply is None:
        return (request,)
    answer = struct.pack(">HHHB", transaction, 0, len(reply) + 1, unit) + reply
    return request, seen(modbus.tcp, time + 3 * MS, answer, sent=False)


def _values(count: int) -> bytes:
    return bytes([3, 2 * count]) + struct.pack(f">{count}H", *range(0, 40 * count, 40))


REFUSED = _modbus("14:31:41.207", 18, 2, b"\x83\x02", 10)
SILENT = _modbus("14:31:59.118", 20, 12, None)
BEFORE = (
    *_modbus("14:02:51.410", 12, 12, _values(12)),
    *_modbus("14:02:51.512", 13, 125, _values(125)),
    *_modbus("14:02:51.610", 14, 12, None),
)
CALLS = tuple(
    seen(opcua.describe, wall(f"14:32:04.{100 + 100 * n}") + late * MS, octets, sent=late == 0)
    for n in range(4)
    for late, octets in (
        (0, publish_request(b"\x02\x00\x00\x00\x00\x00\x00", wall("14:32:04"), n, [(7, 811 + n)])),
        (50, publish_response(812 + n, 12 + 200 * (n == 2))),
    )
)
FRAMES = {
    "cell1": FramesNow(last=CALLS),
    "trim1": FramesNow(
        last=(*BEFORE, *SILENT),
        broken_at=wall("14:03:00.013"),
        broken_why="127.0.0.1:5020: unit 3 did not answer within 2 s; check the unit number, or write a longer timeout",
        before=BEFORE,
    ),
    "meter1": FramesNow(
        last=(*REFUSED, *_modbus("14:31:41.309", 19, 12, _values(12), 10)),
        refused=((REFUSED[0], REFUSED[1]),),
    ),
}
