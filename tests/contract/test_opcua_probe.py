"""`tanchang probe` looks at a secured server as the agent reads it: its certificate is accepted first."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from asyncua import ua

from agent.cli import main
from drivers.opcua import browse, pki, survey
from tests.contract.test_opcua_trust import OnlyOne
from tests.contract.twins import NAMES, OpcuaTwin, Twin

ROOT = Path(__file__).parents[2]
HEAD = 'site = "a"\narea = "b"\nline = "c"\ntakt = "17s"\n\n'
Probe = Callable[..., tuple[int, str, str]]


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Probe:
    """The command in a folder of its own: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        return main(["probe", *words]), *capsys.readouterr()

    return run


@pytest.fixture
def twin(servers: dict[str, Twin]) -> OpcuaTwin:
    return cast("OpcuaTwin", servers["opcua"])


@pytest.fixture
def url(twin: OpcuaTwin) -> str:
    return f"opc.tcp://localhost:{twin.port}/"  # the host of its certificate


def table(tables: str) -> dict[str, Any]:
    """The one device table, once `tanchang check --live` has read what it names through the agent's own driver."""
    Path("line.toml").write_text(HEAD + tables, encoding="utf-8")
    assert main(["check", "line.toml", "--live"]) == 0
    (device,) = tomllib.loads(tables)["device"]
    return dict(device)


def suggested(told: str) -> list[str]:
    """The words after `tanchang probe` of the command that the last line says."""
    words = shlex.split(told.splitlines()[-1])
    assert words[:2] == ["tanchang", "probe"]
    return words[2:]


