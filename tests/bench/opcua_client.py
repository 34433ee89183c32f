"""One client under measurement: `python -m tests.bench.opcua_client ours|callbacks URL TAGS NODES EVERY_MS SECONDS`.

Tags beyond the server's nodes are further items on the same nodes. `complete` in place of `ours` also counts what is
missing of tags that count up by one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from asyncua import ua
from asyncua.client.client import Client

from agent.model import Batch
from drivers.catalog import create, device_type

NAMESPACE = "urn:tanchang:bench"
SETTLE_S = 2.0


class Callbacks:
    """asyncua's way: a call a value."""

    def __init__(self) -> None:
        self.values = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        """One value more."""
        self.values += 1


async def callbacks(url: str, tags: int, nodes: int, every_s: float, seconds: float) -> None:
    """The peer."""
    handler = Callbacks()
    async with Client(url, timeout=60) as client:
        index = await client.get_namespace_index(NAMESPACE)
        subscription = await client.create_subscription(every_s * 1000, handler)
        wanted = [client.get_node(f"ns={index};s=t{n % nodes}") for n in range(tags)]
        for start in range(0, tags, 1000):
            sampling = ua.Double(every_s * 1000)
            await subscription.subscribe_data_change(wanted[start : start + 1000], sampling_interval=sampling)
        await _span(lambda: handler.values, seconds)


class Gaps:
    """What is missing between the values of tags that each count up by one, over all tags; NaN is no value."""

    def __init__(self, tags: int) -> None:
        self._last = np.full(tags, np.nan)
        self.lost = 0

    def take(self, batch: Batch) -> None:
        """The next values, in turn."""
        order = np.argsort(batch.index, kind="stable")
        index, value = batch.index[order], batch.value[order]
        first = np.diff(index, prepend=-1) != 0
        before = np.where(first, self._last[index], np.roll(value, 1))
        step = np.abs(value - before - 1)
        self.lost += int(step[np.isfinite(step)].sum())
        self._last[index] = value


async def ours(
    url: str, tags: int, nodes: int, every_s: float, seconds: float, take: Callable[[Batch], None] | None = None
) -> None:
    """Our driver, acknowledging every batch as the agent does."""
    tag = [{"name": f"t{n}", "node": f"s=t{n % nodes}", "every": f"{every_s * 1000:g}ms"} for n in range(tags)]
    table = {"name": "bench", "driver": "opcua", "url": url, "namespace": NAMESPACE, "security": "none"}
    driver = create(device_type("opcua").model_validate(table | {"timeout": "60s", "tag": tag}))
    values = 0

    async def read() -> None:
        nonlocal values
        while True:
            batch = await driver.read()
            values += len(batch.index)
            if take is not None:
                take(batch)
            await driver.acknowledge(batch.token)

    await driver.connect(driver.device.tags)
    reading = asyncio.create_task(read())
    await _span(lambda: values, seconds)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await driver.close()


async def complete(url: str, tags: int, nodes: int, every_s: float, seconds: float) -> None:
    """Our driver at half the time between two counts, so that the server misses none; what was lost of them."""
    gaps = Gaps(tags)
    await ours(url, tags, nodes, every_s / 2, seconds, gaps.take)
    print(json.dumps({"event": "lost", "values": gaps.lost}), flush=True)


async def _span(count: Callable[[], int], seconds: float) -> None:
    """Wait until values flow and settle, then tell what a span of so many seconds cost and brought."""
    while not count():  # noqa: ASYNC110 - a counter of a library's callbacks
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_S)
    cpu, wall, values = time.process_time(), time.monotonic(), count()
    await asyncio.sleep(seconds)
    cost, took, brought = time.process_time() - cpu, time.monotonic() - wall, count() - values
    print(json.dumps({"event": "done", "cpu": cost, "seconds": took, "values": brought}), flush=True)


if __name__ == "__main__":
    who, where, *rest = sys.argv[1:]
    run = {"ours": ours, "complete": complete, "callbacks": callbacks}[who]
    asyncio.run(run(where, int(rest[0]), int(rest[1]), int(rest[2]) / 1000, float(rest[3])))
