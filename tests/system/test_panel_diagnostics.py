"""The diagnostics bundle of an agent's parts: it has what is needed, and nothing that was planted."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from pathlib import Path

import httpx

from agent.health.bundle import LONGEST, Bundler
from agent.health.logtail import LINES, tailing
from agent.ledger import Ledger
from agent.linefile import load
from agent.model import Kind, Record
from gateway.panel.roles import Role
from gateway.panel.server import create
from tests.system.panel_bench import HEALTH, TEXT, line_file, sample_bench
from tests.system.panel_people import NO_SECRET, people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, SampleView, at

SECRET = 'ladle "7" furnace'
MQTT = '[mqtt]\nhost = "127.0.0.1"\nusername = "planted-user"\npassword_file = "mqtt.password"\n\n'


def texts(made: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


async def test_nothing_that_was_planted_is_in_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "mqtt.password").write_text(SECRET)
    path = line_file(tmp_path, TEXT.replace("[[device]]", f"{MQTT}# {SECRET}, ask engineer one\n[[device]]", 1))
    data = tmp_path / "data"
    known, view = people(data / "access"), SampleView(tmp_path)
    key = next(one for one in (data / "access").iterdir() if one.suffix != ".json").read_text().strip()
    ledger = await Ledger.open(data)
    await ledger.commit(
        [Record(Kind.AUDIT, "", at("10:00"), {"event": "start", "version": "0.1.0", "detail": ""}, simulated=True)]
    )
    with tailing() as tail:
        logging.getLogger("agent").warning("refused %s, %s, engineer one: token=planted-token", SECRET, key)
        made = await Bundler(load(path), path, data, view, lambda: HEALTH, tail)()
    await ledger.close()
    found = texts(made)
    whole = "\n".join(found.values())
    planted = (SECRET, json.dumps(SECRET)[1:-1], key, "planted-user", "planted-token", "engineer one", NO_SECRET)
    assert [one for one in planted if one in whole] == []
    assert "[[device]]" in found["line.toml"]
    assert "password_file" in found["line.toml"]
    assert known.ids[Role.ENGINEER] in found["line.toml"]
    assert "refused" in found["log.txt"]
    assert "1 records, 0 violations" in found["ledger.txt"]
    assert json.loads(found["health.json"])["versions"] == HEALTH.versions
    assert len(json.loads(found["records.json"])) == min(500, len(view.history))
    assert {one["name"] for one in json.loads(found["devices.json"])} == {one.name for one in view.links}
    assert json.loads(found["faults.json"])["open"]


async def test_the_bundle_is_bounded(tmp_path: Path) -> None:
    path = line_file(tmp_path, TEXT + "# note\n" * 500_000)
    with tailing() as tail:
        for number in range(LINES + 10):
            logging.getLogger("agent").error("%s %s", number, "x" * 5000)
        bundler = Bundler(load(path), path, tmp_path / "data", SampleView(tmp_path), lambda: None, tail)
        found = texts(await bundler())
    assert max(map(len, found.values())) == LONGEST
    assert not found["log.txt"].splitlines()[0].startswith("0 ")
    assert "there is no ledger" in found["ledger.txt"]


async def test_who_takes_it_is_recorded(tmp_path: Path) -> None:
    known, view = people(tmp_path / "access"), SampleView(tmp_path)
    async with (
        serving(create(LINE, view, access=known.access, bench=sample_bench(tmp_path))) as address,
        httpx.AsyncClient(base_url=f"http://{address}/api/v1", trust_env=False) as client,
    ):
        reply = await client.post("/diagnostics", headers=known.headers(Role.ENGINEER))
        assert (reply.status_code, reply.headers["content-type"]) == (200, "application/zip")
        assert texts(reply.content) == {"about.txt": "nothing"}
        assert (await client.post("/diagnostics", headers=known.headers(Role.OPERATOR))).status_code == 403
        (audited,) = view.audited
        assert audited[:3] == ("diagnostics_taken", known.ids[Role.ENGINEER], "engineer")
