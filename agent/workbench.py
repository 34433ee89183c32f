"""What the panel's pages for engineers work with, made of the running agent."""

from __future__ import annotations

from pathlib import Path

from agent.certificates import Certificates
from agent.configuration.revisions import Revisions
from agent.configuration.tables import LineFile
from agent.explorer import Looks
from agent.health.bundle import Bundler
from agent.health.logtail import Tail
from agent.health.vitals import Vitals
from gateway.panel.view import View
from gateway.panel.workbench import Workbench


def workbench(file: LineFile, path: Path, data: Path, view: View, vitals: Vitals, tail: Tail) -> Workbench:
    """All of it, for one panel: `path` is where the line file lies, `data` the agent's folder."""
    return Workbench(
        health=vitals.now,
        desk=Revisions(path, data / "linefile", file),
        trust=Certificates(file.devices),
        explorer=Looks(file.devices),
        bundle=Bundler(file, path, data, view, vitals.now, tail),
    )
