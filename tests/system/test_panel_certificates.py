"""Certificates by way of the panel: what is told of each, and that only a whole known thumbprint changes anything."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.certificates import Certificates
from drivers.opcua import pki
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_bench import URL, cell, sample_bench, showed
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView


@pytest.mark.parametrize(("days", "ends"), [(-2, True), (0, True), (29, True), (30, False), (400, False)])
def test_an_end_is_told_thirty_days_before(tmp_path: Path, days: int, ends: bool) -> None:
    print_ = showed(tmp_path, pki.TRUSTED, days)
    (one,) = Certificates([cell(tmp_path)]).certificates()
    assert (one.kind, one.thumbprint, one.days, one.ends) == ("trusted", print_, days, ends)
    assert (one.devices, one.url, one.subject) == (("cell1",), URL, "O=plc1,CN=tanchang")
    assert one.since < one.until


def test_a_server_that_is_no_device_any_more_is_told_without_one(tmp_path: Path) -> None:
    showed(tmp_path, pki.PENDING, 99, "opc.tcp://127.0.0.9:4840/")
    (one,) = Certificates([cell(tmp_path)]).certificates()
    assert one.devices == ()


def test_ours_is_told_whether_made_or_written_and_so_is_what_the_line_file_pins(tmp_path: Path) -> None:
    path, _ = pki.own(tmp_path / "pki", "gateway3", pki.instant())
    pem = tmp_path / "ours.pem"
    pem.write_bytes(x509.load_der_x509_certificate(path.read_bytes()).public_bytes(Encoding.PEM))
    written = cell(tmp_path).model_copy(update={"certificate": pem, "private_key": pem, "server_thumbprint": "AB" * 32})
    made, pinned = Certificates([cell(tmp_path)]).certificates(), Certificates([written]).certificates()
    assert [(one.kind, one.ends) for one in made] == [("own", False)]
    assert [one.kind for one in pinned] == ["pinned", "own"]
    assert pinned[0].thumbprint == "ab" * 32
    assert pinned[1].thumbprint == made[0].thumbprint


def test_unsecured_servers_have_none(tmp_path: Path) -> None:
    showed(tmp_path, pki.PENDING, 99)
    assert Certificates([cell(tmp_path).model_copy(update={"security": "none"})]).certificates() == []


async def test_only_a_whole_known_thumbprint_changes_anything(tmp_path: Path) -> None:
    known, view = people(tmp_path / "access"), SampleView(tmp_path)
    print_ = showed(tmp_path, pki.PENDING, 99)
    async with (
        serving(create(LINE, view, access=known.access, bench=sample_bench(tmp_path))) as address,
        httpx.AsyncClient(
            base_url=f"http://{address}/api/v1", headers=known.headers(Role.ENGINEER), trust_env=False
        ) as client,
    ):
        assert (await client.post(f"/certificates/{print_[:8]}")).status_code == 422
        assert (await client.post(f"/certificates/{'0' * 64}")).status_code == 404
        assert (await client.post(f"/certificates/{print_}", headers=known.headers(Role.OPERATOR))).status_code == 403
        assert view.audited == []
        assert (await client.post(f"/certificates/{print_}")).json()["servers"] == [URL]
        assert (await client.post(f"/certificates/{print_}")).status_code == 404
        assert [one[0] for one in view.audited] == ["certificate_accepted"]
        (tmp_path / "pki" / "pending" / "odd.json").write_text("{")
        told = await client.get("/certificates")
        assert (told.status_code, "odd.json" in told.json()["detail"]) == (409, True)
