"""Publish responses as the library decodes them -> columns: for the shapes our own decoder leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from asyncua import ua

from agent.model import BAD
from drivers.opcua.columns import BAD_TYPE_MISMATCH, EXACT, Notification, Rows, checked

START = datetime(1970, 1, 1, tzinfo=UTC)


def from_result(result: ua.PublishResult) -> Notification:
    """What a decoded Publish response tells."""
    return from_message(result.SubscriptionId, result.NotificationMessage)


def from_message(subscription: int, message: ua.NotificationMessage) -> Notification:
    """What a decoded message of a subscription tells, also one that was sent again."""
    parts = _parts(message)
    return Notification(
        subscription=subscription,
        sequence=message.SequenceNumber,
        published=_nanoseconds(message.PublishTime),
        rows=tuple(_rows(part.MonitoredItems) for part in parts if isinstance(part, ua.DataChangeNotification)),
        ended=next((part.Status.value for part in parts if isinstance(part, ua.StatusChangeNotification)), None),
        is_keep_alive=not parts,
    )


def _parts(message: ua.NotificationMessage) -> Sequence[Any]:
    return message.NotificationData or ()


def _rows(items: Sequence[ua.MonitoredItemNotification]) -> Rows:
    size = len(items)
    rows = Rows(
        np.array([item.ClientHandle for item in items], np.uint32),
        np.full(size, np.nan),
        np.array([_nanoseconds(item.Value.SourceTimestamp) for item in items], np.int64),
        np.array([item.Value.StatusCode.value if item.Value.StatusCode else 0 for item in items], np.uint32),
    )
    for row, item in enumerate(items):
        held = item.Value.Value.Value if item.Value.Value is not None else None
        if isinstance(held, str) or (isinstance(held, int) and abs(held) > EXACT):
            rows.text[row] = str(held)
        elif isinstance(held, datetime):
            rows.value[row] = (held.replace(tzinfo=UTC) - START) // timedelta(milliseconds=1)
        elif isinstance(held, (bool, int, float)):
            rows.value[row] = held
        elif held is not None and rows.status[row] < BAD:
            rows.status[row] = BAD_TYPE_MISMATCH
    return checked(rows)


def _nanoseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    elapsed = moment.replace(tzinfo=UTC) - START
    return max(0, (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000_000 + elapsed.microseconds * 1000)
