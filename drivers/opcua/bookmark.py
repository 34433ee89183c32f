"""Pure: what is kept of a subscription as texts that outlive the process, and back."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode

import numpy as np
from numpy.typing import NDArray

from drivers.contract import Bookmark
from drivers.opcua.columns import Rows
from drivers.opcua.kept import LAST_SEQUENCE, Kept, Told, after

ROW_OCTETS = 20  # value, source time, status
MOST_UNACKNOWLEDGED = 1000


def whole(kept: Kept, ticket: str) -> str:
    """All that is needed to go on, besides the place."""
    rows = kept.told
    columns = rows.value.astype("<f8").tobytes(), rows.source_time.astype("<i8").tobytes()
    octets = b"".join((*columns, rows.status.astype("<u4").tobytes()))
    return json.dumps(
        {
            "ticket": ticket,
            "meaning": kept.meaning,
            "subscription": kept.subscription,
            "silence_s": kept.silence_s,
            "numbers": _packed(np.array([kept.numbers.get(handle, 0) for handle in rows.handle.tolist()], "<u4")),
            "refused": sorted(kept.refused),
            "told": b64encode(zlib.compress(octets, 1)).decode(),
            "text": rows.text,
        }
    )


def place(subscription: int, sequence: int, oldest: int, time: int) -> str:
    """The next message, the oldest that the server was not told is on disk, and the device's clock (ns)."""
    return f"[{subscription},{sequence},{oldest},{time}]"


def kept(bookmark: Bookmark) -> tuple[Kept, str]:
    """What a driver goes on from, with the text of its ticket in place of it; ValueError where that cannot be."""
    try:
        held = json.loads(bookmark.whole)
        subscription, sequence, oldest, time = json.loads(bookmark.place)
        told = _rows(held["told"], held["text"])
        numbers = np.frombuffer(zlib.decompress(b64decode(held["numbers"])), "<u4").tolist()
        refused, ticket = frozenset(map(int, held["refused"])), str(held["ticket"])
        meaning, silence_s = str(held["meaning"]), float(held["silence_s"])
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"not a bookmark of this driver: {error}") from error
    if subscription != held["subscription"]:
        raise ValueError("a place in another subscription")
    last = Told(len(told.handle))
    last.note(told)
    for batch in bookmark.told:
        last.note(Rows(batch.index, batch.value, batch.source_time, batch.status, dict(batch.text)))
    return Kept(
        ticket=None,
        meaning=meaning,
        subscription=subscription,
        silence_s=silence_s,
        sequence=sequence,
        ready=(),
        unacknowledged=_between(subscription, oldest, sequence),
        refused=refused,
        told=last.all(),
        time=time,
        tries=0,
        observed=bookmark.observed,
        numbers={handle: number for handle, number in enumerate(numbers) if number},
    ), ticket


def _packed(column: NDArray[np.uint32]) -> str:
    return b64encode(zlib.compress(column.tobytes(), 1)).decode()


def _rows(packed: str, text: dict[str, str]) -> Rows:
    octets = zlib.decompress(b64decode(packed))
    size, rest = divmod(len(octets), ROW_OCTETS)
    if rest:
        raise ValueError("half a row")
    return Rows(
        np.arange(size, dtype=np.uint32),
        np.frombuffer(octets, "<f8", size).copy(),
        np.frombuffer(octets, "<i8", size, 8 * size).copy(),
        np.frombuffer(octets, "<u4", size, 16 * size).copy(),
        {int(handle): word for handle, word in text.items()},
    )


def _between(subscription: int, oldest: int, sequence: int) -> tuple[tuple[int, int], ...]:
    """The messages from the oldest on that are on disk, the last ones of too many."""
    found: list[tuple[int, int]] = []
    many = (sequence - oldest) % LAST_SEQUENCE
    number = oldest if many <= MOST_UNACKNOWLEDGED else sequence
    while number != sequence:
        found.append((subscription, number))
        number = after(number)
    return tuple(found)
