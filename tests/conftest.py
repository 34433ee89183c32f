"""Settings of the whole suite: no deadlines, failures that can be replayed, data where it is, skips on request.

Tests marked `data` are deselected and counted where it is absent. TANCHANG_NO_SKIPS=1 makes a skip a failure.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

DATA = Path(__file__).parents[2] / "shared" / "data"
LEFT_OUT = pytest.StashKey[int]()

settings.register_profile("tanchang", deadline=None, print_blob=True)
settings.load_profile("tanchang")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need data which is not there."""
    out = [] if DATA.is_dir() else [item for item in items if item.get_closest_marker("data")]
    config.hook.pytest_deselected(items=out)
    config.stash[LEFT_OUT] = len(out)
    items[:] = [item for item in items if item not in out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells how many it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker has seen the whole suite: any one's word will do."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many tests were left out, and why."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} tests marked 'data' left out: there is no shared/data here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails where skips are forbidden."""
    report = yield
    if os.environ.get("TANCHANG_NO_SKIPS") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and skips are forbidden here: {report.longrepr}"
    return report
