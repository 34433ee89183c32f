"""What every driver promises, against real servers over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from typing import Any

import numpy as np
import pytest
from asyncua.ua.object_ids import ObjectIds

from drivers.catalog import create
from drivers.contract import Driver, MisconfiguredError, NotConnectedError
from drivers.modbus.frame import READ_ONLY_FUNCTIONS
from drivers.opcua.services import READING
from simulators.proxy import FaultProxy, Mode
from tests.contract.twins import NAMES, START_MS, Tap, Twin, modbus_functions, opcua_services

MS = 1_000_000
PATIENCE_S = 10


async def until(driver: Driver[Any], tag: str, value: float) -> tuple[list[tuple[float, int]], int]:
    """Rows (value, source time) of a tag up to the wanted value; the last batch's time."""
    rows: list[tuple[float, int]] = []
    async with asyncio.timeout(PATIENCE_S):
        while True:
            batch = await driver.read()
            own = batch.index == NAMES.index(tag)
            rows += zip(batch.value[own].tolist(), batch.source_time[own].tolist(), strict=True)
            if rows and rows[-1][0] == value:
                return rows, batch.time


async def read_for(driver: Driver[Any], seconds: float) -> list[float]:
    """Read until the time is over and the last read is cancelled; the values of `good` that came."""
    told = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                batch = await driver.read()
                told += batch.value[batch.index == NAMES.index("good")].tolist()
    return told


async def test_the_first_batch_has_every_tag_at_the_devices_own_time(driver: Driver[Any]) -> None:
    await driver.connect(driver.device.tags)
    batch = await driver.read()
    assert sorted(batch.index.tolist()) == [0, 1, 2, 3, 4]
    assert dict(zip(batch.index.tolist()[:4], batch.value.tolist()[:4], strict=True)) == {
        0: START_MS,
        1: 0,
        2: 4,
        3: 20.5,
    }
    assert batch.time == START_MS * MS
    assert set(batch.source_time.tolist()) == {START_MS * MS}


async def test_a_tag_that_is_not_there_spoils_only_itself(driver: Driver[Any]) -> None:
    await driver.connect(driver.device.tags)
    batch = await driver.read()
    status = dict(zip(batch.index.tolist(), batch.status.tolist(), strict=True))
    assert status.pop(NAMES.index("absent")) >> 31 == 1
    assert set(status.values()) == {0}
    assert np.isnan(batch.value[batch.index == NAMES.index("absent")]).all()


async def test_changes_arrive_in_order_with_the_time_they_happened(driver: Driver[Any], twin: Twin) -> None:
    await driver.connect(driver.device.tags)
    await driver.read()
    seen = []
    for step in range(1, 6):
        await twin.write(clock=START_MS + 1000 * step, good=step)
        rows, time = await until(driver, "good", step)
        seen += rows
        assert time >= rows[-1][1]
    assert seen == [(step, (START_MS + 1000 * step) * MS) for step in range(1, 6)]


async def test_only_what_changed_is_told(driver: Driver[Any], twin: Twin) -> None:
    await driver.connect(driver.device.tags)
    await driver.read()
    await twin.write(clock=START_MS + 1000, light=1)
    while True:
        batch = await driver.read()
        assert set(batch.index.tolist()) <= {NAMES.index("light")}
        if len(batch.index):
            break


async def test_an_idle_device_gives_empty_batches_whose_tokens_rise(driver: Driver[Any]) -> None:
    await driver.connect(driver.device.tags)
    batches = [await driver.read() for _ in range(4)]
    assert [len(batch.index) for batch in batches[1:]] == [0, 0, 0]
    assert all(a.token < b.token for a, b in itertools.pairwise(batches))


async def test_a_running_clock_moves_the_time_of_empty_batches(driver: Driver[Any], twin: Twin) -> None:
    await driver.connect(driver.device.tags)
    await driver.read()
    await twin.write(clock=START_MS + 60_000)
    async with asyncio.timeout(PATIENCE_S):
        while (batch := await driver.read()).time != (START_MS + 60_000) * MS:
            assert len(batch.index) == 0


