"""Settings of the whole suite: no deadlines, failures that can be replayed, data where it is, skips on request.

Tests marked `data` are deselected and counted where it is absent. TANCHANG_NO_SKIPS=1 makes a skip a failure.
A test during which a driver of ours, in this process or a child, sends anything that does not only read fails.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

DATA = Path(__file__).parents[2] / "shared" / "data"
LONGEST = ("test_demo.py", "test_wheel.py", "test_kpi_weeks.py", "test_agent_killed.py", "test_rabbitmq.py")
LEFT_OUT = pytest.StashKey[int]()
SEEN = pytest.StashKey[Counter[str]]()
SPY_FOLDER = str(Path(__file__).parent / "spy")
sys.path.insert(0, SPY_FOLDER)
spy = importlib.import_module("wire_spy")  # under the name by which children know it

settings.register_profile("tanchang", deadline=None, print_blob=True)
settings.load_profile("tanchang")


def pytest_configure(config: pytest.Config) -> None:
    """Watch what drivers send, here and in every process that a test starts."""
    told = tempfile.TemporaryDirectory(prefix="tanchang-spy-")
    config.add_cleanup(told.cleanup)
    os.environ[spy.FOLDER] = told.name
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, dict.fromkeys([SPY_FOLDER, *path])))
    config.stash[SEEN] = Counter()
    spy.SPY.install()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need data which is not there; begin with the files that take longest.

    A worker takes a file whole: one of minutes that comes last leaves the others with nothing to do.
    """
    out = [] if DATA.is_dir() else [item for item in items if item.get_closest_marker("data")]
    config.hook.pytest_deselected(items=out)
    config.stash[LEFT_OUT] = len(out)
    items[:] = sorted((item for item in items if item not in out), key=_place)


def _place(item: pytest.Item) -> int:
    return LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells how many it left out, and what it saw on the wire."""
    session.config.stash[SEEN] += spy.SPY.seen
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)
        session.config.workeroutput["seen"] = dict(spy.SPY.seen)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker has seen the whole suite: any one's word will do."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[SEEN] += Counter(getattr(node, "workeroutput", {}).get("seen", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many tests were left out, and why; and what the drivers sent."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} tests marked 'data' left out: there is no shared/data here")
    seen = Counter({name: times for name, times in config.stash[SEEN].items() if not name.startswith("!")})
    words = ", ".join(f"{name} {times}" for name, times in seen.most_common())
    if seen:
        terminalreporter.write_line(f"wire spy: {seen.total()} requests that only read left our drivers: {words}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails where skips are forbidden, and every test where a driver did more than read."""
    report = yield
    if sent := spy.SPY.take():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a driver sent what does not only read: {', '.join(sent)}"
    if os.environ.get("TANCHANG_NO_SKIPS") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and skips are forbidden here: {report.longrepr}"
    return report
