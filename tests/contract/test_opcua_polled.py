"""A server without subscriptions is read again and again, and tells what one with them would."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asyncua.common.utils import ServiceError
from asyncua.server.internal_session import InternalSession
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from drivers.catalog import create
from drivers.contract import Driver, NotConnectedError
from drivers.opcua import limits
from tests.contract.twins import NAMES, START_MS, OpcuaTwin, Tap, opcua_services

PATIENCE_S = 20
GOOD = NAMES.index("good")
READ = ObjectIds.ReadRequest_Encoding_DefaultBinary
SUBSCRIBE = ObjectIds.CreateSubscriptionRequest_Encoding_DefaultBinary


async def good(driver: Driver[Any], value: float) -> None:
    """Read until the count has this value."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            batch = await driver.read()
            assert batch.mark is None
            if value in batch.value[batch.index == GOOD]:
                return


async def test_polled_nodes_tell_every_tag_first_and_then_what_is_new(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap:
        driver = create(opcua.device(tap.port, mode="poll"))
        await driver.connect(driver.device.tags)
        first = await driver.read()
        assert sorted(first.index.tolist()) == list(range(len(NAMES)))
        assert first.time == START_MS * 1_000_000
        assert (first.status[first.index == NAMES.index("absent")] >> 31).all()
        second = await driver.read()
        assert second.index.tolist() == []
        assert second.token > first.token
        await opcua.write(clock=START_MS + 7, good=3)
        await good(driver, 3)
        await driver.close()
        assert SUBSCRIBE not in {number for number, _ in opcua_services(tap.sent)}


async def test_a_server_that_knows_no_subscriptions_is_polled(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise ServiceError(StatusCodes.BadServiceUnsupported)

    monkeypatch.setattr(InternalSession, "create_subscription", unknown)
    driver = create(opcua.device(opcua.port))
    await driver.connect(driver.device.tags)
    await opcua.write(clock=START_MS + 1, good=5)
    await good(driver, 5)
    await driver.close()
    strict = create(opcua.device(opcua.port, mode="subscribe"))
    with pytest.raises(NotConnectedError):
        await strict.connect(strict.device.tags)
    await strict.close()


async def test_no_read_asks_for_more_nodes_than_the_server_takes(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "USUAL", 2)
    async with Tap(opcua.port) as tap:
        driver = create(opcua.device(tap.port, mode="poll"))
        await driver.connect(driver.device.tags)
        before = [number for number, _ in opcua_services(tap.sent)].count(READ)
        first = await driver.read()
        assert sorted(first.index.tolist()) == list(range(len(NAMES)))
        assert [number for number, _ in opcua_services(tap.sent)].count(READ) == before + 3
        await driver.close()


async def test_a_server_that_goes_ends_the_polling(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap:
        driver = create(opcua.device(tap.port, mode="poll"))
        await driver.connect(driver.device.tags)
        await driver.read()
        for writer in tap._links:
            writer.transport.abort()
        with pytest.raises(NotConnectedError):
            await good(driver, -1)
        assert driver.keep() is None
        await driver.close()
