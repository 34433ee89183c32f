"""What the panel's pages for engineers work with, made of the running agent."""

from __future__ import annotations

from pathlib import Path

from agent.certificates import Certificates
from agent.explorer import Looks
from agent.linetable import LineFile
from agent.revisions import Revisions
from agent.vitals import Vitals
from gateway.panel.workbench import Workbench


def workbench(file: LineFile, path: Path, data: Path, vitals: Vitals) -> Workbench:
    """All of it, for one panel: `path` is where the line file lies, `data` the agent's folder."""
    return Workbench(
        vitals.now, Revisions(path, data / "linefile", file), Certificates(file.devices), Looks(file.devices)
    )
