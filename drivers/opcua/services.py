"""The only services that ever leave this driver, beside opening, renewing and closing the channel: all of them read."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from asyncua.observer import Observer

SESSION = frozenset({"GetEndpointsRequest", "CreateSessionRequest", "ActivateSessionRequest", "CloseSessionRequest"})
READING = SESSION | {
    "ReadRequest",
    "CreateSubscriptionRequest",
    "CreateMonitoredItemsRequest",
    "DeleteMonitoredItemsRequest",
    "DeleteSubscriptionsRequest",
    "PublishRequest",
    "RepublishRequest",
    "TransferSubscriptionsRequest",
}
"""What the link of a device sends."""

LOOKING = SESSION | {"FindServersRequest", "ReadRequest", "BrowseRequest", "BrowseNextRequest"}
"""What a look at a server sends, which is a session of its own."""


class OnlyThese(Observer):
    """Stops any request that is not on the list before it is sent."""

    def __init__(self, services: frozenset[str]) -> None:
        self._services = services

    def observe_request(self, request: Any) -> AbstractContextManager[None]:
        name = type(request).__name__
        if name not in self._services:
            raise ValueError(f"{name} does not only read; this driver never sends it")
        return nullcontext()
