"""What an engineer works with on the panel, beside the line itself: the app hands it in, tests hand in theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI

from gateway.panel.certificates import Trust, add_certificates
from gateway.panel.diagnostics import Bundle, add_diagnostics
from gateway.panel.explorer import Explorer, add_explorer
from gateway.panel.health import Health, add_health
from gateway.panel.linefile import Desk, add_linefile
from gateway.panel.view import View


@dataclass(frozen=True, slots=True)
class Workbench:
    """`health` is the last look at the gateway, None before the first; `desk` is where the line file lies.

    `trust` has the certificates of OPC UA servers, and ours; `explorer` looks at what devices have,
    `bundle` makes the diagnostics.
    """

    health: Callable[[], Health | None]
    desk: Desk
    trust: Trust
    explorer: Explorer
    bundle: Bundle


def add_workbench(app: FastAPI, view: View, bench: Workbench) -> None:
    """The routes of all of it."""
    add_health(app, bench.health)
    add_linefile(app, view, bench.desk)
    add_certificates(app, view, bench.trust)
    add_explorer(app, bench.explorer)
    add_diagnostics(app, view, bench.bundle)
