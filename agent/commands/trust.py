"""`tanchang trust`: which OPC UA servers a line's agent may talk to, by their certificates."""

from __future__ import annotations

import sys
from pathlib import Path

from agent.configuration.tables import LineFile
from drivers.opcua import pki
from drivers.opcua.device import OpcuaDevice

SHORTEST = 8


def trust(line: LineFile, what: str, thumbprint: str | None) -> int:
    """list, accept or remove; 1 where nothing fits the thumbprint. A running agent goes on by itself."""
    folders = sorted({device.pki for device in line.devices if isinstance(device, OpcuaDevice)})
    if what == "list":
        return _list(folders)
    wanted = (thumbprint or "").lower().replace(":", "")
    lists = [pki.entries(folder, kind) for folder in folders for kind in (pki.PENDING, pki.TRUSTED)]
    known = {one.thumbprint for found in lists for one in found}
    fitting = sorted(one for one in known if one.startswith(wanted)) if len(wanted) >= SHORTEST else []
    if len(fitting) != 1:
        print(
            f"{len(fitting)} certificates begin with {thumbprint!r}; write at least {SHORTEST} digits of a SHA-256 "
            "thumbprint that `tanchang trust list` shows",
            file=sys.stderr,
        )
        return 1
    act = pki.accept if what == "accept" else pki.remove
    word = "accepted" if what == "accept" else "removed"
    done = [one for folder in folders for one in act(folder, fitting[0])]
    for one in done:
        print(f"{word}  {one.thumbprint}  {one.url}  {one.subject}")
    if not done:
        print(f"{fitting[0]} is accepted already")
    return 0


def _list(folders: list[Path]) -> int:
    for folder in folders:
        for kind in (pki.PENDING, pki.TRUSTED):
            for one in pki.entries(folder, kind):
                print(f"{kind:<8} {one.url}  {one.subject}, until {one.not_after[:10]}")
                print(f"         SHA-256 {one.thumbprint}")
                print(f"         SHA-1   {one.sha1}")
    return 0
