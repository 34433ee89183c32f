"""The servers under the contract suite: started once a session, in a loop of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from drivers.catalog import create
from drivers.contract import Driver
from tests.contract.twins import START_MS, ModbusTwin, OpcuaTwin, OwnLoop, Twin


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Twin]]:
    with OwnLoop() as loop:
        twins: dict[str, Twin] = {
            "modbus": ModbusTwin(loop),
            "opcua": OpcuaTwin(loop, tmp_path_factory.mktemp("opcua")),
        }
        for twin in twins.values():
            loop.call(twin.open())
        yield twins
        for twin in twins.values():
            loop.call(twin.close())


@pytest.fixture(params=["modbus", "opcua"])
async def twin(servers: dict[str, Twin], request: pytest.FixtureRequest) -> AsyncIterator[Twin]:
    chosen = servers[request.param]
    await chosen.write(clock=START_MS, good=0, light=4, temperature=20.5)
    yield chosen
    if isinstance(chosen, OpcuaTwin):
        await chosen.end_subscriptions()


@pytest.fixture
async def opcua(servers: dict[str, Twin]) -> AsyncIterator[OpcuaTwin]:
    twin = cast("OpcuaTwin", servers["opcua"])
    await twin.write(clock=START_MS, good=0, light=4, temperature=20.5)
    yield twin
    await twin.end_subscriptions()


@pytest.fixture
async def driver(twin: Twin) -> AsyncIterator[Driver[Any]]:
    made = create(twin.device(twin.port))
    yield made
    await made.close()
