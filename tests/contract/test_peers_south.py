"""What people complain of in other gateways, as tests of our south side; docs/peers.md says which answers which."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from agent.ledger import Ledger, Reader
from agent.live import DeviceRule
from agent.poller import LONGEST_PAUSE_S, Poller
from agent.recorder import Recorder
from agent.shift import Calendar
from agent.storage import samples
from drivers.catalog import create
from drivers.contract import Device, Driver, NotConnectedError
from drivers.opcua.kept import Kept
from simulators.proxy import FaultProxy
from tests.contract.test_modbus_port import gateway, table
from tests.contract.test_modbus_replies import connected as modbus_connected
from tests.contract.test_modbus_replies import frame, honest
from tests.contract.test_opcua_continuity import LINE, RULE, broken, connected, recording, until_held
from tests.contract.twins import START_MS, OpcuaTwin, Tap, opcua_services

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
WARM, MORE = 150, 600  # attempts before memory is looked at, and between the two looks


class NoPause(Random):
    """The back-off without the waiting: what it would have waited at most is in `longest`."""

    def __init__(self) -> None:
        super().__init__(1)
        self.longest: list[float] = []

    def uniform(self, a: float, b: float) -> float:
        self.longest.append(b)
        return a


@asynccontextmanager
async def polled(device: Device, folder: Path, jitter: Random) -> AsyncIterator[Counter[str]]:
    """A poller on a device, with recorder and ledger; how many drivers it made."""
    made: Counter[str] = Counter()

    def make() -> Driver[Any]:
        made["drivers"] += 1
        return create(device)

    rule = DeviceRule(device.name, device.driver, device.address, tuple((tag.name, "") for tag in device.tags), 0.05)
    ledger = await Ledger.open(folder, group_s=0.001)
    recorder = Recorder(LINE, [RULE], [rule], Calendar(), ledger)
    polling = asyncio.create_task(Poller(device, make, recorder, jitter).run())
    try:
        yield made
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await recorder.close()
        await ledger.close()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reached():  # noqa: ASYNC110 - what is counted has no event of its own
            await asyncio.sleep(0.005)


def requests(tap: Tap) -> Counter[str]:
    """How often each service was asked for."""
    names = {
        getattr(ObjectIds, name): name.partition("Request_")[0] for name in dir(ObjectIds) if "Request_Enc" in name
    }
    return Counter(names[number] for number, _ in opcua_services(tap.sent))


async def test_telegraf_18813_a_server_that_refuses_us_is_asked_for_one_session_a_back_off_step(
    opcua: OpcuaTwin, tmp_path: Path
) -> None:
    jitter = NoPause()
    async with Tap(opcua.port) as tap:
        device = opcua.device(tap.port, namespace="urn:not-loaded-yet")
        async with polled(device, tmp_path, jitter) as made:
            await until(lambda: len(jitter.longest) >= 8)
    asked = requests(tap)
    assert made["drivers"] - 1 <= asked["CreateSession"] <= made["drivers"]
    assert asked["CloseSession"] >= asked["CreateSession"] - 1  # none is left behind in the server
    assert jitter.longest[:6] == [0.2, 0.4, 0.8, 1.6, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


@pytest.fixture
def unlogged() -> Iterator[None]:
    """No record is kept of what is logged, as pytest would."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("what", ["modbus", "opcua", "exception-11"])
async def test_hivemq_1760_and_contrib_modbus_536_a_weekend_without_the_plc_keeps_memory_flat(
    opcua: OpcuaTwin, tmp_path: Path, what: str
) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can take it
        closed = held.getsockname()[1]
        async with gateway(lambda _unit, _pdu: asyncio.sleep(0, b"\x83\x0b")) as behind:
            port = behind.port if what == "exception-11" else closed
            device = opcua.device(closed) if what == "opcua" else table(port, name="twin")
            async with polled(device, tmp_path, NoPause()) as made:
                await until(lambda: made["drivers"] > WARM)
                gc.collect()
                before = len(gc.get_objects())
                await until(lambda: made["drivers"] > WARM + MORE)
                gc.collect()
                grown = len(gc.get_objects()) - before
    assert grown < MORE / 2, f"{grown} objects more after {MORE} attempts"


async def test_telegraf_14317_after_a_late_reply_every_next_one_is_its_own() -> None:
    late: list[bytes] = []
    asked = 0

    def reply(tid: int, unit: int, pdu: bytes) -> bytes:
        """The value is the number of the request; the first reply comes with the second."""
        nonlocal asked
        asked += 1
        own = frame(tid, unit, honest(pdu, value=asked))
        if asked == 1:
            late.append(own)
            return b""
        return late.pop() + own if late else own

    async with modbus_connected(reply) as (driver, _):
        with pytest.raises(NotConnectedError):
            await driver.read()
        for number in range(2, 22):
            assert (await driver.read()).value.tolist() == [number]


async def test_neuron_2155_after_a_bad_frame_the_next_link_reads_again() -> None:
    replies = [lambda tid, unit, _pdu: frame(tid, unit, b"\x10\x00", protocol=0x4854)]

    def reply(tid: int, unit: int, pdu: bytes) -> bytes:
        return replies.pop()(tid, unit, pdu) if replies else frame(tid, unit, honest(pdu))

    async with modbus_connected(reply) as (driver, _):
        with pytest.raises(NotConnectedError):
            await driver.read()
        again = create(driver.device)
        await again.connect(again.device.tags)
        assert (await again.read()).status.tolist() == [0]
        await again.close()


