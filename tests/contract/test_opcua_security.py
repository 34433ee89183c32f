"""A secured link is secured, and goes to the pinned server alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from drivers.catalog import create
from drivers.contract import Device, MisconfiguredError, UntrustedError
from drivers.opcua import security
from tests.contract.twins import NAMES, OpcuaTwin, Tap, keys, opcua_services


async def secured(opcua: OpcuaTwin, port: int, folder: Path, **changes: str) -> Device:
    """A device table with keys of our own and the server's thumbprint."""
    certificate, key = await keys(folder, "client")
    thumbprint = hashlib.sha256((opcua.folder / "server.der").read_bytes()).hexdigest()
    own = {"certificate": str(certificate), "private_key": str(key), "server_thumbprint": thumbprint}
    own["server_host"] = "localhost"  # what its certificate says
    return opcua.device(port, security="sign_and_encrypt", **(own | changes))


async def test_a_pinned_server_is_read_and_nothing_can_be_read_on_the_way(opcua: OpcuaTwin, tmp_path: Path) -> None:
    async with Tap(opcua.port) as tap:
        driver = create(await secured(opcua, tap.port, tmp_path))
        await driver.connect(driver.device.tags)
        told = len(tap.sent)
        assert len((await driver.read()).index) == len(NAMES)
        await driver.close()
        assert len(tap.sent) > told
    async with Tap(opcua.port) as open_tap:
        plain = create(opcua.device(open_tap.port))
        await plain.connect(plain.device.tags)
        await plain.close()
    assert b"temperature" in open_tap.sent
    assert b"temperature" not in tap.sent


async def test_another_server_than_the_pinned_one_is_refused_before_a_session_is_asked_for(
    opcua: OpcuaTwin, tmp_path: Path
) -> None:
    async with Tap(opcua.port) as tap:
        driver = create(await secured(opcua, tap.port, tmp_path, server_thumbprint="0" * 64))
        with pytest.raises(UntrustedError, match="not the pinned one"):
            await driver.connect(driver.device.tags)
        await driver.close()
        assert [number for number, _ in opcua_services(tap.sent)] == [428]  # GetEndpoints


async def test_a_server_without_a_policy_we_trust_is_refused_and_none_is_never_fallen_back_to(
    opcua: OpcuaTwin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "POLICIES", {"urn:a-policy#OfTomorrow": None})
    driver = create(await secured(opcua, opcua.port, tmp_path))
    with pytest.raises(MisconfiguredError, match="switch one of OfTomorrow on"):
        await driver.connect(driver.device.tags)
    await driver.close()


async def test_a_key_file_that_is_not_there_is_named(opcua: OpcuaTwin, tmp_path: Path) -> None:
    driver = create(await secured(opcua, opcua.port, tmp_path, private_key=str(tmp_path / "absent.pem")))
    with pytest.raises(MisconfiguredError, match=r"absent\.pem cannot be read"):
        await driver.connect(driver.device.tags)
    await driver.close()