def test_other_servers_that_a_server_knows_of_are_told(
    probe: Probe, twin: OpcuaTwin, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = twin.server.iserver
    monkeypatch.setattr(inside, "_known_servers", dict(inside._known_servers))
    names = [ua.LocalizedText("Kepware")]
    inside.register_server(
        ua.RegisteredServer(
            ServerUri="urn:hall:kepware", ServerNames=names, DiscoveryUrls=["opc.tcp://192.168.10.20:49320"]
        )
    )
    _, _, told = probe(url)
    lines = told.splitlines()
    start = lines.index("other servers that it knows of:")
    assert lines[start + 1] == "  opc.tcp://192.168.10.20:49320  Kepware"
    assert lines[start + 2].startswith("certificate: ")


def test_an_unknown_server_is_shown_and_pending_and_the_command_to_run_next_looks_at_it(
    probe: Probe, twin: OpcuaTwin, url: str, tmp_path: Path
) -> None:
    code, out, told = probe(url, "--name", "cell1")
    assert (code, out) == (1, "")
    one = pki.shown(url, (twin.folder / "server.der").read_bytes())
    assert "  Aes256_Sha256_RsaPss SignAndEncrypt: Anonymous, " in told
    assert "  None None: Anonymous, " in told
    assert f"certificate: {one.subject}, from {one.not_before[:10]} until {one.not_after[:10]}\n" in told
    assert f"  hosts   localhost\n  SHA-256 {one.thumbprint}\n  SHA-1   {one.sha1}\n" in told
    assert "nobody has accepted yet; it is pending in pki" in told
    assert pki.entries(tmp_path / "pki", pki.PENDING) == [one]
    words = suggested(told)
    assert words == [url, "--name", "cell1", "--server-thumbprint", one.thumbprint]
    code, out, told = probe(*words)
    assert code == 0, told
    device = table(out)
    assert (device["name"], device["security"]) == ("cell1", "sign_and_encrypt")
    assert device["server_thumbprint"] == one.thumbprint
    assert {tag["node"] for tag in device["tag"]} >= {f"s={name}" for name in NAMES if name != "absent"}
    assert pki.entries(tmp_path / "pki", pki.TRUSTED) == [], "a look accepts nothing"


def test_a_server_that_is_accepted_in_the_folder_is_looked_at_without_more_words(probe: Probe, url: str) -> None:
    assert probe(url, "--pki", "keys")[0] == 1
    (pending,) = pki.entries(Path("keys"), pki.PENDING)
    tag = 'tag = [{ name = "a", node = "ns=1;s=a" }]\n'
    Path("line.toml").write_text(f'{HEAD}[[device]]\nname = "a"\ndriver = "opcua"\nurl = "{url}"\npki = "keys"\n{tag}')
    assert main(["trust", "accept", "line.toml", pending.thumbprint]) == 0
    code, out, told = probe(url, "--pki", "keys")
    assert code == 0, told
    assert "keys holds our certificate, and those of accepted servers" in out
    device = table(out)
    assert (device["pki"], "server_thumbprint" in device) == ("keys", False)


def test_another_host_another_certificate_and_an_expired_one_are_refused_in_words(
    probe: Probe, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered = url.replace("localhost", "127.0.0.1")
    code, out, told = probe(numbered)
    assert (code, out) == (1, "")
    assert "another host (localhost), not for 127.0.0.1" in told
    assert not Path("pki", "pending").exists()
    code, out, told = probe(numbered, "--server-host", "localhost")
    assert suggested(told)[-2:] == ["--server-host", "localhost"]
    code, out, told = probe(url, "--server-thumbprint", "0" * 64)
    assert (code, out) == (1, "")
    assert "not the pinned one" in told
    later = pki.instant() + timedelta(days=40_000)
    monkeypatch.setattr(pki, "instant", lambda: later)
    code, out, told = probe(url)
    assert (code, out) == (1, "")
    assert "expired on 2" in told
    assert "renew it there" in told


@pytest.fixture
def pin(twin: OpcuaTwin, url: str) -> list[str]:
    """The words by which the server is believed."""
    return [url, "--server-thumbprint", pki.shown(url, (twin.folder / "server.der").read_bytes()).thumbprint]


def test_a_user_is_let_in_by_the_password_of_a_file_and_nobody_else(
    probe: Probe, twin: OpcuaTwin, pin: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin.server.iserver, "user_manager", OnlyOne(b""))
    Path("password").write_text("falsch\n")
    who = ["--username", "line3", "--password-file", "password"]
    for words, name in ((who, "line3"), ([], "anybody unnamed")):
        code, out, told = probe(*pin, *words)
        assert (code, out) == (1, "")
        assert f"does not let {name} in" in told
        assert "correct username and password_file" in told
    Path("password").write_text("geheim\n")
    code, out, told = probe(*pin, *who)
    assert code == 0, told
    device = table(out)
    assert (device["username"], device["password_file"]) == ("line3", "password")
    assert "geheim" not in out + told


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_call(probe: Probe, pin: list[str]) -> None:
    code, out, told = probe(*pin, "--username", "line3", "--password-file", "absent")
    assert (code, out) == (2, "")
    assert "absent cannot be read (No such file or directory); correct the path" in told


def test_an_unsecured_look_is_asked_for_and_said_in_the_table(probe: Probe, url: str) -> None:
    code, out, told = probe(url, "--security", "none")
    assert code == 0, told
    assert "anybody in this network can read and forge all values" in out
    assert table(out)["security"] == "none"
    assert not Path("pki").exists()


class Node:
    """A secured node-opcua server, which trusts nobody yet."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = self._told("port")

    def trust(self) -> int:
        """What somebody does at the server: trust the clients that it rejected. How many there were."""
        assert self._process.stdin is not None
        self._process.stdin.write("trust\n")
        self._process.stdin.flush()
        return self._told("trusted")

    def _told(self, name: str) -> int:
        assert self._process.stdout is not None
        return next(int(json.loads(line)[name]) for line in self._process.stdout if line.startswith("{"))


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("node")
    command = ["node", "tests/peers/counting_opcua.js", str(folder), "1", "0", "100", "secured"]
    pipe = subprocess.PIPE
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, cwd=ROOT, text=True) as process,
    ):
        try:
            yield Node(process)
        finally:
            process.kill()


def test_a_node_opcua_server_is_looked_at_once_each_side_has_accepted_the_other(
    probe: Probe, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"opc.tcp://127.0.0.1:{node.port}/"
    code, _, told = probe(address, "--security", "none")
    assert code == 1
    assert "offers no unsecured endpoint; leave --security none out" in told
    assert "  Basic256Sha256 SignAndEncrypt: UserName, Certificate\n" in told
    hosts = next(line for line in told.splitlines() if line.startswith("  hosts")).split(maxsplit=1)[1].split(", ")
    code, _, told = probe(address, "--server-host", hosts[0])
    assert code == 1
    words = suggested(told)
    code, _, told = probe(*words)
    assert code == 1
    ours = pki.ours(Path("pki"), None)
    assert ours is not None
    assert f"accept our certificate there, {ours.subject} with SHA-1 thumbprint {ours.sha1}" in told
    assert node.trust() == 1
    Path("password").write_text("falsch")
    who = ["--username", "line3", "--password-file", "password"]
    code, _, told = probe(*words, *who)
    assert code == 1
    assert "does not let line3 in" in told
    Path("password").write_text("geheim")
    code, out, told = probe(*words, *who)
    assert code == 0, told
    assert "NodeOPCUA" in told
    device = table(out)
    assert (device["server_host"], device["namespace"]) == (hosts[0], "urn:tanchang:counting")
    assert [tag["name"] for tag in device["tag"]] == ["light", "good", "serial", "check"]
    monkeypatch.setattr(survey, "below", partial(browse.below, most=2))  # a server that answers in parts
    _, out, told = probe(*words, *who)
    assert out, told
    assert tomllib.loads(out)["device"] == [device]


def test_called_from_a_shell_it_says_its_own_words_and_no_librarys(pin: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent.cli", "probe", *pin, "--pki", str(tmp_path / "pki")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=50)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("endpoints, with the users that each takes:\n")
    assert tomllib.loads(done.stdout)["device"][0]["url"] == pin[0]