async def test_thingsboard_949_and_contrib_opcua_278_one_session_and_one_subscription_however_often_the_link_breaks(
    opcua: OpcuaTwin,
) -> None:
    kept: Kept | None = None
    async with Tap(opcua.port) as tap, FaultProxy("127.0.0.1", tap.port) as proxy:
        for _ in range(4):
            await proxy.switch("pass")
            async with connected(opcua, proxy.port, kept) as driver:
                await driver.read()
                await proxy.switch("rst")
                kept = await broken(driver)
        assert len(opcua.server.iserver.subscription_service.subscriptions) == 1
    asked = requests(tap)
    assert (asked["CreateSession"], asked["CreateSubscription"], asked["ActivateSession"]) == (1, 1, 4)


async def test_opcpublisher_2104_a_subscription_the_server_forgot_does_not_make_us_spin(opcua: OpcuaTwin) -> None:
    async with Tap(opcua.port) as tap:
        async with connected(opcua, tap.port) as driver:
            await driver.read()
            await opcua.end_subscriptions()
            before = requests(tap)["Publish"]
            with contextlib.suppress(NotConnectedError):
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        await driver.read()
        assert requests(tap)["Publish"] - before <= 4


async def test_opcpublisher_2382_and_1308_two_values_of_one_source_time_keep_their_order(
    opcua: OpcuaTwin, tmp_path: Path
) -> None:
    async with recording(opcua, opcua.port, tmp_path) as recorder:
        await until_held(recorder, 0)
        for good in (7, 3, 9, 4):
            await opcua.write(clock=START_MS + 1, good=good)
        await until_held(recorder, 4)
    reader = Reader(tmp_path)
    found = reader.samples("twin", "good")
    reader.close()
    assert found.value.tolist() == [0, 7, 3, 9, 4]
    assert len(set(found.source_time.tolist()[1:])) == 1


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        pytest.param(ua.Variant("00123456789012345678", ua.VariantType.String), "00123456789012345678", id="serial"),
        pytest.param(ua.Variant("1e5", ua.VariantType.String), "1e5", id="lot"),
        pytest.param(ua.Variant(-12, ua.VariantType.Int32), -12.0, id="int32"),
        pytest.param(ua.Variant(2**64 - 1, ua.VariantType.UInt64), str(2**64 - 1), id="uint64"),
    ],
)
async def test_umh_a_serial_number_stays_text_and_minus_12_stays_negative(
    opcua: OpcuaTwin, variant: ua.Variant, told: str | float
) -> None:
    name = f"odd{abs(hash(str(variant.Value)))}"
    node = opcua._node(name)
    await opcua._loop.run(opcua.server.nodes.objects.add_variable(node, name, variant))
    device = opcua.device(opcua.port, tag=[{"name": "odd", "node": f"s={name}", "every": "50ms"}], clock=None)
    driver = create(device)
    await driver.connect(device.tags)
    batch = samples.decode(samples.encode([await driver.read()]))
    await driver.close()
    assert batch.status.tolist() == [0]
    assert (batch.text.get(0) if isinstance(told, str) else batch.value[0]) == told


async def test_many_nodes_are_asked_for_in_parts_and_a_missing_one_hangs_nothing(
    opcua: OpcuaTwin,
) -> None:
    nodes = ["s=good", *(f"s=absent{n}" for n in range(1500))]
    tags = [{"name": f"t{n}", "node": node, "every": "50ms"} for n, node in enumerate(nodes)]
    async with Tap(opcua.port) as tap:
        driver = create(opcua.device(tap.port, tag=tags, clock=None, timeout="10s"))
        await driver.connect(driver.device.tags)
        batch = await driver.read()
        await driver.close()
    assert sorted(batch.index.tolist()) == list(range(len(nodes)))
    assert np.flatnonzero(batch.status < 0x8000_0000).size == 1
    assert requests(tap)["CreateMonitoredItems"] >= 2


async def test_contrib_modbus_458_a_pulled_cable_that_is_back_is_read_again_by_the_same_agent(tmp_path: Path) -> None:
    numbers = iter(range(1, 10**6))
    read: list[float] = []

    async def count(_unit: int, pdu: bytes) -> bytes:
        return bytes([pdu[0], 2]) + struct.pack(">H", next(numbers) % 2**16)

    async with gateway(count) as behind, FaultProxy("127.0.0.1", behind.port) as proxy:
        device = table(proxy.port, name="twin")
        rule = DeviceRule(device.name, "modbus", device.address, tuple((tag.name, "") for tag in device.tags), 0.05)
        ledger = await Ledger.open(tmp_path, group_s=0.001)
        recorder = Recorder(LINE, [RULE], [rule], Calendar(), ledger)
        heard = partial(_hear, read)
        polling = asyncio.create_task(Poller(device, partial(create, device), recorder, NoPause(), heard).run())
        for mode in ("hole", "half", "rst"):
            told = len(read)
            await until(lambda told=told: len(read) > told + 2)  # type: ignore[misc]  # bound at once
            await proxy.switch(mode)
            await until(lambda: not recorder.devices()[0].connected)
            await proxy.switch("pass")
        told = len(read)
        await until(lambda: len(read) > told + 2)
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await recorder.close()
        await ledger.close()
    assert read == sorted(set(read))


def _hear(read: list[float], _name: str, batch: Any) -> None:
    read += batch.value.tolist()


def test_every_test_that_the_table_of_complaints_names_is_there() -> None:
    named = re.findall(r"`(tests/\S+\.py)(?:::(\w+))?`", (ROOT / "docs" / "peers.md").read_text())
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}" in (ROOT / file).read_text(), f"{file} has no {test}"
