"""The only place that knows asyncua's session, private names included: a link, and services that only read.

Publish responses are fetched undecoded past the library (wire.py). Where a later version does not let us, they come
decoded through its public method: slower, the same columns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_session import UaSession
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_to_binary
from asyncua.ua.uaerrors import (
    BadMessageNotAvailable,
    BadNotImplemented,
    BadNotSupported,
    BadServiceUnsupported,
    BadSubscriptionIdInvalid,
    BadTooManyPublishRequests,
    UaError,
    UaStatusCodeError,
)

from drivers.contract import MisconfiguredError, NotConnectedError
from drivers.frames import Frames
from drivers.opcua import wire
from drivers.opcua.columns import Notification
from drivers.opcua.decode import Decoder
from drivers.opcua.decoded import from_message, from_result
from drivers.opcua.device import OpcuaServer
from drivers.opcua.security import Identity, identify, logging_in, secure, showing_certificate
from drivers.opcua.services import READING, OnlyThese
from drivers.opcua.ticket import Ticket

RAW_PUBLISH = "_send_request"
SERVER_NONCE, IDENTITIES = "_server_nonce", "_policy_ids"
HAS_RAW_PUBLISH = wire.KNOWN and hasattr(UaSession, RAW_PUBLISH)
SESSION_TIMEOUT_MS = 60_000
NAMESPACES = 2255
MAX_PUBLISH_OCTETS = 16 * 1024 * 1024
ITEMS_PER_CALL = 1000
CLOSING_S = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Nodes to read, encoded once, however often they are read."""

    nodes: tuple[ua.NodeId, ...]
    octets: bytes


class QuietSession(UaSession):
    """asyncua's session without a Publish loop of its own, which would acknowledge before we have committed."""

    def ensure_publish_loop(self) -> None:
        """Publish requests are sent by our own loop alone."""


