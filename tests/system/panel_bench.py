"""An engineer's workbench as the panel may find it: what is measured is given, what lies on disk is real."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

from agent.certificates import Certificates
from agent.configuration.revisions import Revisions
from agent.explorer import Looks
from agent.linefile import load
from drivers.opcua import pki
from drivers.opcua.device import OpcuaDevice
from gateway.panel.explorer import Explorer, Level, Node, Place, Register
from gateway.panel.health import Clock, Disk, Health, Loop, Memory, Processor, Store
from gateway.panel.workbench import Workbench

GIB = 1 << 30
URL = "opc.tcp://127.0.0.1:4840/"
HEALTH = Health(
    time=1_763_620_325.0,
    machine_up_s=12.4 * 86_400,
    agent_up_s=9_000.0,
    processor=Processor(4, 37.5, 12.5),
    memory=Memory(4 * GIB, 3 * GIB, 150 << 20),
    disk=Disk(32 * GIB, 8 * GIB, GIB / 4, 32.0),
    clock=Clock(synchronised=True, offset_s=0.0003, error_s=0.012),
    ledger=Store(durable=True, bytes=GIB, limit=2 * GIB, commit_ms=42.5, worst_ms=211.4),
    loop=Loop(0.4, 18.2),
    versions={"tanchang": "0.1.0", "Python": "3.11.2"},
)
TEXT = """site = "foshan"
area = "appliances"
line = "cooker3"
takt = "17s"

[[device]]
name = "press1"
driver = "modbus"
host = "127.0.0.1"
tag = [
  { name = "good", address = "HR100", datatype = "u16" },
  { name = "light", address = "HR110", datatype = "u16", every = "200ms" },
]

[[machine]]
name = "press1"
good = "press1.good"
state = { tag = "press1.light", executing = [4] }
"""


def line_file(folder: Path, text: str = TEXT) -> Path:
    """A line file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "line.toml"
    path.write_text(text, encoding="utf-8")
    return path


def revisions(folder: Path, text: str = TEXT) -> Revisions:
    """The desk of an agent that was started with a line file in the folder."""
    path = line_file(folder, text)
    return Revisions(path, folder / "data" / "linefile", load(path))


def cell(folder: Path) -> OpcuaDevice:
    """A secured server of the line, with its folder of certificates."""
    return OpcuaDevice.model_validate(
        {"name": "cell1", "driver": "opcua", "url": URL, "pki": folder / "pki", "namespace": "urn:plant",
         "tag": [{"name": "good", "node": "s=good"}]}
    )  # fmt: skip


def showed(folder: Path, kind: str, days: int, url: str = URL) -> str:
    """A server showed a certificate that ends in so many days; its thumbprint."""
    start = pki.instant() - pki.LIFE + timedelta(days=days, hours=1)
    path, _ = pki.own(folder / f"server-{kind}-{days}", "plc1", start)
    one = pki.shown(url, path.read_bytes())
    pki.keep(folder / "pki", kind, one)
    return one.thumbprint


async def zipped() -> bytes:
    """A bundle of nothing."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("about.txt", "nothing")
    return made.getvalue()


def sample_bench(folder: Path, explorer: Explorer | None = None) -> Workbench:
    """Everything an engineer works with, in a folder of the test's."""
    return Workbench(
        lambda: HEALTH, revisions(folder), Certificates([cell(folder)]), explorer or Looks([cell(folder)]), zipped
    )


class Shown:
    """An explorer of one server with a folder and one unit with two registers."""

    def places(self) -> list[Place]:
        return [
            Place("cell1", "opcua", URL, "nodes"),
            Place("plc1", "modbus", "127.0.0.1:502 unit 1", "registers"),
            Place("meter1", "modbus", "/dev/ttyS0 unit 3", "", "its line carries one master"),
        ]

    async def nodes(self, device: str, node: str) -> Level:  # noqa: ARG002
        below = Node("ns=2;s=press1", "press1", is_variable=False, datatype=None, value="", tag="")
        tag = '  { name = "good", node = "s=press1.good" },'
        good = Node("ns=2;s=press1.good", "good", is_variable=True, datatype="u32", value="1052", tag=tag)
        return Level((good,) if node == below.node else (below,), more=False)

    async def registers(self, device: str, address: str, count: int) -> list[Register]:  # noqa: ARG002
        floats = {"ABCD": "20.5", "CDAB": "0", "BADC": "1", "DCBA": "2"}
        tags = {"u16": "HR6 as u16", "ABCD": "HR6 as f32", "CDAB": "", "BADC": "", "DCBA": ""}
        return [Register(address, 16804, 16804, floats, tags)]
