"""The line file by way of the panel: checked, compared, applied, kept, brought back."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent.configuration.revisions import KEPT, Revisions, digest
from agent.linefile import load
from gateway.panel.linefile import LONGEST, RefusedError
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_bench import TEXT, revisions, sample_bench
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView

FASTER = TEXT.replace("200ms", "100ms")
JSON = {"content-type": "application/json"}
BY = ("u1", "engineer")


@dataclass
class Rig:
    client: httpx.AsyncClient
    view: SampleView
    path: Path
    ident: str

    async def put(self, text: str, seen: str) -> httpx.Response:
        return await self.client.put("/api/v1/linefile", json={"text": text, "seen": seen})


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """An engineer at a panel over a real line file."""
    known, view = people(tmp_path / "access"), SampleView(tmp_path)
    async with (
        serving(create(LINE, view, access=known.access, bench=sample_bench(tmp_path))) as address,
        httpx.AsyncClient(
            base_url=f"http://{address}", headers=known.headers(Role.ENGINEER), trust_env=False
        ) as client,
    ):
        yield Rig(client, view, tmp_path / "line.toml", known.ids[Role.ENGINEER])


async def test_an_edit_is_checked_compared_applied_and_recorded(rig: Rig) -> None:
    told = (await rig.client.get("/api/v1/linefile")).json()
    assert (told["text"], told["digest"], told["running"]) == (TEXT, digest(TEXT), digest(TEXT))
    said = (await rig.client.post("/api/v1/linefile/check", json={"text": FASTER})).json()
    assert said["mistakes"] == []
    assert said["changes"] == [{"kind": "tag", "name": "press1.light", "change": "changed", "keys": ["every"]}]
    assert [how for how, _ in said["diff"] if how in "+-"] == ["-", "+"]
    assert rig.path.read_text() == TEXT
    done = await rig.put(FASTER, told["digest"])
    assert (done.status_code, done.json()["number"], done.json()["by"]) == (200, 2, rig.ident)
    assert rig.path.read_text() == FASTER
    (audited,) = rig.view.audited
    assert audited[:3] == ("linefile_applied", rig.ident, "engineer")
    assert audited[3] == f"version 2 sha256 {digest(FASTER)[:12]} 0 added, 0 removed, 1 changed"
    now = (await rig.client.get("/api/v1/linefile")).json()
    assert now["running"] == digest(TEXT)  # in effect at the next start
    assert [(one["number"], one["by"]) for one in now["versions"]] == [(2, rig.ident), (1, "")]
    assert (await rig.client.get("/api/v1/linefile/versions/1")).json()["text"] == TEXT
    assert (await rig.client.get("/api/v1/linefile/versions/3")).status_code == 404


async def test_every_mistake_is_told_on_its_own_and_nothing_is_written(rig: Rig) -> None:
    wrong = TEXT.replace('takt = "17s"', 'takt = "soon"').replace("press1.good", "press1.god").replace("HR100", "XR100")
    said = (await rig.client.post("/api/v1/linefile/check", json={"text": wrong})).json()
    assert [place for place, _ in said["mistakes"]] == ["takt", "device press1, tag good"]
    assert said["changes"] == []
    refused = await rig.put(wrong, digest(TEXT))
    assert refused.status_code == 422
    assert "takt" in refused.json()["detail"]
    assert (rig.path.read_text(), rig.view.audited) == (TEXT, [])


async def test_two_engineers_do_not_overwrite_each_other(rig: Rig) -> None:
    assert (await rig.put(FASTER, digest(TEXT))).status_code == 200
    late = await rig.put(TEXT.replace("17s", "18s"), digest(TEXT))
    assert (late.status_code, rig.path.read_text()) == (409, FASTER)
    assert "somebody changed" in late.json()["detail"]


@pytest.mark.parametrize("text", ["[" * 100_000, "a = 1\n" * 3, "\x00", "﻿", "x" * 1000, '"' * 999, "device = 7"])
async def test_whatever_is_sent_is_a_mistake_and_no_failure(rig: Rig, text: str) -> None:
    said = await rig.client.post("/api/v1/linefile/check", json={"text": text})
    assert said.status_code == 200
    assert said.json()["mistakes"]


async def test_a_long_line_file_has_room_and_an_endless_one_has_not(rig: Rig) -> None:
    long = TEXT + "# note\n" * 20_000
    assert (await rig.client.post("/api/v1/linefile/check", json={"text": long})).json()["mistakes"] == []
    endless = await rig.client.post("/api/v1/linefile/check", json={"text": "#" * LONGEST})
    assert endless.status_code == 413
    assert (await rig.client.post("/api/v1/stops/1", json={"reason": "x" * (1 << 17), "seen": 0})).status_code == 413
    half = await rig.client.post("/api/v1/linefile/check", content='{"text": "\\ud800"}', headers=JSON)
    assert half.status_code == 422


def test_any_kept_version_comes_back_and_the_oldest_go(tmp_path: Path) -> None:
    desk, before = revisions(tmp_path), TEXT
    texts = [TEXT.replace("17s", f"{takt}s") for takt in range(20, 20 + KEPT + 3)]
    for text in texts:
        desk.apply(text, digest(before), *BY)
        before = text
    stand = desk.stand()
    assert [one.number for one in stand.versions] == list(range(KEPT + 4, 4, -1))
    assert desk.version(3) is None
    oldest = desk.version(5)
    assert oldest == texts[3]
    desk.apply(oldest, stand.digest, *BY)
    assert load(tmp_path / "line.toml").takt == 23.0


def test_an_edit_past_the_panel_is_kept_before_it_is_replaced(tmp_path: Path) -> None:
    desk, path = revisions(tmp_path), tmp_path / "line.toml"
    desk.apply(FASTER, digest(TEXT), *BY)
    path.write_text(FASTER + "# by hand\n")
    desk.apply(TEXT, digest(FASTER + "# by hand\n"), *BY)
    assert [(one.number, one.by) for one in desk.stand().versions] == [(4, "u1"), (3, ""), (2, "u1"), (1, "")]
    assert desk.version(3) == FASTER + "# by hand\n"


def test_who_may_read_the_file_stays_and_versions_are_ours_alone(tmp_path: Path) -> None:
    desk, path = revisions(tmp_path), tmp_path / "line.toml"
    path.chmod(0o640)
    desk.apply(FASTER, digest(TEXT), *BY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    kept = tmp_path / "data" / "linefile"
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept.iterdir()} == {0o600}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert list(tmp_path.glob(".*")) == []


def test_a_file_that_cannot_be_replaced_stays_and_says_what_to_do(tmp_path: Path) -> None:
    desk, path = revisions(tmp_path), tmp_path / "line.toml"
    (tmp_path / f".line.toml.{os.getpid()}.new").mkdir()  # what stands in the way of the new file
    with pytest.raises(RefusedError, match="StateDirectory"):
        desk.apply(FASTER, digest(TEXT), *BY)
    assert path.read_text() == TEXT
    assert [one.number for one in desk.stand().versions] == [1]


def test_a_dry_run_names_what_is_added_removed_and_changed(tmp_path: Path) -> None:
    desk: Revisions = revisions(tmp_path)
    edited = TEXT.replace('  { name = "good", address = "HR100", datatype = "u16" },\n', "").replace(
        'good = "press1.good"\n', ""
    ).replace('takt = "17s"', 'takt = "18s"') + (
        '\n[[device]]\nname = "oven1"\ndriver = "modbus"\nhost = "127.0.0.2"\n'
        'tag = [{ name = "heat", address = "HR1", datatype = "f32", unit = "Cel" }]\n'
    )
    said = desk.check(edited)
    assert said.mistakes == ()
    assert [(one.kind, one.name, one.change, one.keys) for one in said.changes] == [
        ("line", "", "changed", ("takt",)),
        ("device", "oven1", "added", ()),
        ("tag", "press1.good", "removed", ()),
        ("tag", "oven1.heat", "added", ()),
        ("machine", "press1", "changed", ("good",)),
    ]
