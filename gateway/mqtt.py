"""The only home of paho: one MQTT connection as an async context manager.

MQTT 5, or 3.1.1 where the broker knows nothing newer. Never reconnects: whoever holds it opens a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from gateway.endpoint import Broker, CutError, MqttError, RefusedError, TakenError, closed, distrusted, password, tls

__all__ = ["Broker", "CutError", "Message", "Mqtt", "MqttError", "OldServerError", "RefusedError", "TakenError"]

IN_FLIGHT = 20
KEEPALIVE_S = 10
CONNECT_S = 5.0
GOODBYE_S = 2.0
ACK_S = 5.0
LOOKS = 5  # a loop that stood still itself is no proof: the broker's silence must last over so many looks
REFUSED = 0x80
UNSUPPORTED_VERSION = 0x84
TAKEN_OVER = 0x8E
SILENT = "nothing is acknowledged any more"
BAD_LOGIN = (0x86, 0x87)
V5 = MQTTProtocolVersion.MQTTv5
DISCONNECT_WITH_WILL = ReasonCode(PacketTypes.DISCONNECT, identifier=0x04)
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class OldServerError(Exception):
    """The broker does not speak MQTT 5."""


@dataclass(frozen=True, slots=True)
class Message:
    """One publication: to be sent, or as it arrived."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1


