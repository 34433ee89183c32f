"""The tour server as a process of its own, fed by a real publisher through a real broker."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from gateway.broker import program, start_broker
from gateway.mqtt import Broker, Message, Mqtt, MqttError
from tests import tour_line as line

pytestmark = pytest.mark.skipif(program("mosquitto") is None, reason="mosquitto is not installed")


@asynccontextmanager
async def tour(port: int, *more: str) -> AsyncIterator[dict[str, Any]]:
    """A tour server; yields its ready line, and then holds it to a clean and silent end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.tour", "--broker", f"127.0.0.1:{port}", "--line", line.PATH),
        *("--listen", "127.0.0.1:0", *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    try:
        yield ready
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
    assert process.returncode == 0
    ready["said"] = said.decode()


@asynccontextmanager
async def publisher(port: int, messages: list[line.Message]) -> AsyncIterator[Mqtt]:
    """A publisher of retained messages that keeps the heartbeat going."""
    async with Mqtt(Broker("127.0.0.1", port), "publisher") as link:
        for topic, payload in line.wire(messages):
            await link.publish(topic, payload, retain=True)

        async def beat() -> None:
            with suppress(MqttError):
                while True:
                    await link.publish(*line.wire([line.heartbeat()])[0], retain=True)
                    await asyncio.sleep(0.5)

        beating = asyncio.create_task(beat())
        yield link
        beating.cancel()
        await asyncio.wait({beating})


class Screen:
    """A client that keeps the document as a page does."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.document: dict[str, Any] = {}
        self.kinds: list[str] = []

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        while not self.document or not holds(self.document):
            message = json.loads(await self.socket.recv())
            self.kinds.append(message["type"])
            self.document |= message.get("document", {})
        return self.document


def counts(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {machine["name"]: (machine["good"], machine["scrap"]) for machine in document["machines"]}


async def test_a_screen_shows_what_the_publisher_counted(tmp_path: Path) -> None:
    async with (
        start_broker(tmp_path, "mosquitto") as broker,
        publisher(broker.port, line.whole()),
        tour(broker.port) as ready,
        connect(ready["ws"]) as socket,
    ):
        screen = Screen(socket)
        document = await screen.until(lambda held: held["machines"] and counts(held) == line.COUNTS)
        assert screen.kinds[0] == "snapshot"
        assert document["marks"]["sim"]
        await screen.until(lambda held: not held["marks"]["stale"] and not held["marks"]["missed"])
        async with connect(ready["ws"]) as late:
            first = json.loads(await late.recv())
        assert first["type"] == "snapshot"
        assert counts(first["document"]) == line.COUNTS
    assert ready["said"] == ""


async def test_a_burst_reaches_a_screen_as_its_newest_state(tmp_path: Path) -> None:
    async with (
        start_broker(tmp_path, "mosquitto") as broker,
        publisher(broker.port, line.whole()) as link,
        tour(broker.port) as ready,
        connect(ready["ws"]) as socket,
    ):
        screen = Screen(socket)
        await screen.until(lambda held: held["machines"] and counts(held) == line.COUNTS)
        seen = len(screen.kinds)
        burst = []
        for good in range(1, 201):
            topic, payload = line.machine("press1", line.GOOD["press1"])[0]
            payload["value"]["good"] = good
            burst.append(link.send(Message(topic, json.dumps(payload).encode(), retain=True)))
        await asyncio.gather(*burst)
        await screen.until(lambda held: counts(held)["press1"] == (200, 12))
        assert len(screen.kinds) - seen < 50


async def test_a_lost_broker_turns_the_line_stale_and_its_return_heals_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as outer:
        async with start_broker(tmp_path / "one", "mosquitto") as broker, publisher(broker.port, line.whole(line.GOOD)):
            ready = await outer.enter_async_context(tour(broker.port))
            screen = Screen(await outer.enter_async_context(connect(ready["ws"])))
            await screen.until(lambda held: held["machines"] and not held["marks"]["missed"])
        document = await screen.until(lambda held: held["marks"]["stale"])
        assert {machine["word"] for machine in document["machines"]} == {"unknown"}
        async with (
            start_broker(tmp_path / "two", "mosquitto", broker.port),
            publisher(broker.port, line.whole(line.GOOD)),
        ):
            document = await screen.until(lambda held: not held["marks"]["stale"])
            assert {machine["word"] for machine in document["machines"]} == {"executing"}
    # One line a turn, however often it tried in between; whether it still hears of the broker's end is open.
    lost, back, *ended = ready["said"].splitlines()
    assert "is lost" in lost
    assert "is back" in back
    assert len(ended) <= 1
    assert all("is lost" in line for line in ended)


async def test_a_public_server_hears_the_public_tree_alone(tmp_path: Path) -> None:
    public = [(topic.replace("tanchang/v1", "tanchang-public/v1"), payload) for topic, payload in line.whole()]
    other = [line.machine("press1", line.GOOD["press1"])[0]]
    async with (
        start_broker(tmp_path, "mosquitto") as broker,
        publisher(broker.port, [*public, *other]),
        tour(broker.port, "--profile", "public", "--delay", "200ms") as ready,
        connect(ready["ws"]) as socket,
    ):
        document = await Screen(socket).until(lambda held: held["machines"])
        assert document["marks"]["delayed_s"] == 0.2
        assert document["machines"][1]["word"] == "stopped"
        assert "good" not in document["machines"][1]


async def test_wrong_arguments_are_told_with_a_remedy() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.tour", "--broker", "127.0.0.1:1", "--line", line.PATH, "--delay", "30"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert "write a time with its unit" in said.decode()
