"""`make test`: the whole suite on two workers, file by file in the order of conftest. More arguments go to pytest."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]

if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    sys.exit(pytest.main(["-q", "--durations=10", *WORKERS, *sys.argv[1:]]))
