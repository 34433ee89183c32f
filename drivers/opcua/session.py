"""The only place that knows asyncua's session, private names included: a link, and services that only read.

Publish responses are fetched undecoded through one private method of the library. Where a later version has it
no more, they come decoded through the public one: slower, the same columns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_session import UaSession
from asyncua.common.utils import Buffer
from asyncua.observer import Observer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import BadTooManyPublishRequests, UaError

from drivers.contract import MisconfiguredError, NotConnectedError
from drivers.opcua.columns import Notification, Rows
from drivers.opcua.decode import notification
from drivers.opcua.decoded import from_message, from_result
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.security import secure

READ_ONLY_SERVICES = frozenset(
    {
        "GetEndpointsRequest",
        "CreateSessionRequest",
        "ActivateSessionRequest",
        "CloseSessionRequest",
        "ReadRequest",
        "CreateSubscriptionRequest",
        "CreateMonitoredItemsRequest",
        "DeleteSubscriptionsRequest",
        "PublishRequest",
        "RepublishRequest",
    }
)
"""The only services that ever leave this driver, next to opening, renewing and closing the channel."""

RAW_PUBLISH = "_send_request"
HAS_RAW_PUBLISH = hasattr(UaSession, RAW_PUBLISH)
SESSION_TIMEOUT_MS = 60_000
MAX_PUBLISH_OCTETS = 16 * 1024 * 1024
ITEMS_PER_CALL = 1000
CLOSING_S = 1.0


class ReadOnlyServices(Observer):
    """Stops any request that is not on the list before it is sent."""

    def observe_request(self, request: Any) -> AbstractContextManager[None]:
        name = type(request).__name__
        if name not in READ_ONLY_SERVICES:
            raise ValueError(f"{name} does not only read; this driver never sends it")
        return nullcontext()


class QuietSession(UaSession):
    """asyncua's session without a Publish loop of its own, which would acknowledge before we have committed."""

    def ensure_publish_loop(self) -> None:
        """Publish requests are sent by our own loop alone."""