async def test_a_simulator_is_known_as_one_with_the_speed_of_its_clock(driver: Driver[Any]) -> None:
    origin = await driver.connect(driver.device.tags)
    assert (origin.vendor, origin.product) == ("tanchang simulators", "twin")
    assert (origin.simulated, origin.speed) == (True, 60.0)


async def test_nobody_home_is_not_connected(twin: Twin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    driver = create(twin.device(port))
    with pytest.raises(NotConnectedError, match=str(port)):
        await driver.connect(driver.device.tags)
    await driver.close()


async def test_reading_before_connecting_is_not_connected(driver: Driver[Any]) -> None:
    with pytest.raises(NotConnectedError):
        await driver.read()


async def test_a_driver_without_tags_is_misconfigured(driver: Driver[Any]) -> None:
    with pytest.raises(MisconfiguredError):
        await driver.connect([])


@pytest.mark.parametrize("fault", ["rst", "hole"])
async def test_a_link_that_breaks_is_not_connected_and_the_same_driver_connects_again(twin: Twin, fault: Mode) -> None:
    async with FaultProxy("127.0.0.1", twin.port) as proxy:
        driver = create(twin.device(proxy.port))
        await driver.connect(driver.device.tags)
        await driver.read()
        await proxy.switch(fault)
        with pytest.raises(NotConnectedError):
            await read_for(driver, PATIENCE_S)
        await driver.close()
        await proxy.switch("pass")
        await driver.connect(driver.device.tags)
        assert len((await driver.read()).index) == len(NAMES)
        await driver.close()


async def test_a_server_that_never_answers_ends_a_connect_that_is_cancelled_and_leaves_no_task(twin: Twin) -> None:
    async with FaultProxy("127.0.0.1", twin.port) as proxy:
        await proxy.switch("hole")
        before = asyncio.all_tasks()
        driver = create(twin.device(proxy.port, timeout="20s"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await driver.connect(driver.device.tags)
        await driver.close()
        assert {task for task in asyncio.all_tasks() - before if "FaultProxy" not in repr(task)} == set()


async def test_closing_before_connecting_and_twice_is_fine(driver: Driver[Any]) -> None:
    await driver.close()
    await driver.connect(driver.device.tags)
    await driver.close()
    await driver.close()


async def test_a_cancelled_read_can_be_taken_up_again_and_nothing_is_lost(driver: Driver[Any], twin: Twin) -> None:
    await driver.connect(driver.device.tags)
    await driver.read()
    told = []
    for step in range(1, 6):
        await twin.write(clock=START_MS + step, good=step)
        told += await read_for(driver, 0.08)
    if 5 not in told:
        told += [value for value, _ in (await until(driver, "good", 5))[0]]
    assert told == sorted(set(told))
    assert told[-1] == 5


async def test_closing_leaves_no_task(driver: Driver[Any]) -> None:
    before = asyncio.all_tasks()
    await driver.connect(driver.device.tags)
    await driver.read()
    waiting = asyncio.create_task(driver.read())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await driver.close()
    assert asyncio.all_tasks() == before


async def test_nothing_but_reading_ever_leaves_a_driver(twin: Twin) -> None:
    async with Tap(twin.port) as tap:
        driver = create(twin.device(tap.port))
        await driver.connect(driver.device.tags)
        for step in range(3):
            await twin.write(clock=START_MS + step, good=step)
            await driver.acknowledge((await driver.read()).token)
        await driver.close()
    if twin.driver == "modbus":
        sent = set(modbus_functions(tap.sent))
        assert sent == {3, 43}
        assert sent <= READ_ONLY_FUNCTIONS
        return
    known = {getattr(ObjectIds, f"{name}_Encoding_DefaultBinary"): name for name in READING}
    names = {known.get(number, str(number)) for number, _ in opcua_services(tap.sent)}
    assert names >= {"ReadRequest", "PublishRequest", "CreateMonitoredItemsRequest", "CloseSessionRequest"}
    assert names <= READING
