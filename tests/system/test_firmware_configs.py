"""What firmware_configs/ holds is executed, not decoration: the unit verifies, the broker starts and keeps its ACL."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.demo.stage import free_port

CONFIGS = Path(__file__).parents[2] / "firmware_configs"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_the_systemd_unit_verifies(tmp_path: Path) -> None:
    text = (CONFIGS / "gateways" / "systemd" / "tanchang.service").read_text(encoding="utf-8")
    unit = tmp_path / "tanchang.service"
    unit.write_text(text.replace("/opt/tanchang/bin/tanchang", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "tanchang.service" in line]
    assert (done.returncode, told) == (0, [])
    assert "exit code 2" not in text
    assert "RestartPreventExitStatus=2" in text


async def test_the_mosquitto_configuration_starts_and_keeps_its_access_list(tmp_path: Path) -> None:
    source = CONFIGS / "brokers" / "mosquitto"
    passwords, port = tmp_path / "passwd", free_port()
    await asyncio.to_thread(_write_passwords, passwords)
    text = (source / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 1883", f"listener {port}").replace("/etc/mosquitto/passwd", str(passwords))
    text = text.replace("/etc/mosquitto/acl", str(source / "acl")).replace("/var/lib/mosquitto/", f"{tmp_path}/")
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"{text}\nuser root\n", encoding="utf-8")
    mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    broker = await asyncio.create_subprocess_exec(mosquitto, "-c", str(config), stderr=asyncio.subprocess.PIPE)
    try:
        await _until_it_listens(port)
        await asyncio.to_thread(_check_access, port)
    finally:
        broker.terminate()
        await broker.wait()


def _write_passwords(path: Path) -> None:
    for user in ("agent", "hall", "public"):
        flags = ["-c"] if user == "agent" else []
        command = ["mosquitto_passwd", *flags, "-b", str(path), user, f"secret-{user}"]
        subprocess.run(command, check=True, capture_output=True)


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return


def _check_access(port: int) -> None:
    hall, public = "tanchang/v1/s/a/l/_line", "tanchang-public/v1/s/a/l/_line"
    for topic in (hall, public):
        _client("mosquitto_pub", port, "agent", topic, "-r", "-m", "1", "-q", "1")
    assert _client("mosquitto_sub", port, "hall", hall) == "1"
    assert _client("mosquitto_sub", port, "public", public) == "1"
    assert _client("mosquitto_sub", port, "public", hall) == ""
    anonymous = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", hall, "-C", "1", "-W", "1"]
    assert subprocess.run(anonymous, capture_output=True, check=False).returncode != 0


def _client(program: str, port: int, user: str, topic: str, *more: str) -> str:
    command = [program, "-h", "127.0.0.1", "-p", str(port), "-u", user, "-P", f"secret-{user}", "-t", topic, *more]
    command += ["-C", "1", "-W", "2"] if program == "mosquitto_sub" else []
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
