"""What the server is told, and when: acknowledgements on the wire follow acknowledge(), lost messages are fetched."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.utils import Buffer
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary

from agent.demo.stage import running
from agent.model import Batch
from drivers.catalog import create
from drivers.contract import Driver, NotConnectedError
from drivers.opcua import session as shim
from drivers.opcua import wire
from drivers.opcua.columns import Notification
from drivers.opcua.cursor import Cursor
from drivers.opcua.decode import Decoder
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.driver import OpcuaDriver
from drivers.opcua.publishing import MOST_OUTSTANDING, OUTSTANDING
from tests.contract.twins import START_MS, OpcuaTwin, Tap, Twin, opcua_services

PATIENCE_S = 10


def acknowledged(tap: Tap) -> list[int]:
    """The sequence numbers that the PublishRequests on the wire carry, in order."""
    number = ObjectIds.PublishRequest_Encoding_DefaultBinary
    requests = [
        struct_from_binary(ua.PublishRequest, Buffer(body)) for kind, body in opcua_services(tap.sent) if kind == number
    ]
    return [ack.SequenceNumber for request in requests for ack in request.Parameters.SubscriptionAcknowledgements]


async def change(driver: Driver[Any], twin: Twin, step: int) -> Batch:
    """Write a new count and read until it has come."""
    await twin.write(clock=START_MS + step, good=step)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            batch = await driver.read()
            if 1 in batch.index:
                return batch


async def test_no_sequence_number_is_acknowledged_on_the_wire_before_acknowledge_is_called(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap:
        driver = create(opcua.device(tap.port))
        await driver.connect(driver.device.tags)
        await driver.read()
        second, third = [await change(driver, opcua, step) for step in (1, 2)]
        await change(driver, opcua, 3)
        assert acknowledged(tap) == []
        steps = count(4)
        await driver.acknowledge(second.token)
        told = await more_acknowledged(tap, driver, opcua, steps)
        assert told == list(range(1, len(told) + 1))
        await driver.acknowledge(second.token)
        await driver.acknowledge(third.token)
        later = await more_acknowledged(tap, driver, opcua, steps)
        assert later == list(range(1, len(later) + 1))
        await driver.close()


async def more_acknowledged(tap: Tap, driver: Driver[Any], opcua: OpcuaTwin, steps: Iterator[int]) -> list[int]:
    """What is acknowledged once it is more than now: it travels with a request that is still to be sent."""
    before = len(acknowledged(tap))
    while len(acknowledged(tap)) == before:
        await change(driver, opcua, next(steps))
    return acknowledged(tap)


async def test_a_message_lost_on_its_way_is_fetched_again_before_the_next(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = create(opcua.device(opcua.port))
    await driver.connect(driver.device.tags)
    await driver.read()
    received = Decoder.publish
    lost: list[Notification] = []

    def losing(self: Decoder, body: bytes) -> Notification:
        """The first message with rows after the test began never reaches the driver."""
        found = received(self, body)
        if found.rows and not lost:
            lost.append(found)
            return dataclasses.replace(found, rows=(), is_keep_alive=True)
        return found

    monkeypatch.setattr(Decoder, "publish", losing)
    await opcua.write(clock=START_MS + 1, good=1)
    async with asyncio.timeout(PATIENCE_S):
        while not lost:
            await driver.read()
    told = []
    await opcua.write(clock=START_MS + 2, good=2)
    async with asyncio.timeout(PATIENCE_S):
        while 2 not in told:
            batch = await driver.read()
            told += batch.value[batch.index == 1].tolist()
    assert told == [1, 2]
    await driver.close()


@pytest.mark.parametrize(("ahead", "words"), [(2, "no longer has message"), (1000, "skipped from message")])
async def test_a_lost_message_that_cannot_be_fetched_is_not_connected(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch, ahead: int, words: str
) -> None:
    driver = create(opcua.device(opcua.port))
    await driver.connect(driver.device.tags)
    await driver.read()
    received = Decoder.publish

    def jumping(self: Decoder, body: bytes) -> Notification:
        """Messages with rows claim to be later ones than they are."""
        found = received(self, body)
        return dataclasses.replace(found, sequence=found.sequence + ahead) if found.rows else found

    monkeypatch.setattr(Decoder, "publish", jumping)
    try:
        with pytest.raises(NotConnectedError, match=words):
            await change(driver, opcua, 1)
    finally:
        await driver.close()


async def test_the_private_name_for_undecoded_responses_is_there_and_the_public_way_tells_the_same(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shim.HAS_RAW_PUBLISH
    assert asyncio.iscoroutinefunction(getattr(UaSession, shim.RAW_PUBLISH))
    batches = []
    for raw in (True, False):
        monkeypatch.setattr(shim, "HAS_RAW_PUBLISH", raw)
        driver = create(opcua.device(opcua.port))
        await driver.connect(driver.device.tags)
        batches.append(await driver.read())
        await driver.close()
    fast, plain = batches
    for column in ("index", "value", "source_time", "status"):
        assert str(getattr(fast, column).tolist()) == str(getattr(plain, column).tolist())
    assert fast.time == plain.time


async def test_an_unknown_namespace_is_not_connected_and_says_which_there_are(opcua: OpcuaTwin) -> None:
    driver = create(opcua.device(opcua.port, namespace="urn:elsewhere"))
    with pytest.raises(NotConnectedError, match="urn:tanchang:test"):
        await driver.connect(driver.device.tags)
    await driver.close()


async def test_a_service_that_is_not_on_the_list_is_stopped_before_it_is_sent(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap:
        device = opcua.device(tap.port)
        assert isinstance(device, OpcuaDevice)
        session = shim.Session(device)
        await session.open()
        with pytest.raises(ValueError, match="WriteRequest does not only read"):
            await session._client.uaclient.session.write(ua.WriteParameters())
        await session.close()
        assert ObjectIds.WriteRequest_Encoding_DefaultBinary not in dict(opcua_services(tap.sent))


async def test_what_happened_while_nobody_read_is_queued_by_the_server_and_comes_in_order(opcua: OpcuaTwin) -> None:
    driver = create(opcua.device(opcua.port))
    await driver.connect(driver.device.tags)
    await driver.read()
    for step in range(1, 41):
        await opcua.write(clock=START_MS + step, good=step)
    told: list[float] = []
    async with asyncio.timeout(PATIENCE_S):
        while 40 not in told:
            batch = await driver.read()
            told += batch.value[batch.index == 1].tolist()
    assert told == list(range(1, 41))
    await driver.close()


async def test_the_channel_is_renewed_before_its_keys_run_out(opcua: OpcuaTwin) -> None:
    hours = [0.0]
    async with Tap(opcua.port) as tap:
        device = opcua.device(tap.port)
        assert isinstance(device, OpcuaDevice)
        driver = OpcuaDriver(device, now=lambda: hours[0] * 3600)
        await driver.connect(device.tags)
        await driver.read()
        assert tap.sent.count(b"OPNF") == 1
        hours[0] = 1.0
        await driver.read()
        await change(driver, opcua, 1)
        assert tap.sent.count(b"OPNF") == 2
        await driver.close()


async def test_every_response_is_looked_through_and_a_hostile_one_ends_the_link(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []

    def refusing(body: bytes) -> None:
        """Takes every Read response for a hostile one."""
        seen.append(Cursor(body).node_id())
        if seen[-1] == ObjectIds.ReadResponse_Encoding_DefaultBinary:
            raise ValueError("an array of nulls")

    monkeypatch.setattr(wire, "vet", refusing)
    driver = create(opcua.device(opcua.port))
    with pytest.raises(NotConnectedError, match="does not answer a Read"):
        await driver.connect(driver.device.tags)
    await driver.close()
    names = ("OpenSecureChannel", "CreateSession", "ActivateSession", "Read")
    assert seen == [getattr(ObjectIds, f"{name}Response_Encoding_DefaultBinary") for name in names]


async def test_answers_that_come_together_do_not_leave_the_server_without_a_request(opcua: OpcuaTwin) -> None:
    driver = create(opcua.device(opcua.port))
    assert isinstance(driver, OpcuaDriver)
    await driver.connect(driver.device.tags)
    await driver.read()
    protocol = driver._session._client.uaclient.protocol
    link = protocol.transport.get_extra_info("socket")
    waiting = socket.fromfd(link.fileno(), socket.AF_INET, socket.SOCK_STREAM)
    protocol.transport.pause_reading()

    async def read_on() -> None:
        while 1 not in (await driver.read()).value.tolist():
            pass

    async with asyncio.timeout(PATIENCE_S):
        reading = asyncio.create_task(read_on())
        while driver._publishing.waiting < 2 or not _holds(waiting, messages=2):  # noqa: ASYNC110 - the kernel's buffer
            await asyncio.sleep(0.02)
        protocol.transport.resume_reading()
        await opcua.write(clock=START_MS + 1, good=1)
        await reading
    waiting.close()
    await driver.close()


def _holds(link: socket.socket, messages: int) -> bool:
    """Whether so many messages wait in the socket's buffer."""
    try:
        return link.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT).count(b"MSGF") >= messages
    except BlockingIOError:
        return False


