"""The n-th fsync fails, for every n: once or three times running; a seed is n."""

from __future__ import annotations

from pathlib import Path

from tests.faults.part import Found
from tests.faults.writes import FULL, QUICK, SUMMED, TOGETHER, environment, failed, missing

__all__ = ["FULL", "QUICK", "SUMMED", "TOGETHER", "environment", "missing"]


def one(seed: int, folder: Path) -> Found:
    """The seed-th fsync."""
    return failed("fsync", seed, folder)