class Session:
    """One session over one channel. Raises NotConnectedError for whatever the server or the network does."""

    def __init__(self, device: OpcuaServer, services: frozenset[str] = READING, frames: Frames | None = None) -> None:
        """No request but of these `services` is sent; messages are noted in `frames`."""
        self._device = device
        self._client = Client(device.url, timeout=device.timeout)
        self._client.name = self._client.description = "tanchang"
        self._client.session_timeout = SESSION_TIMEOUT_MS
        self._client.uaclient.session = QuietSession(self._client.uaclient)
        self._client.uaclient.observer = OnlyThese(services)
        wire.watch(self._client.uaclient, frames or Frames())
        self._decoder = Decoder()
        self._gone: asyncio.Future[None] | None = None
        self._identity: Identity = (None, None, None)
        self.items_per_call = ITEMS_PER_CALL

    async def endpoints(self) -> list[ua.EndpointDescription]:
        """What the server offers whoever asks, over a channel that is gone afterwards."""
        with self._failing("does not tell its endpoints"):
            return await self._client.connect_and_get_server_endpoints()

    async def servers(self) -> list[ua.ApplicationDescription]:
        """The servers that it knows of, itself among them, asked as `endpoints` is; none where it does not tell."""
        with self._failing("does not tell which servers it knows"), suppress(UaStatusCodeError):
            return await self._client.connect_and_find_servers()
        return []

    async def open(self, ticket: Ticket | None = None) -> bool:
        """Channel and session, secured as the device table says. True where it is the ticket's session that lives on.

        The server is asked for at most one new session.
        """
        with self._failing("does not open a session"):
            if self._device.security != "none":
                await secure(self._client, self._device)
                self._identity = await identify(self._client, self._device)
            await self._client.connect_socket()
            self._watch_the_end()
            await self._client.send_hello()
            with showing_certificate(self._device):
                await self._client.open_secure_channel()
            if ticket is not None and await self._taken_up(ticket):
                return True
            await self._client.create_session()
            with logging_in(self._device):
                await self._client.activate_session(*self._identity)
            return False

    @property
    def ticket(self) -> Ticket:
        """What takes this session up again once its channel is gone."""
        client = self._client
        nonce, identities = getattr(client, SERVER_NONCE), getattr(client, IDENTITIES)
        return Ticket(client.uaclient.session.authentication_token, nonce, identities)

    @property
    def services(self) -> UaSession:
        """The library's session, for services that this class does not have."""
        return self._client.uaclient.session

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

    async def namespace(self, wanted: str | None) -> int:
        """The index that a namespace has in the server today, 0 for None."""
        if wanted is None:
            return 0
        known = (await self.read([NAMESPACES]))[0] or []
        if wanted not in known:
            raise NotConnectedError(
                f"{self._device.url} has no namespace {wanted!r}; it has {', '.join(map(str, known))}"
            )
        return int(known.index(wanted))

    async def subscribe(self, publishing_s: float, keep_alive: int, lifetime: int) -> ua.CreateSubscriptionResult:
        """A new subscription; its revised terms."""
        with self._failing("does not create a subscription"), _refusing_subscriptions():
            return await self._client.uaclient.session.create_subscription(
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

    async def monitor(
        self, subscription: int, items: Mapping[int, tuple[ua.NodeId, float, int]]
    ) -> tuple[dict[int, int], dict[int, int], dict[int, float]]:
        """Add handle -> (node, sampling in s, queue size) to a subscription.

        By handle: StatusCodes, and of those that are there the server's number and how often it samples them (s).
        """
        wanted = [_item(handle, *item) for handle, item in items.items()]
        statuses: dict[int, int] = {}
        numbers: dict[int, int] = {}
        every: dict[int, float] = {}
        with self._failing("does not monitor its nodes"):
            for start in range(0, len(wanted), self.items_per_call):
                part = wanted[start : start + self.items_per_call]
                results = await self._client.uaclient.session.create_monitored_items(
                    ua.CreateMonitoredItemsParameters(subscription, ua.TimestampsToReturn.Source, part)
                )
                for item, result in zip(part, results, strict=True):
                    handle = item.RequestedParameters.ClientHandle
                    statuses[handle] = result.StatusCode.value
                    if result.StatusCode.is_good():
                        numbers[handle], every[handle] = result.MonitoredItemId, result.RevisedSamplingInterval / 1000
        return statuses, numbers, every

    async def unmonitor(self, subscription: int, numbers: Sequence[int]) -> None:
        """Take items out of a subscription; what is gone already some servers stumble over."""
        with self._failing("does not give up its items"), suppress(UaStatusCodeError):
            await self._client.uaclient.session.delete_monitored_items(
                ua.DeleteMonitoredItemsParameters(subscription, list(numbers))
            )

    async def sample(self, asked: Asked) -> bytes:
        """The ReadResponse to what `ask` made, as it came."""
        with self._failing("does not answer a Read"):
            if not wire.KNOWN:
                values = await self._client.uaclient.session.read_attributes(list(asked.nodes), AttributeIds.Value)
                return bytes(struct_to_binary(ua.ReadResponse(Results=values)))
            async with asyncio.timeout(self._device.timeout):
                answer = await wire.read(self._client.uaclient, asked.octets, self._device.timeout)
            return _limited(wire.answered(self._client.uaclient, answer))

    async def transfer(self, subscription: int) -> bool:
        """Move a subscription of a session that is gone into this one; False where the server has it no more."""
        terms = ua.TransferSubscriptionsParameters([subscription], SendInitialValues=False)
        with self._failing("does not transfer a subscription"):
            try:
                results = await self._client.uaclient.session.transfer_subscriptions(terms)
            except UaStatusCodeError:
                return False
            return len(results) == 1 and results[0].StatusCode.is_good()

    def publish(self, acknowledged: Sequence[tuple[int, int]], count: int) -> Sequence[asyncio.Future[Any]]:
        """Send so many PublishRequests, the first with acknowledgements (subscription, sequence).

        `told` reads what comes back.
        """
        with self._failing("does not publish"):
            if HAS_RAW_PUBLISH:
                return wire.publish(self._client.uaclient, acknowledged, count)
            acks = [ua.SubscriptionAcknowledgement(SubscriptionId=s, SequenceNumber=n) for s, n in acknowledged]
            send = self._client.uaclient.session.publish
            return [asyncio.ensure_future(send(one)) for one in [acks, *[[]] * (count - 1)]]

    def told(self, answer: asyncio.Future[Any]) -> Notification:
        """What a Publish brought that is done and was not cancelled."""
        with self._failing("does not publish"):
            response = answer.result()
            if isinstance(response, ua.PublishResponse):
                return from_result(response.Parameters)
            return self._decoder.publish(_limited(wire.published(self._client.uaclient, response)))

    async def republish(self, subscription: int, sequence: int) -> Notification | None:
        """A message that was lost on its way, None where the server does not have it (any more, or yet)."""
        session = self._client.uaclient.session
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = subscription
        request.Parameters.RetransmitSequenceNumber = sequence
        with self._failing("does not publish again"):
            try:
                if HAS_RAW_PUBLISH:
                    message = self._decoder.republish(
                        subscription, _limited(bytes(await getattr(session, RAW_PUBLISH)(request)))
                    )
                else:
                    message = from_message(subscription, await session.republish(subscription, sequence))
            except BadMessageNotAvailable:
                return None
            except BadSubscriptionIdInvalid as error:
                raise SubscriptionGoneError(f"{self._device.url} has subscription {subscription} no more") from error
        return (
            message if message.sequence == sequence else None
        )  # asyncua's server sends an empty one where it has none

    async def close(self, *, leave: bool = False) -> None:
        """End the session and its subscriptions where the server still listens; the socket is gone in any case.

        `leave` tells the server nothing, so that the session lives on until its own timeout.
        """
        client = self._client
        try:
            if not leave:
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

    async def _taken_up(self, ticket: Ticket) -> bool:
        """Whether the server gives us the session of before over this channel."""
        client = self._client
        client.uaclient.session.restore_authentication_token(ticket.token)
        setattr(client, SERVER_NONCE, ticket.nonce)
        setattr(client, IDENTITIES, list(ticket.identities))
        try:
            await client.activate_session(*self._identity)
        except UaStatusCodeError:
            client.uaclient.session.reset_authentication_token()
            return False
        return True

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
                f"{self._device.url} {what} ({reason}); check address and port, and that it runs and accepts us"
            ) from error


def ask(nodes: Sequence[ua.NodeId]) -> Asked:
    """A request for the values of nodes, with their source times."""
    values = (ua.ReadValueId(node, AttributeIds.Value) for node in nodes)
    return Asked(tuple(nodes), len(nodes).to_bytes(4, "little") + b"".join(map(struct_to_binary, values)))


def _limited(body: bytes) -> bytes:
    if len(body) > MAX_PUBLISH_OCTETS:
        raise ValueError(f"a notification of {len(body)} octets")
    return body


class SubscriptionGoneError(NotConnectedError):
    """The server has ended the subscription: what it held is gone."""


class NoSubscriptionsError(NotConnectedError):
    """The server does not know subscriptions at all."""


@contextmanager
def _refusing_subscriptions() -> Iterator[None]:
    try:
        yield
    except (BadServiceUnsupported, BadNotImplemented, BadNotSupported) as error:
        raise NoSubscriptionsError(str(error)) from error


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
