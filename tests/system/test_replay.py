"""A ledger told once more to a real broker: marked, in order, and counted by nobody twice."""

from __future__ import annotations

import asyncio
import json

import pytest

from agent.cli import main
from agent.ledger import Ledger, Reader
from agent.model import SECOND, Kind, Record
from gateway.broker import start_broker
from gateway.consumer import Consumer
from gateway.mqtt import Broker, Mqtt
from tests.system.test_ledger_damaged import WIRE

LINE = """
site = "foshan"
area = "appliances"
line = "cooker3"
takt = "17s"
"""


def fact(number):
    body = {"counter": "good", "delta": 1, "total": number, "epoch": 0, "raw": number, "note": None}
    return Record(Kind.COUNT, "press1", number * SECOND, body, simulated=True)


@pytest.fixture
async def folder(tmp_path):
    ledger = await Ledger.open(tmp_path / "data")
    await ledger.commit([fact(number) for number in range(1, 301)])
    await ledger.move_cursor("mqtt", 7)
    await ledger.close()
    (tmp_path / "line.toml").write_text(LINE, encoding="utf-8")
    return tmp_path


def replayed(folder, *more):
    return main(["replay", str(folder / "line.toml"), str(folder / "data"), *more])


async def test_a_stretch_is_told_again_in_order_and_marked_and_no_cursor_moves(folder, capsys):
    async with (
        start_broker(folder / "broker", "mosquitto") as running,
        Mqtt(Broker("127.0.0.1", running.port), "witness") as link,
    ):
        await link.subscribe("tanchang/v1/foshan/appliances/cooker3/+/+")
        span = ("--from", "1970-01-01T00:00:20Z", "--to", "1970-01-01T00:04:10Z")
        told = asyncio.to_thread(replayed, folder, *span, "--broker", f"127.0.0.1:{running.port}")
        assert await told == 0
        found = []
        async with asyncio.timeout(20):
            async for message in link.messages():
                found.append(json.loads(message.payload))
                if len(found) == 230:
                    break
    assert [one["seq"] for one in found] == list(range(20, 250))
    assert {one["replayed"] for one in found} == {True}
    for one in found:
        WIRE.validate(one)
    consumer = Consumer({found[0]["ledger"]: 249})
    assert {consumer.take(one) for one in found} == {"seen"}
    reader = Reader(folder / "data")
    assert reader.cursors() == {"mqtt": 7}
    reader.close()
    assert "230 records told again" in capsys.readouterr().out


async def test_what_cannot_be_told_is_said_with_what_to_do(folder, capsys):
    assert replayed(folder) == 2
    assert "name a broker with --broker" in capsys.readouterr().err
    assert replayed(folder, "--broker", "nowhere") == 2
    assert "write host:port" in capsys.readouterr().err
    assert replayed(folder, "--from", "yesterday", "--broker", "127.0.0.1:1") == 2
    assert "is no time" in capsys.readouterr().err
    assert await asyncio.to_thread(replayed, folder, "--broker", "127.0.0.1:1") == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
