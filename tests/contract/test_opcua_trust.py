"""A server is believed when a person accepted its certificate, and as long as that is its own and holds."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from agent import cli
from agent.linefile import load
from agent.model import Origin
from drivers.catalog import create
from drivers.contract import Bookmark, Driver, MisconfiguredError, UntrustedError
from drivers.opcua import pki
from drivers.opcua.examine import own, wrong
from tests.contract.twins import NAMES, START_MS, OpcuaTwin, Tap, keys, opcua_services

GET_ENDPOINTS = 428
TABLE = """
site = "s"
area = "a"
line = "l"
takt = "1s"
timezone = "UTC"
[[shift]]
name = "day"
from = "00:00"
to = "12:00"
[[device]]
name = "plc"
driver = "opcua"
url = "{url}"
namespace = "urn:x"
server_host = "localhost"
tag = [{{ name = "light", node = "s=light", datatype = "u16" }}]
[[machine]]
name = "press1"
state = {{ tag = "plc.light", executing = [4] }}
"""


@asynccontextmanager
async def opened(twin: OpcuaTwin, port: int, folder: Path, **changes: Any) -> AsyncIterator[tuple[Driver[Any], Origin]]:
    own = {"security": "sign_and_encrypt", "pki": str(folder), "server_host": "localhost", "timeout": "5s"}
    driver = create(twin.device(port, **(own | changes)))
    try:
        yield driver, await driver.connect(driver.device.tags)
    finally:
        await driver.close()


async def refused(twin: OpcuaTwin, port: int, folder: Path, words: str, **changes: Any) -> None:
    with pytest.raises(UntrustedError, match=words):
        async with opened(twin, port, folder, **changes):
            pass


async def test_a_server_is_refused_until_a_person_accepts_what_is_pending(
    opcua: OpcuaTwin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Tap(opcua.port) as tap:
        file, folder = tmp_path / "line.toml", tmp_path / "pki"
        file.write_text(TABLE.format(url=f"opc.tcp://127.0.0.1:{tap.port}/"))
        assert load(file).devices[0].pki == folder  # type: ignore[attr-defined]  # beside the line file, wherever we are
        await refused(opcua, tap.port, folder, "nobody has accepted.*tanchang trust accept")
        assert {number for number, _ in opcua_services(tap.sent)} == {GET_ENDPOINTS}
        (pending,) = pki.entries(folder, pki.PENDING)
        assert cli.main(["trust", "list", str(file)]) == 0
        listed = capsys.readouterr().out
        assert pending.thumbprint in listed
        assert pending.sha1 in listed
        assert cli.main(["trust", "accept", str(file), "0" * 64]) == 1
        assert cli.main(["trust", "accept", str(file), pending.thumbprint[:12]]) == 0
        assert pki.entries(folder, pki.PENDING) == []
        async with opened(opcua, tap.port, folder) as (driver, _):
            assert len((await driver.read()).index) == len(NAMES)
        assert cli.main(["trust", "remove", str(file), pending.thumbprint]) == 0
        await refused(opcua, tap.port, folder, "nobody has accepted")


@pytest.fixture
async def trusted(opcua: OpcuaTwin, tmp_path: Path) -> Path:
    """A folder that trusts the server under test."""
    certificate = (opcua.folder / "server.der").read_bytes()
    pki.keep(tmp_path, pki.TRUSTED, pki.shown(f"opc.tcp://127.0.0.1:{opcua.port}/", certificate))
    return tmp_path


async def test_an_accepted_certificate_is_refused_once_it_has_expired(
    opcua: OpcuaTwin, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = pki.instant() + timedelta(days=40_000)
    monkeypatch.setattr(pki, "instant", lambda: later)
    own = dict(zip(("certificate", "private_key"), map(str, await keys(trusted, "client")), strict=True))
    await refused(opcua, opcua.port, trusted, "expired on 2.*renew", **own)


async def test_of_a_chain_of_certificates_the_servers_own_is_believed(
    opcua: OpcuaTwin, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = (await keys(trusted, "authority"))[0].read_bytes()
    endpoints = [one for one in opcua.server.iserver.endpoints if one.ServerCertificate]
    assert endpoints
    for one in endpoints:
        monkeypatch.setattr(one, "ServerCertificate", bytes(one.ServerCertificate) + authority)
    async with opened(opcua, opcua.port, trusted) as (driver, _):
        assert len((await driver.read()).index) == len(NAMES)


@given(st.binary(max_size=400), st.binary(max_size=40))
def test_the_first_of_a_chain_is_cut_where_it_ends_and_what_is_none_does_no_harm(body: bytes, rest: bytes) -> None:
    size = len(body).to_bytes(2)
    head = bytes([0x30, len(body)]) if len(body) < 0x80 else b"\x30\x82" + size
    assert own(head + body + rest) == head + body
    assert own(body) == body[: len(own(body))]


async def test_an_accepted_certificate_of_another_host_is_refused(opcua: OpcuaTwin, trusted: Path) -> None:
    await refused(opcua, opcua.port, trusted, r"another host \(localhost\), not for 127.0.0.1", server_host=None)


async def test_a_certificate_in_place_of_the_accepted_one_is_refused_as_swapped(
    opcua: OpcuaTwin, tmp_path: Path
) -> None:
    certificate, _ = await keys(tmp_path, "before")
    url = f"opc.tcp://127.0.0.1:{opcua.port}/"
    pki.keep(tmp_path, pki.TRUSTED, pki.shown(url, certificate.read_bytes()))
    await refused(opcua, opcua.port, tmp_path, "another certificate than the accepted one")
    (pending,) = pki.entries(tmp_path, pki.PENDING)
    pki.accept(tmp_path, pending.thumbprint)
    assert [one.thumbprint for one in pki.entries(tmp_path, pki.TRUSTED)] == [pending.thumbprint]


def test_a_certificate_that_is_none_or_somebody_elses_says_so() -> None:
    now = pki.instant()
    certificate, _ = pki._made("plc3", now)
    assert wrong(certificate, "plc3", "urn:plc3:tanchang", now) is None
    assert wrong(certificate, "PLC3", None, now) is None
    assert "calls itself urn:other" in (wrong(certificate, "plc3", "urn:other", now) or "")
    assert "not valid before" in (wrong(certificate, "plc3", None, now - timedelta(days=9)) or "")
    assert "no certificate" in (wrong(certificate[:-9], "plc3", None, now) or "")
    addressed, _ = pki._made("10.0.0.7", now)
    assert wrong(addressed, "10.0.0.7", None, now) is None
    assert "another host (10.0.0.7)" in (wrong(addressed, "10.0.0.8", None, now) or "")


def test_our_certificate_is_made_once_and_its_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    certificate, key = pki.own(tmp_path, "gateway3", pki.instant())
    again = pki.own(tmp_path, "gateway3", pki.instant())
    assert again == (certificate, key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    names = x509.load_der_x509_certificate(certificate.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:gateway3:tanchang"]
    assert names.value.get_values_for_type(x509.DNSName) == ["gateway3"]


class OnlyOne(UserManager):
    """Lets in one user by password, one by certificate, nobody else."""

    def __init__(self, certificate: bytes) -> None:
        self.certificate = certificate

    def get_user(self, _server, username=None, password=None, certificate=None):
        by_word = (username, password) == ("line3", "geheim")
        by_key = username is None and certificate == self.certificate
        return User(role=UserRole.User) if by_word or by_key else None


@pytest.fixture
async def users(opcua: OpcuaTwin, tmp_path: Path) -> AsyncIterator[dict[str, dict[str, str]]]:
    """The keys of a device table for the two users whom the server lets in."""
    certificate, key = await keys(tmp_path, "user")
    (tmp_path / "password").write_text("geheim\n")
    before = opcua.server.iserver.user_manager
    opcua.server.iserver.user_manager = OnlyOne(certificate.read_bytes())
    yield {
        "password": {"username": "line3", "password_file": str(tmp_path / "password")},
        "certificate": {"user_certificate": str(certificate), "user_private_key": str(key)},
    }
    opcua.server.iserver.user_manager = before


@pytest.mark.parametrize("kind", ["password", "certificate"])
async def test_a_session_is_its_users(
    opcua: OpcuaTwin, trusted: Path, users: dict[str, dict[str, str]], kind: str
) -> None:
    async with opened(opcua, opcua.port, trusted, **users[kind]) as (driver, _):
        assert len((await driver.read()).index) == len(NAMES)


@pytest.mark.parametrize("kind", ["nobody", "password", "certificate"])
async def test_a_user_whom_the_server_does_not_let_in_is_not_tried_until_it_is_locked_out(
    opcua: OpcuaTwin, trusted: Path, users: dict[str, dict[str, str]], kind: str
) -> None:
    (trusted / "password").write_text("falsch")
    if kind == "certificate":
        certificate, key = await keys(trusted, "stranger")
        users[kind] = {"user_certificate": str(certificate), "user_private_key": str(key)}
    with pytest.raises(MisconfiguredError, match="does not let"):
        async with opened(opcua, opcua.port, trusted, **users.get(kind, {})):
            pass


@pytest.mark.parametrize("kind", ["password", "certificate"])
async def test_an_earlier_process_is_gone_on_from_over_a_secured_link(
    opcua: OpcuaTwin, trusted: Path, users: dict[str, dict[str, str]], kind: str
) -> None:
    async with opened(opcua, opcua.port, trusted, **users[kind]) as (driver, _):
        first = await driver.read()
        assert driver.keep() is not None  # leaves at the server what a killed process leaves
        mark = first.mark
        assert mark is not None
        assert mark.whole is not None
    before = set(opcua.server.iserver.subscription_service.subscriptions)
    after = create(driver.device)
    after.resume(Bookmark(mark.whole, mark.place, [first], first.time))
    await opcua.write(clock=START_MS + 5, good=5)
    try:
        await after.connect(after.device.tags)
        restated = await after.read()
        assert restated.restated
        assert sorted(restated.index.tolist()) == list(range(len(NAMES)))
        assert restated.value[restated.index == 1].tolist() == [0]
        async with asyncio.timeout(20):
            while 5 not in (batch := await after.read()).value[batch.index == 1]:
                pass
        assert set(opcua.server.iserver.subscription_service.subscriptions) == before
    finally:
        await after.close()
