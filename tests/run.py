"""`make test`: pytest, with the tests that need ../shared/data deselected and counted where it is absent.

TANCHANG_NO_SKIPS=1 turns every skip into a failure.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"


class Census:
    """Counts what was left out and, when told to, makes a skip a failure."""

    def __init__(self, *, data: bool, no_skips: bool) -> None:
        self.data = data
        self.no_skips = no_skips
        self.left_out = 0

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the tests that need data which is not there."""
        if self.data:
            return
        out = [item for item in items if item.get_closest_marker("data")]
        self.left_out = len(out)
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]

    def pytest_report_collectionfinish(self) -> str:
        """Say how many tests were left out, and why."""
        return (
            ""
            if self.data
            else f"{self.left_out} tests marked 'data' left out: there is no {DATA.parent.name}/data here"
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A skipped test fails where skips are forbidden."""
        report = yield
        if self.no_skips and report.skipped and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped, and skips are forbidden here: {report.longrepr}"
        return report


def main() -> int:
    """Exit code of pytest."""
    census = Census(data=DATA.is_dir(), no_skips=os.environ.get("TANCHANG_NO_SKIPS") == "1")
    os.chdir(ROOT)
    return int(pytest.main(["--durations=10", *sys.argv[1:]], plugins=[census]))


if __name__ == "__main__":
    sys.exit(main())
