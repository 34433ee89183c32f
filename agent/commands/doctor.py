"""Examine an installation: what is here, what is wrong, what to do about it."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

SQLITE_WITHOUT_WAL_RESET_BUG = (3, 51, 3)
MACHINES = ("x86_64", "aarch64", "AMD64", "arm64")
FREE_BYTES = 4 << 30  # the ledger's default limit of 2 GiB, twice


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` is empty where all is well."""

    what: str
    found: str
    remedy: str = ""

    @property
    def wrong(self) -> bool:
        """Whether somebody should do something."""
        return bool(self.remedy)

    def __str__(self) -> str:
        mark = "!!" if self.wrong else "ok"
        return f"{mark}  {self.what}: {self.found}" + (f". {self.remedy}" if self.remedy else "")


def examine() -> list[Finding]:
    """Every finding, in the order a person would look."""
    return [_python(), _machine(), _sqlite(), *_collisions(), *_models(), _broker(), _disk()]


def _python() -> Finding:
    wrong = sys.version_info < (3, 11)
    return Finding("Python", platform.python_version(), "Install Python 3.11 or newer" if wrong else "")


def _machine() -> Finding:
    machine = platform.machine()
    remedy = "" if machine in MACHINES else "Use a 64-bit system: numpy and onnxruntime have no wheels for this one"
    return Finding("processor", machine, remedy)


def _sqlite() -> Finding:
    version = ".".join(metadata.version("apsw").split(".")[:3])  # apsw is numbered after the SQLite it carries
    old = tuple(int(part) for part in version.split(".")) < SQLITE_WITHOUT_WAL_RESET_BUG
    return Finding("SQLite of the ledger", version, "Update apsw: before 3.51.3 a WAL can be corrupted" if old else "")


def _collisions() -> Iterator[Finding]:
    owners = metadata.packages_distributions()
    for package in ("agent", "drivers", "inference", "gateway", "simulators"):
        others = sorted(set(owners.get(package, [])) - {"tanchang"})
        if others:
            remedy = f"Give tanchang a virtual environment of its own: {', '.join(others)} overwrites its files"
            yield Finding(f"package {package}", "claimed twice", remedy)


def _models() -> Iterator[Finding]:
    from inference.card import ModelError
    from inference.session import MODELS, open_model

    for card in sorted(MODELS.glob("*/card.toml")):
        try:
            yield Finding(f"model {card.parent.name}", open_model(card.parent.name).digest)
        except ModelError as error:
            yield Finding(f"model {card.parent.name}", "damaged", str(error))


def _broker() -> Finding:
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return Finding("MQTT broker on this machine", path or "none; the demo carries one, a plant has its own")


def _disk() -> Finding:
    free = shutil.disk_usage(".").free
    remedy = "Free some: the ledger may take 2 GiB" if free < FREE_BYTES else ""
    return Finding("free disk", f"{free / 2**30:.1f} GiB", remedy)
