"""What the panel's pages for engineers work with, made of the running agent."""

from __future__ import annotations

from agent.vitals import Vitals
from gateway.panel.workbench import Workbench


def workbench(vitals: Vitals) -> Workbench:
    """All of it, for one panel."""
    return Workbench(vitals.now)
