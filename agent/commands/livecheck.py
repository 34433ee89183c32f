"""`tanchang check --live`: read every tag of a line file once through its driver and say what came."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

from agent.commands.plausible import Grade, Looked, heading, judge, tally, unread
from agent.configuration.tables import LineFile
from agent.model import Origin
from drivers.catalog import create
from drivers.contract import Device, Driver, DriverError

Cell = tuple[float, int, str | None]


def check_live(line: LineFile) -> int:
    """Print value, quality and plausibility of every tag; 1 where one is bad, else 0."""
    devices = line.devices
    looks = asyncio.run(_all(line, devices))
    for device, (origin, looked) in zip(devices, looks, strict=True):
        print(heading(device, origin))
        for one in looked:
            print(f"  {one.grade.name.lower():<8}  {one.tag:<24}  {one.value:<20}  {one.remark}".rstrip())
    by_device = {device.name: looked for device, (_, looked) in zip(devices, looks, strict=True)}
    print(tally(by_device))
    return int(any(one.grade is Grade.BAD for looked in by_device.values() for one in looked))


async def _all(line: LineFile, devices: Sequence[Device]) -> list[tuple[Origin | None, list[Looked]]]:
    """One device after the other: several behind one gateway would get in each other's way."""
    return [await look(line, device) for device in devices]


async def look(line: LineFile, device: Device) -> tuple[Origin | None, list[Looked]]:
    """Who answered, and a look at each of the device's tags."""
    driver = create(device)
    origin, why = None, "the device did not tell it"
    cells: dict[int, Cell] = {}
    try:
        async with asyncio.timeout(device.timeout):
            origin = await driver.connect(device.tags)
        cells = await _cells(driver, device)
    except (DriverError, OSError) as error:  # TimeoutError is an OSError
        why = str(error) or f"no answer within {device.timeout:g} s; check power, cable and address"
    finally:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(device.timeout):
                await driver.close()
    now = time.time_ns()
    return origin, [
        judge(line, device, tag, cells[index], now) if index in cells else unread(device, tag, why)
        for index, tag in enumerate(device.tags)
    ]


async def _cells(driver: Driver[Any], device: Device) -> dict[int, Cell]:
    """The first batch, which has every tag, by index."""
    async with asyncio.timeout(device.timeout + max(tag.every for tag in device.tags)):
        batch = await driver.read()
    rows = zip(batch.index.tolist(), batch.value.tolist(), batch.status.tolist(), strict=True)
    return {index: (value, status, batch.text.get(row)) for row, (index, value, status) in enumerate(rows)}
