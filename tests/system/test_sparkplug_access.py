"""An edge node under the access rules that are shipped: it may do what it must, and a host application may ask."""

import asyncio
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.demo.stage import free_port
from gateway.broker import program
from gateway.mqtt import Broker, Mqtt
from tests.system.sparkplug_rig import Log, Plant
from tests.system.uplink_rig import WatchedLedger

pytestmark = [
    pytest.mark.skipif(
        program("mosquitto") is None or shutil.which("mosquitto_passwd") is None, reason="needs mosquitto"
    ),
    pytest.mark.timeout(120),
]

ACL = Path(__file__).parents[2] / "firmware_configs" / "brokers" / "mosquitto" / "acl"


def login(folder, user):
    secret = folder / user
    secret.write_text(f"secret-{user}")
    flags = [] if (folder / "passwd").exists() else ["-c"]
    command = ["mosquitto_passwd", *flags, "-b", str(folder / "passwd"), user, f"secret-{user}"]
    subprocess.run(command, check=True, capture_output=True)
    return (user, secret)


@asynccontextmanager
async def guarded_broker(folder, port):
    """Mosquitto as an engineer sets it up, with the shipped access rules."""
    settings = folder / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {folder / 'passwd'}"]
    settings.write_text("\n".join([*lines, f"acl_file {ACL}", "user root", ""]))
    broker = await asyncio.create_subprocess_exec(
        program("mosquitto") or "", "-c", str(settings), stderr=subprocess.DEVNULL
    )
    try:
        yield broker
    finally:
        broker.terminate()
        await broker.wait()


async def test_a_host_application_hears_births_and_data_and_may_ask_for_a_rebirth(tmp_path):
    port = free_port()
    users = [await asyncio.to_thread(login, tmp_path, user) for user in ("agent", "scada")]
    ledger = await WatchedLedger.open(tmp_path / "ledger", group_s=0.002)
    plant = Plant(ledger, Log())
    plant.login = users[0]
    async with asyncio.timeout(100), plant.running(port):
        await plant.noted("+not_connected")
        async with guarded_broker(tmp_path, port):
            await plant.noted("-not_connected")
            async with Mqtt(Broker("127.0.0.1", port, *users[1]), "scada") as link:
                await link.subscribe("spBv1.0/#")
                await link.publish("spBv1.0/STATE/scada", b'{"online": true, "timestamp": 1}', retain=True)
                await plant.make("press1")
                heard = [one.topic.split("/")[2] async for one in _until(link, "DDATA")]
                assert {"NBIRTH", "DBIRTH", "DDATA"} <= set(heard)
                await link.publish("spBv1.0/foshan:appliances/NCMD/cooker3", b"")
                await plant.noted("+command_refused")
    await ledger.close()


async def _until(link, kind):
    """Messages up to the first of a kind."""
    async for message in link.messages():
        yield message
        if f"/{kind}/" in message.topic:
            return
