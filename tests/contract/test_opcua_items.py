"""An item that dies silently, or whose node goes, is made again; the others never notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from agent.model import Batch
from drivers.catalog import create
from drivers.contract import Driver
from drivers.opcua import items
from tests.contract.twins import START_MS, OpcuaTwin, Tap, opcua_services

PATIENCE_S = 20
LIGHT = 1
CREATE = ObjectIds.CreateMonitoredItemsRequest_Encoding_DefaultBinary
DELETE = ObjectIds.DeleteMonitoredItemsRequest_Encoding_DefaultBinary


@asynccontextmanager
async def reading(opcua: OpcuaTwin, port: int, **options: str) -> AsyncIterator[Driver[Any]]:
    tags = [{"name": name, "node": f"s={name}", "every": "50ms", **options} for name in ("good", "light")]
    driver = create(opcua.device(port, tag=tags, clock=None))
    try:
        await driver.connect(driver.device.tags)
        await driver.read()
        yield driver
    finally:
        await driver.close()


async def until(driver: Driver[Any], index: int) -> Batch:
    """The next batch that tells of a tag."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            batch = await driver.read()
            await driver.acknowledge(batch.token)
            if index in batch.index:
                return batch


async def kill_item(opcua: OpcuaTwin, name: str) -> None:
    """The server forgets to look at a node, and says nothing."""

    async def forget() -> None:
        node = opcua.server.iserver.aspace._nodes[opcua._node(name)]
        node.attributes[AttributeIds.Value].datachange_callbacks = {}

    await opcua._loop.run(forget())


def sent(tap: Tap, kind: int) -> int:
    return [number for number, _ in opcua_services(tap.sent)].count(kind)


async def test_an_item_that_dies_while_the_server_is_well_is_found_and_made_again(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap, reading(opcua, tap.port, fresh_within="100ms") as driver:
        await kill_item(opcua, "light")
        await opcua.write(clock=START_MS + 1, light=9)
        batch = await until(driver, LIGHT)
        assert batch.value[batch.index == LIGHT].tolist() == [9]
        await opcua.write(clock=START_MS + 2, light=10)
        batch = await until(driver, LIGHT)
        assert batch.value[batch.index == LIGHT].tolist() == [10]
        assert (sent(tap, CREATE), sent(tap, DELETE)) == (2, 1)
        assert sent(tap, ObjectIds.CreateSubscriptionRequest_Encoding_DefaultBinary) == 1


async def test_an_item_that_has_nothing_new_is_looked_at_and_left_alone(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap, reading(opcua, tap.port, fresh_within="50ms") as driver:
        reads = ObjectIds.ReadRequest_Encoding_DefaultBinary
        before = sent(tap, reads)
        async with asyncio.timeout(PATIENCE_S):
            while sent(tap, reads) < before + 3:
                await driver.read()
        assert (sent(tap, CREATE), sent(tap, DELETE)) == (1, 0)


async def test_a_node_that_goes_after_it_was_accepted_is_asked_for_until_it_is_back(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "FIRST_PAUSE_S", 0.05)
    async with Tap(opcua.port) as tap, reading(opcua, tap.port) as driver:
        gone = ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadNodeIdUnknown)))
        await kill_all_but_telling(opcua, gone)
        batch = await until(driver, LIGHT)
        assert batch.status[batch.index == LIGHT].tolist() == [StatusCodes.BadNodeIdUnknown]
        batch = await until(driver, LIGHT)
        assert (sent(tap, CREATE), sent(tap, DELETE)) == (2, 1)
        await opcua.write(clock=START_MS + 1, light=11)
        while (batch := await until(driver, LIGHT)).status[batch.index == LIGHT].any():
            pass
        assert batch.value[batch.index == LIGHT].tolist() == [11]
        assert sent(tap, ObjectIds.CreateSessionRequest_Encoding_DefaultBinary) == 1


async def kill_all_but_telling(opcua: OpcuaTwin, gone: ua.DataValue) -> None:
    """The node tells that it is gone, and then nothing, as an item does whose node was taken away."""
    await opcua._loop.run(
        opcua.server.iserver.aspace.write_attribute_value(opcua._node("light"), AttributeIds.Value, gone)
    )
    await kill_item(opcua, "light")