class Session:
    """One session over one channel. Raises NotConnectedError for whatever the server or the network does."""

    def __init__(self, device: OpcuaDevice) -> None:
        self._device = device
        self._client = Client(device.url, timeout=device.timeout)
        self._client.name = self._client.description = "tanchang"
        self._client.session_timeout = SESSION_TIMEOUT_MS
        self._client.uaclient.session = QuietSession(self._client.uaclient)
        self._client.uaclient.observer = ReadOnlyServices()
        self._gone: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Channel and session, secured as the device table says."""
        with self._failing("does not open a session"):
            if self._device.security != "none":
                await secure(self._client, self._device)
            await self._client.connect_socket()
            self._watch_the_end()
            await self._client.send_hello()
            await self._client.open_secure_channel()
            await self._client.create_session()
            await self._client.activate_session()

    @property
    def channel_lifetime_s(self) -> float:
        """How long the channel's keys hold, as the server has it."""
        return self._client.secure_channel_timeout / 1000

    async def renew(self) -> None:
        """New keys for the channel."""
        with self._failing("does not renew the channel"):
            await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()

    async def read(self, numbers: Sequence[int]) -> list[Any]:
        """The values of nodes of the standard's own namespace, None where the server has none."""
        with self._failing("does not answer a Read"):
            nodes = [ua.NodeId(ua.Int32(number), ua.Int16(0)) for number in numbers]
            values = await self._client.uaclient.session.read_attributes(nodes, AttributeIds.Value)
        return [value.Value.Value if value.Value is not None else None for value in values]

    async def subscribe(
        self, publishing_s: float, keep_alive: int, lifetime: int, items: Mapping[int, tuple[ua.NodeId, float, int]]
    ) -> tuple[ua.CreateSubscriptionResult, dict[int, int]]:
        """A subscription to handle -> (node, sampling in s, queue size); its revised terms, StatusCodes by handle."""
        with self._failing("does not create a subscription"):
            session = self._client.uaclient.session
            terms = await session.create_subscription(
                ua.CreateSubscriptionParameters(
                    RequestedPublishingInterval=publishing_s * 1000,
                    RequestedLifetimeCount=lifetime,
                    RequestedMaxKeepAliveCount=keep_alive,
                    MaxNotificationsPerPublish=10_000,
                    PublishingEnabled=True,
                    Priority=0,
                ),
                callback=lambda _: None,
            )
            wanted = [_item(handle, *item) for handle, item in items.items()]
            statuses: dict[int, int] = {}
            for start in range(0, len(wanted), ITEMS_PER_CALL):
                part = wanted[start : start + ITEMS_PER_CALL]
                results = await session.create_monitored_items(
                    ua.CreateMonitoredItemsParameters(terms.SubscriptionId, ua.TimestampsToReturn.Source, part)
                )
                for item, result in zip(part, results, strict=True):
                    statuses[item.RequestedParameters.ClientHandle] = result.StatusCode.value
        return terms, statuses

    async def publish(self, acknowledged: Sequence[tuple[int, int]]) -> Notification:
        """Send one PublishRequest with acknowledgements (subscription, sequence) and wait for what it brings."""
        acks = [ua.SubscriptionAcknowledgement(SubscriptionId=s, SequenceNumber=n) for s, n in acknowledged]
        session = self._client.uaclient.session
        with self._failing("does not publish"):
            if not HAS_RAW_PUBLISH:
                return from_result((await session.publish(acks)).Parameters)
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements = acks
            body = bytes(await getattr(session, RAW_PUBLISH)(request, timeout=0))
            if len(body) > MAX_PUBLISH_OCTETS:
                raise ValueError(f"a notification of {len(body)} octets")
            return notification(body) or from_result(struct_from_binary(ua.PublishResponse, Buffer(body)).Parameters)

    async def republish(self, subscription: int, sequence: int) -> tuple[Rows, ...]:
        """The rows of a message that was lost on its way; NotConnectedError where the server has it no more."""
        with self._failing(f"no longer has message {sequence}"):
            message = await self._client.uaclient.session.republish(subscription, sequence)
            if message.SequenceNumber != sequence:
                raise ValueError(f"it sent message {message.SequenceNumber}")
            return from_message(message)

    async def close(self) -> None:
        """End the session and its subscriptions where the server still listens; the socket is gone in any case."""
        client = self._client
        try:
            async with asyncio.timeout(min(CLOSING_S, self._device.timeout)):
                await client.close_session()
                await client.close_secure_channel()
        except (UaError, OSError, TimeoutError):
            pass  # a session whose link is gone ends by its own timeout
        finally:
            if client.uaclient.protocol is not None and client.uaclient.protocol.transport is not None:
                client.uaclient.protocol.transport.abort()
            client.disconnect_socket()
            if self._gone is not None:
                await asyncio.shield(self._gone)

    def _watch_the_end(self) -> None:
        protocol = self._client.uaclient.protocol
        if protocol is None:
            raise ConnectionError("no connection")
        self._gone = gone = asyncio.get_running_loop().create_future()
        reported = protocol.on_connection_lost

        def lost(error: Exception | None) -> None:
            if reported is not None:
                reported(error)
            gone.set_result(None)

        protocol.on_connection_lost = lost

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except (asyncio.CancelledError, NotConnectedError, MisconfiguredError):
            raise
        except BadTooManyPublishRequests as error:
            raise TooManyPublishRequestsError(str(error)) from error
        except Exception as error:  # a library's decoder raises anything on what a server may send
            reason = str(error) or type(error).__name__
            raise NotConnectedError(
                f"{self._device.url} {what} ({reason}); check that the server runs and accepts this client"
            ) from error


class TooManyPublishRequestsError(NotConnectedError):
    """The server holds fewer Publish requests than we keep outstanding."""


def _item(handle: int, node: ua.NodeId, sampling_s: float, queue: int) -> ua.MonitoredItemCreateRequest:
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId = node
    request.ItemToMonitor.AttributeId = AttributeIds.Value
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters.ClientHandle = handle
    request.RequestedParameters.SamplingInterval = sampling_s * 1000
    request.RequestedParameters.QueueSize = queue
    request.RequestedParameters.DiscardOldest = True
    return request
