"""Real brokers, started and ended by us, spoken to through our own adapter."""

import asyncio
import os
import signal
import socket
from contextlib import suppress

import pytest

from gateway.broker import NoBrokerError, program, start_broker
from gateway.mqtt import Broker, Message, Mqtt, MqttError, TakenError

KINDS = [("mosquitto", 5), ("nats", 4)]


@pytest.fixture(params=KINDS, ids=[kind for kind, _ in KINDS])
async def running(request, tmp_path):
    kind, version = request.param
    if program(kind) is None:
        pytest.skip(f"no {kind} here")
    async with start_broker(tmp_path / "broker", kind) as broker:
        yield broker, version


async def test_a_message_makes_the_round_trip_in_the_newest_version_the_broker_speaks(running):
    broker, version = running
    async with Mqtt(Broker(broker.host, broker.port), "tc-test") as link:
        assert (broker.kind, link.version) in KINDS
        assert link.version == version
        await link.subscribe("tanchang/v1/s/a/l/+/_count")
        sent = [Message("tanchang/v1/s/a/l/press1/_count", f"{n}".encode()) for n in range(50)]
        await asyncio.gather(*(link.publish(one.topic, one.payload) for one in sent))
        messages = link.messages()
        assert [await anext(messages) for _ in sent] == sent


async def test_a_retained_message_greets_who_comes_later(running):
    broker, _ = running
    where = Broker(broker.host, broker.port)
    async with Mqtt(where, "first") as link:
        await link.publish("tanchang/v1/s/a/l/_line", b"7", retain=True)
    async with Mqtt(where, "second") as link:
        await link.subscribe("tanchang/v1/s/a/l/#")
        assert await anext(link.messages()) == Message("tanchang/v1/s/a/l/_line", b"7", retain=True)


async def test_the_last_will_is_told_when_a_link_breaks_and_not_after_a_goodbye(running):
    broker, _ = running
    where = Broker(broker.host, broker.port)
    async with Mqtt(where, "watcher") as watcher:
        await watcher.subscribe("t/#")
        async with Mqtt(where, "polite", Message("t/will", b"polite gone")):
            pass
        broken = Mqtt(where, "broken", Message("t/will", b"broken gone"))
        async with broken:
            link = broken._client.socket()
            link.shutdown(socket.SHUT_RDWR)
            with pytest.raises(MqttError, match="lost"):
                await broken.lost()
        assert (await anext(watcher.messages())).payload == b"broken gone"


async def test_the_end_of_the_broker_fails_what_waits_with_a_remedy(tmp_path):
    async with start_broker(tmp_path) as broker, Mqtt(Broker(broker.host, broker.port), "tc") as link:
        waiting = asyncio.ensure_future(anext(link.messages()))
        os.kill(broker.pid, signal.SIGKILL)
        with pytest.raises(MqttError, match="lost"):
            await link.lost()
        with pytest.raises(MqttError, match="opened again by itself"):
            await waiting
        with pytest.raises(MqttError):
            await link.publish("t", b"")
        with pytest.raises(MqttError):
            await anext(link.messages())


async def test_nobody_at_the_address_says_what_to_correct():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        link = Mqtt(Broker("127.0.0.1", nobody.getsockname()[1]), "tc")
        with pytest.raises(MqttError, match="correct host and port"):
            await link.__aenter__()


async def test_a_server_that_is_no_broker_is_told_from_one_that_is_old():
    async def slam(_, writer):
        writer.close()

    async with await asyncio.start_server(slam, "127.0.0.1", 0) as server:
        link = Mqtt(Broker("127.0.0.1", server.sockets[0].getsockname()[1]), "tc")
        with pytest.raises(MqttError, match="closes the connection"):
            await link.__aenter__()


async def test_a_broker_that_says_that_the_client_id_is_taken_is_understood():
    async def give_away(reader, writer):
        await reader.read(1024)
        writer.write(bytes.fromhex("2003000000" + "e0018e"))  # CONNACK, DISCONNECT with reason 0x8E
        await writer.drain()
        with suppress(OSError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(give_away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TakenError, match="another client has the id tc"):
            async with Mqtt(Broker("127.0.0.1", port), "tc") as link:
                await link.lost()


async def test_a_silent_server_is_given_up_on(monkeypatch):
    monkeypatch.setattr("gateway.mqtt.CONNECT_S", 0.2)
    monkeypatch.setattr("gateway.mqtt.GOODBYE_S", 0.1)
    held = []

    async def hold(_, writer):
        held.append(writer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        link = Mqtt(Broker("127.0.0.1", server.sockets[0].getsockname()[1]), "tc")
        with pytest.raises(MqttError, match="no MQTT broker answers"):
            await link.__aenter__()
        for writer in held:
            writer.close()


async def test_a_password_never_travels_in_the_clear(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("x")
    link = Mqtt(Broker("192.0.2.1", 1883, "agent", secret), "tc")
    with pytest.raises(MqttError, match="TLS"):
        await link.__aenter__()


async def test_a_login_that_is_refused_names_the_settings(tmp_path):
    if program("mosquitto") is None:
        pytest.skip("no mosquitto here")
    (tmp_path / "password").write_text("wrong")
    async with start_broker(tmp_path, "mosquitto") as broker:
        settings = (tmp_path / "mosquitto.conf").read_text()
        strict = tmp_path / "strict"
        strict.mkdir()
        (strict / "strict.conf").write_text(
            settings.replace("allow_anonymous true", "allow_anonymous false").replace("persistence true", "")
        )
        assert broker.port
    process = await asyncio.create_subprocess_exec(
        program("mosquitto") or "mosquitto", "-c", str(strict / "strict.conf"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", broker.port)
                writer.close()
                break
        link = Mqtt(Broker("127.0.0.1", broker.port, "agent", tmp_path / "password"), "tc")
        with pytest.raises(MqttError, match="username and password_file"):
            await link.__aenter__()
    finally:
        process.kill()
        await process.wait()


async def test_a_client_id_some_broker_would_refuse_is_refused_at_once():
    with pytest.raises(ValueError, match="letters"):
        Mqtt(Broker("127.0.0.1"), "压力机")


async def test_a_broker_that_cannot_start_says_where_to_look(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NoBrokerError, match=r"broker\.log"):
            async with start_broker(tmp_path, "mosquitto", taken.getsockname()[1]):
                pass
