"""Mutated Publish responses: a seed is ten thousand bodies; one wrong value or stray exception fails it.

A real response is cut, flipped, filled with extremes or spliced with another. Our decoder gives rows or a ValueError;
where the library decodes the octets as well, both must tell the same.
"""

from __future__ import annotations

import datetime as dt
import random
import struct
import time
from collections import Counter
from pathlib import Path

import numpy as np
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary

from agent.model import BAD_NO_DATA
from drivers.opcua.builtin import vet
from drivers.opcua.columns import BAD_TYPE_MISMATCH, Notification, joined
from drivers.opcua.decode import Decoder
from drivers.opcua.decoded import from_result

FULL, QUICK = 100, 1
TOGETHER = 2
BODIES = 10_000
SUMMED = ("same", "refused", "ours alone")
LAG_MS = 200.0
TIME = ua.DateTime(2026, 11, 22, 8, 0, 0, 250_000, tzinfo=dt.UTC)
EXTREMES = [bytes([octet]) for octet in (0, 1, 2, 4, 0x3F, 0x40, 0x7F, 0x80, 0xFF)] + [
    struct.pack("<i", number) for number in (-1, 0, 1, 2**31 - 1, -(2**31), 65_536)
]


def seeds(rng: random.Random) -> list[bytes]:
    """Real responses: one shape, mixed shapes, text and arrays, objects, a keep-alive, the end of a subscription."""
    kinds = [ua.VariantType.Double, ua.VariantType.UInt16, ua.VariantType.Boolean, ua.VariantType.UInt64]
    plain = [ua.Variant(rng.randrange(2), kind) for kind in kinds for _ in range(3)]
    odd = [
        ua.Variant("stopped", ua.VariantType.String),
        ua.Variant([1, 2, 3], ua.VariantType.Int32),
        ua.Variant([[1, 2], [3, 4]], ua.VariantType.Int32),
        ua.Variant(TIME, ua.VariantType.DateTime),
        ua.Variant(ua.LocalizedText("x", "en"), ua.VariantType.LocalizedText),
        ua.Variant(ua.Argument(Name="a"), ua.VariantType.ExtensionObject),
        ua.Variant(None, ua.VariantType.Null),
    ]
    bodies = [[plain[0]] * 20, plain, plain[:4] + odd, odd, []]
    return [_response([ua.MonitoredItemNotification(n, _value(v, rng)) for n, v in enumerate(body)]) for body in bodies]


def _value(variant: ua.Variant, rng: random.Random) -> ua.DataValue:
    status = ua.StatusCode(ua.UInt32(rng.choice((0, 0x40930000, 0x808A0000))))
    return ua.DataValue(variant, status, SourceTimestamp=TIME, ServerTimestamp=rng.choice((TIME, None)))


def _response(items: list[ua.MonitoredItemNotification]) -> bytes:
    changes = ua.DataChangeNotification()
    changes.MonitoredItems = items
    answer = ua.PublishResponse()
    answer.Parameters.SubscriptionId = ua.UInt32(3)
    answer.Parameters.NotificationMessage.SequenceNumber = ua.UInt32(7)
    answer.Parameters.NotificationMessage.PublishTime = TIME
    answer.Parameters.NotificationMessage.NotificationData = [changes] if items else []  # type: ignore[list-item]
    return struct_to_binary(answer)


def mutated(bodies: list[bytes], rng: random.Random) -> bytes:
    """One body, changed in one to four places."""
    body = bytearray(rng.choice(bodies))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body))
        way = rng.randrange(5)
        if way == 0:
            body[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            extreme = rng.choice(EXTREMES)
            body[at : at + len(extreme)] = extreme
        elif way == 2:
            body[at:] = body[at + rng.randrange(1, 9) :]
        elif way == 3:
            body[at:at] = rng.randbytes(rng.randrange(1, 5))
        else:
            other = rng.choice(bodies)
            body[at:] = other[rng.randrange(len(other)) :]
        if not body:
            return b"\0"
    return bytes(body)


def is_same(ours: Notification, theirs: Notification) -> bool:
    """Whether both tell the same; what has no value may differ in why."""
    if (ours.subscription, ours.sequence, ours.ended) != (theirs.subscription, theirs.sequence, theirs.ended):
        return False
    mine, other = joined([*ours.rows]) if ours.rows else None, joined([*theirs.rows]) if theirs.rows else None
    if mine is None or other is None:
        return mine is other
    text = {row: word.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for row, word in other.text.items()}
    if mine.handle.tolist() != other.handle.tolist() or mine.text != text:
        return False
    empty = np.isin(mine.status, (BAD_NO_DATA, BAD_TYPE_MISMATCH)) & np.isin(
        other.status, (BAD_NO_DATA, BAD_TYPE_MISMATCH)
    )
    valued = np.array_equal(mine.value, other.value, equal_nan=True)
    return valued and bool(((mine.status == other.status) | empty).all())


def verdict(body: bytes, decoder: Decoder) -> str:
    """refused, same, or ours alone where the library does not decode it; AssertionError for a wrong value."""
    try:
        ours = decoder.publish(body)
    except ValueError:
        return "refused"
    try:
        result = struct_from_binary(ua.PublishResponse, Buffer(body)).Parameters
        theirs = from_result(result)
    except Exception:  # noqa: BLE001 - the library raises anything
        return "ours alone"
    assert is_same(ours, theirs), f"{body.hex()}\n{ours}\n{theirs}"
    return "same"


def vetted(body: bytes) -> bool:
    """Whether the body may go to the library's decoder, as one that is no notification would."""
    try:
        vet(body)
    except ValueError:
        return False
    return True


def one(seed: int, _folder: Path) -> dict[str, float]:
    """What became of the bodies of a seed, and the longest that one kept the loop busy (CPU time)."""
    found, lag_ms = run(BODIES, seed)
    assert lag_ms <= LAG_MS, f"a body held the loop up for {lag_ms:.0f} ms"
    return {"lost": 0, "double": 0, "unexplained": 0, **found, "lag_ms": round(lag_ms, 2)}


def run(number: int, seed: int) -> tuple[Counter[str], float]:
    """How many of each verdict, and the worst lag. The library is asked only about what ours took: it would loop."""
    rng = random.Random(seed)
    bodies, decoder = seeds(rng), Decoder()
    found: Counter[str] = Counter()
    lag_s = 0.0
    for _ in range(number):
        body = mutated(bodies, rng)
        began = time.thread_time()
        vetted(body)
        found[verdict(body, decoder)] += 1
        lag_s = max(lag_s, time.thread_time() - began)
    return found, lag_s * 1000
