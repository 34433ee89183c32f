"""A broken link loses nothing that the server still holds, and tells nothing twice."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.ua.object_ids import ObjectIds

from agent.demo.stage import running
from agent.ledger import Ledger, Reader
from agent.live import DeviceRule, MachineRule, TagRef
from agent.model import Line, Machine, MachineState, State
from agent.poller import Poller
from agent.recorder import Recorder
from agent.shift import Calendar
from drivers.catalog import create, device_type
from drivers.contract import Bookmark, Driver, NotConnectedError
from drivers.opcua import wanted
from drivers.opcua.kept import Kept
from drivers.opcua.services import READING
from drivers.opcua.ticket import Ticket
from simulators.proxy import FaultProxy, Mode
from simulators.retransmission import keep_until_acknowledged
from tests.contract.twins import NAMES, START_MS, OpcuaTwin, Tap, opcua_services

PATIENCE_S = 20
GOOD = NAMES.index("good")
LINE = Line("s", "a", "l", {}, 17.0, "UTC", (Machine("press1", {}, {}),), {}, {})
RULE = MachineRule("press1", TagRef("twin", "light"), {4: MachineState(State.EXECUTING)}, 1.0)


async def goods(driver: Driver[Any], last: int) -> list[float]:
    """The values of `good` as they come, up to the last."""
    told: list[float] = []
    async with asyncio.timeout(PATIENCE_S):
        while last not in told:
            batch = await driver.read()
            told += batch.value[batch.index == GOOD].tolist()
            await driver.acknowledge(batch.token)
    return told


async def read_for_ever(driver: Driver[Any], *, acknowledging: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            batch = await driver.read()
            if acknowledging:
                await driver.acknowledge(batch.token)


async def broken(driver: Driver[Any], *, acknowledging: bool = True) -> Kept:
    """Read until the link is found to be gone; what the driver keeps."""
    with pytest.raises(NotConnectedError):
        await read_for_ever(driver, acknowledging=acknowledging)
    kept = driver.keep()
    await driver.close()
    assert isinstance(kept, Kept)
    return kept


@asynccontextmanager
async def connected(opcua: OpcuaTwin, port: int, kept: object | None = None) -> AsyncIterator[Driver[Any]]:
    driver = create(opcua.device(port, timeout="500ms"))
    if kept is not None:
        driver.resume(kept)
    try:
        await driver.connect(driver.device.tags)
        yield driver
    finally:
        await driver.close()


@asynccontextmanager
async def recording(opcua: OpcuaTwin, port: int, folder: Path) -> AsyncIterator[Recorder]:
    """A poller with recorder and ledger on this device; on leaving, all that was read is on disk."""
    device = opcua.device(port, timeout="500ms")
    rule = DeviceRule("twin", "opcua", device.address, tuple((name, "") for name in NAMES), 0.05, "clock")
    ledger = await Ledger.open(folder, group_s=0.001)
    recorder = Recorder(LINE, [RULE], [rule], Calendar(), ledger)
    tasks = [
        asyncio.create_task(recorder.run()),
        asyncio.create_task(Poller(device, partial(create, device), recorder, Random(1)).run()),
    ]
    try:
        yield recorder
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await recorder.close()
        await ledger.close()


def held(recorder: Recorder, name: str) -> float | str | None:
    return next(tag.value for tag in recorder.devices()[0].tags if tag.name == name)


async def until_held(recorder: Recorder, value: float) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while held(recorder, "good") != value:
            await recorder.changed()


@pytest.mark.parametrize("fault", ["rst", "hole"])
async def test_every_value_the_server_held_through_two_lost_links_is_on_disk_once(
    opcua: OpcuaTwin, tmp_path: Path, fault: Mode
) -> None:
    async with FaultProxy("127.0.0.1", opcua.port) as proxy, recording(opcua, proxy.port, tmp_path) as recorder:
        step = 0
        await until_held(recorder, step)
        for _ in range(2):
            for _ in range(3):
                step += 1
                await opcua.write(clock=START_MS + step, good=step)
            await until_held(recorder, step)
            await proxy.switch(fault)
            for _ in range(5):
                step += 1
                await opcua.write(clock=START_MS + step, good=step)
            async with asyncio.timeout(PATIENCE_S):
                while recorder.devices()[0].connected:
                    await recorder.changed()
            step += 1
            await opcua.write(clock=START_MS + step, good=step)
            await proxy.switch("pass")
            await until_held(recorder, step)
    reader = Reader(tmp_path)
    found = reader.samples("twin", "good")
    reader.close()
    assert found.value.tolist() == list(range(step + 1))


async def test_our_simulators_send_a_message_as_often_as_it_is_asked_for_until_it_is_acknowledged(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InternalSubscription, "republish", InternalSubscription.republish)  # as it was, afterwards
    keep_until_acknowledged()
    async with connected(opcua, opcua.port) as driver:
        batch = await driver.read()
        kept = driver.keep()
        assert isinstance(kept, Kept)
        session, (subscription, number) = cast("Any", driver)._session, kept.unacknowledged[0]
        for _ in range(2):
            assert (await session.republish(subscription, number)).sequence == number
        await driver.acknowledge(batch.token)
        await opcua.write(clock=START_MS + 1, good=1)
        assert await goods(driver, 1) == [1]
        async with asyncio.timeout(PATIENCE_S):
            while await session.republish(subscription, number) is not None:
                await driver.read()


async def test_a_session_that_lives_is_taken_up_and_no_second_one_asked_for(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap:
        async with FaultProxy("127.0.0.1", tap.port) as proxy:
            async with connected(opcua, proxy.port) as driver:
                await driver.read()
                await proxy.switch("rst")
                kept = await broken(driver)
            await proxy.switch("pass")
            await opcua.write(clock=START_MS + 1, good=1)
            async with connected(opcua, proxy.port, kept) as driver:
                first = await driver.read()
                assert sorted(first.index.tolist()) == list(range(len(NAMES)))
                assert first.value[first.index == GOOD].tolist() == [0]
                assert await goods(driver, 1) == [1]
        sent = [number for number, _ in opcua_services(tap.sent)]
    known = {getattr(ObjectIds, f"{name}_Encoding_DefaultBinary"): name for name in READING}
    names = [known.get(number, str(number)) for number in sent]
    assert names.count("CreateSessionRequest") == names.count("CreateSubscriptionRequest") == 1
    assert "RepublishRequest" in names
    assert set(names) <= READING


async def test_what_was_told_before_the_link_broke_is_acknowledged_over_the_next_one(opcua: OpcuaTwin) -> None:
    async with FaultProxy("127.0.0.1", opcua.port) as proxy:
        async with connected(opcua, proxy.port) as driver:
            await driver.read()
            for step in (1, 2, 3):
                await opcua.write(clock=START_MS + step, good=step)
                while GOOD not in (await driver.read()).index:
                    pass
            await proxy.switch("rst")
            kept = await broken(driver, acknowledging=False)
        await proxy.switch("pass")
        assert len(kept.unacknowledged) >= 4
        async with connected(opcua, proxy.port, kept) as driver:
            await driver.acknowledge((await driver.read()).token)
            await opcua.write(clock=START_MS + 4, good=4)
            assert await goods(driver, 4) == [4]
            await goods_acknowledged(opcua, driver, kept)


async def goods_acknowledged(opcua: OpcuaTwin, driver: Driver[Any], kept: Kept) -> None:
    """Read on until the server holds none of the messages that were kept as unacknowledged."""
    subscription = opcua.server.iserver.subscription_service.subscriptions[kept.subscription]
    old = {sequence for _, sequence in kept.unacknowledged}
    async with asyncio.timeout(PATIENCE_S):
        while old & set(subscription._not_acknowledged_results):
            await driver.read()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"subscription": 4_000_000}, id="another-subscription"),
        pytest.param({"meaning": ""}, id="other-handles"),
        pytest.param({"ticket": None}, id="no-session"),
    ],
)
async def test_what_can_not_be_taken_up_is_made_anew(opcua: OpcuaTwin, changes: dict[str, Any]) -> None:
    async with FaultProxy("127.0.0.1", opcua.port) as proxy:
        async with connected(opcua, proxy.port) as driver:
            await driver.read()
            await proxy.switch("rst")
            kept: object | None = dataclasses.replace(await broken(driver), **changes)
        await proxy.switch("pass")
        await opcua.write(clock=START_MS + 7, good=7)
        for _ in range(4):
            driver = create(opcua.device(proxy.port, timeout="500ms"))
            if kept is not None:
                driver.resume(kept)
            try:
                await driver.connect(driver.device.tags)
                assert 7 in await goods(driver, 7)
                break
            except NotConnectedError:
                kept = driver.keep()
            finally:
                await driver.close()
        else:
            pytest.fail("a kept subscription without a sign of life is not given up")


@pytest.mark.parametrize("spoilt", ["whole", "place", "ticket"])
async def test_a_bookmark_that_cannot_be_read_is_no_bookmark(opcua: OpcuaTwin, spoilt: str) -> None:
    async with connected(opcua, opcua.port) as driver:
        mark = (await driver.read()).mark
        assert mark is not None
        assert mark.whole is not None
    whole = mark.whole.replace('"ticket": "', '"ticket": "x') if spoilt == "ticket" else mark.whole
    left = Bookmark("{}" if spoilt == "whole" else whole, "[]" if spoilt == "place" else mark.place, [], 0)
    async with connected(opcua, opcua.port, left) as driver:
        assert len((await driver.read()).index) == len(NAMES)


async def test_a_session_that_expired_is_followed_by_one_new_session_a_try(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap, FaultProxy("127.0.0.1", tap.port) as proxy:
        async with connected(opcua, proxy.port) as driver:
            await driver.read()
            await proxy.switch("rst")
            kept = await broken(driver)
        await proxy.switch("pass")
        assert isinstance(kept.ticket, Ticket)
        gone = dataclasses.replace(kept.ticket, token=ua.NodeId(ua.Int32(12345), ua.Int16(7)))
        async with connected(opcua, proxy.port, dataclasses.replace(kept, ticket=gone, subscription=1)) as driver:
            assert len((await driver.read()).index) == len(NAMES)
        sent = [number for number, _ in opcua_services(tap.sent)]
        assert sent.count(ObjectIds.CreateSessionRequest_Encoding_DefaultBinary) == 2
        assert sent.count(ObjectIds.TransferSubscriptionsRequest_Encoding_DefaultBinary) == 1


async def test_a_driver_that_is_stopped_keeps_nothing_at_the_server(opcua: OpcuaTwin) -> None:
    before = set(opcua.server.iserver.subscription_service.subscriptions)
    async with connected(opcua, opcua.port) as driver:
        await driver.read()
        assert set(opcua.server.iserver.subscription_service.subscriptions) > before
    assert set(opcua.server.iserver.subscription_service.subscriptions) <= before


async def test_a_node_that_appears_later_is_told_without_a_new_link(
    opcua: OpcuaTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, "FIRST_PAUSE_S", 0.05)
    async with Tap(opcua.port) as tap:
        tags = [{"name": name, "node": f"s={name}", "every": "50ms"} for name in ("light", "later")]
        driver = create(opcua.device(tap.port, tag=tags, clock=None))
        await driver.connect(driver.device.tags)
        first = await driver.read()
        assert (first.status[first.index == 1] >> 31).tolist() == [1]
        await opcua.add("later", 12)
        async with asyncio.timeout(PATIENCE_S):
            while not len((batch := await driver.read()).index):
                pass
        assert (batch.index.tolist(), batch.value.tolist(), batch.status.tolist()) == ([1], [12], [0])
        await driver.close()
        sent = [number for number, _ in opcua_services(tap.sent)]
        assert sent.count(ObjectIds.CreateSessionRequest_Encoding_DefaultBinary) == 1


async def test_a_server_that_hangs_and_comes_to_itself_has_lost_nothing(tmp_path: Path) -> None:
    async with running("server", "tests.bench.opcua_server", ["1", "50"], tmp_path / "server.log") as server:
        url = (await server.event("ready"))["url"]
        tags = [{"name": "count", "node": "s=t0", "every": "50ms"}]
        table = {"name": "d", "driver": "opcua", "url": url, "namespace": "urn:tanchang:bench", "security": "none"}
        device = device_type("opcua").model_validate(table | {"timeout": "500ms", "tag": tags})
        driver = create(device)
        await driver.connect(device.tags)
        told = (await driver.read()).value.tolist()
        server.child.send_signal(signal.SIGSTOP)
        with pytest.raises(NotConnectedError):
            await collect(driver, told, 10**9)
        kept = driver.keep()
        await driver.close()
        server.child.send_signal(signal.SIGCONT)
        assert kept is not None
        driver = create(device)
        driver.resume(kept)
        await driver.connect(device.tags)
        assert (await driver.read()).value.tolist() == told[-1:]
        await collect(driver, told, told[-1] + 20)
        await driver.close()
        assert told == [told[0] + n for n in range(len(told))]


async def collect(driver: Driver[Any], told: list[float], last: float) -> None:
    """Add what a driver of one tag tells until it has told the last."""
    async with asyncio.timeout(PATIENCE_S):
        while told[-1] < last:
            told += (await driver.read()).value.tolist()