class Mqtt:
    """`async with Mqtt(broker, "me") as link`: connected, or MqttError. All calls belong to one event loop.

    `will` is published by the broker if the link breaks without goodbye; where `die` is set, after the goodbye too
    (MQTT 5). `version` 5 or 4 tries that one alone, OldServerError where the broker does not know 5.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        will: Message | None = None,
        *,
        version: int | None = None,
        die: bool = False,
    ) -> None:
        if not CLIENT_ID.fullmatch(client_id):
            raise ValueError(f"client id {client_id!r}: use up to 64 letters, digits, - and _")
        self.broker = broker
        self.client_id = client_id
        self.will = will
        self.version = version or 5
        self._falls_back = version is None
        self._die = die
        self._loop = asyncio.get_running_loop()
        self._client: Client
        self._acks: dict[int, asyncio.Future[None]] = {}
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._taken = False
        self._answers = 0
        self._watch: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        try:
            await self._connect(MQTTProtocolVersion(self.version))
        except OldServerError:
            if not self._falls_back:
                raise
            self.version = 4
            self._lost, self._inbox = self._loop.create_future(), asyncio.Queue()
            await self._connect(MQTTProtocolVersion.MQTTv311)
        self._watch = asyncio.create_task(self._give_up_on_silence())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watch.cancel()
        await asyncio.shield(self._goodbye(self._client))

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1; returns when the broker has acknowledged. RefusedError, or MqttError if the link breaks."""
        await self.send(Message(topic, payload, retain))

    def send(self, message: Message) -> asyncio.Future[None]:
        """Publish in the order of calls; what comes back is done when the broker has acknowledged (QoS 0: when sent).

        It holds RefusedError if the broker said no, MqttError if the link broke.
        """
        self._check()
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._broken(str(info.rc))
        return self._await_ack(info.mid)

    async def subscribe(self, topic_filter: str) -> None:
        """Subscribe at QoS 1; returns when granted. Messages arrive in messages()."""
        self._check()
        code, mid = self._client.subscribe(topic_filter, qos=1)
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise self._broken(str(code))
        await self._await_ack(mid)

    async def messages(self) -> AsyncGenerator[Message]:
        """Every message of the subscriptions, in order of arrival; MqttError when the link is lost."""
        while (message := await self._inbox.get()) is not None:
            yield message
        self._inbox.put_nowait(None)
        raise self._broken(self._lost.result())

    async def lost(self) -> None:
        """Raise MqttError once the link is lost."""
        raise self._broken(await asyncio.shield(self._lost))

    async def _give_up_on_silence(self) -> None:
        """A link on which the broker owes an acknowledgement and gives none for ACK_S is as good as lost."""
        looks = 0
        while looks < LOOKS:
            before = self._answers
            await asyncio.sleep(ACK_S / LOOKS)
            looks = looks + 1 if self._acks and self._answers == before else 0
        self._on_lost(SILENT)

    async def _connect(self, version: MQTTProtocolVersion) -> None:
        client = self._client = self._prepare(version)
        answered: asyncio.Future[int] = self._loop.create_future()
        client.on_connect = self._hop(lambda _c, _u, _f, code, _p: _settle(answered, code.value))
        client.on_disconnect = self._hop(lambda _c, _u, _f, code, _p: self._on_disconnect(code))
        client.on_publish = self._hop(lambda _c, _u, mid, code, _p: self._on_ack(mid, code))
        client.on_subscribe = self._hop(lambda _c, _u, mid, codes, _p: self._on_ack(mid, codes[0]))
        client.on_message = self._hop(lambda _c, _u, message: self._on_message(message))
        try:
            await asyncio.to_thread(client.connect, self.broker.host, self.broker.port, KEEPALIVE_S)
            client.loop_start()
            async with asyncio.timeout(CONNECT_S):
                await asyncio.wait((answered, self._lost), return_when=asyncio.FIRST_COMPLETED)
            self._judge(answered.result() if answered.done() else None, version)
        except ssl.SSLError as error:
            await self._goodbye(client)
            raise distrusted(self.broker, error) from error
        except (OSError, TimeoutError) as error:
            await self._goodbye(client)
            raise MqttError(
                f"no MQTT broker answers at {self.broker} ({error or 'time is up'})",
                "start it, or correct host and port in [mqtt]",
            ) from error
        except BaseException:
            await asyncio.shield(self._goodbye(client))
            raise

    def _prepare(self, version: MQTTProtocolVersion) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, protocol=version, reconnect_on_failure=False
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if (context := tls(self.broker)) is not None:
            client.tls_set_context(context)
        if self.broker.username is not None:
            client.username_pw_set(self.broker.username, password(self.broker))
        if self.will is not None:
            client.will_set(self.will.topic, self.will.payload, self.will.qos, self.will.retain)
        return client

    def _judge(self, code: int | None, version: MQTTProtocolVersion) -> None:
        """Return on success; a v5 CONNECT that was cut off or refused for its version is worth a second try."""
        if code == 0:
            return
        if version is MQTTProtocolVersion.MQTTv5 and code in (None, UNSUPPORTED_VERSION):
            raise OldServerError
        if code in BAD_LOGIN:
            raise MqttError(
                f"the MQTT broker at {self.broker} refuses the login", "check username and password_file in [mqtt]"
            )
        if code is None:
            raise MqttError(f"the MQTT broker at {self.broker} closes the connection", closed(self.broker))
        raise MqttError(
            f"the MQTT broker at {self.broker} refuses the connection ({code})", "its log says why; check its settings"
        )

    async def _goodbye(self, client: Client) -> None:
        """Say goodbye unless the link is lost, then end the network thread whether the broker listened or not."""
        if not self._lost.done():
            client.disconnect(DISCONNECT_WITH_WILL if self._die and self.version >= V5 else None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._lost), GOODBYE_S if client.socket() else 0)
        link: Any = client.socket()
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(client.loop_stop)

    def _hop(self, callback: Callable[..., None]) -> Callable[..., None]:
        """The callback as paho's thread may call it: it runs in the event loop."""

        def hop(*arguments: object) -> None:
            self._loop.call_soon_threadsafe(callback, *arguments)

        return hop

    def _on_ack(self, mid: int, code: ReasonCode) -> None:
        self._answers += 1
        ack = self._acks.pop(mid, None)
        if ack is not None and not ack.done():
            if code.value >= REFUSED:
                ack.set_exception(RefusedError(f"the MQTT broker refuses it ({code})", "check its access rules"))
            else:
                ack.set_result(None)

    def _on_message(self, message: MQTTMessage) -> None:
        self._inbox.put_nowait(Message(message.topic, bytes(message.payload), bool(message.retain), int(message.qos)))

    def _on_disconnect(self, code: ReasonCode) -> None:
        self._taken = self._taken or code.value == TAKEN_OVER
        self._on_lost(str(code))

    def _on_lost(self, reason: str) -> None:
        if self._lost.done():
            return
        self._lost.set_result(reason)
        self._inbox.put_nowait(None)
        for ack in self._acks.values():
            if not ack.done():
                ack.set_exception(self._broken(reason))

    def _check(self) -> None:
        if self._lost.done():
            raise self._broken(self._lost.result())

    def _await_ack(self, mid: int) -> asyncio.Future[None]:
        ack = self._acks[mid] = self._loop.create_future()
        # Whoever sent it may be gone when the link breaks: nobody has to look at every one.
        ack.add_done_callback(lambda done: done.cancelled() or done.exception())
        return ack

    def _broken(self, reason: str) -> MqttError:
        lost = f"the link to the MQTT broker at {self.broker} is lost ({reason})"
        if self._taken:
            return TakenError(
                lost, f"another client has the id {self.client_id}, as a copy of this machine would: stop it"
            )
        again = "it is opened again by itself"
        if reason == SILENT:
            return MqttError(lost, f"look at the broker's load and disk, and at the network; {again}")
        return CutError(lost, again)


def _settle(answered: asyncio.Future[int], code: int) -> None:
    if not answered.done():
        answered.set_result(code)