async def test_a_server_that_holds_one_request_alone_is_asked_with_one(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UaProcessor, "publish_request_limit", lambda _self, _subscriptions: 1)
    device = opcua.device(opcua.port)
    assert isinstance(device, OpcuaDevice)
    driver = OpcuaDriver(device)
    await driver.connect(device.tags)
    for step in (1, 2, 3):
        await change(driver, opcua, step)
        assert driver._publishing.waiting <= 1
    await driver.close()


async def test_a_server_with_more_to_tell_than_it_has_requests_gets_more_of_them(tmp_path: Path) -> None:
    table = {"name": "bench", "driver": "opcua", "namespace": "urn:tanchang:bench", "security": "none"}
    tag = [{"name": f"t{n}", "node": "s=t0", "every": "20ms"} for n in range(4000)]
    async with running("server", "tests.bench.opcua_replay", ["4000", "20"], tmp_path / "server.log") as server:
        url = (await server.event("ready"))["url"]
        driver = OpcuaDriver(OpcuaDevice.model_validate(table | {"url": url, "tag": tag, "timeout": "20s"}))
        await driver.connect(driver.device.tags)
        async with asyncio.timeout(6 * PATIENCE_S):
            while driver._publishing.waiting <= OUTSTANDING:
                batch = await driver.read()
                await driver.acknowledge(batch.token)
        assert driver._publishing.waiting <= MOST_OUTSTANDING
        await driver.close()
