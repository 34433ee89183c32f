"""The built wheel in a clean environment runs the demo: no checkout, no Node, only the locked run set."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway.assets import LIBRARIES

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **more: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    return next(folder.glob("tanchang-*.whl"))


def test_the_wheel_carries_the_libraries_with_their_licences_and_no_training(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in LIBRARIES.values():
        assert f"gateway/web/node_modules/{path}" in names
    assert {"firmware_configs/lines/cooker3.toml", "inference/models/casting/model.onnx"} <= names
    assert any(name.startswith("gateway/web/node_modules/") and "LICENSE" in name for name in names)
    assert not any(name.startswith(("inference/training/", "tests/")) for name in names)


@pytest.mark.timeout(300)
def test_the_wheel_alone_runs_the_demo_without_node(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    pip = (tmp_path / "venv" / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements" / "run.txt")
    run(*pip, "--no-deps", wheel)
    bare = {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path)}
    tanchang, report = tmp_path / "venv" / "bin" / "tanchang", tmp_path / "report.json"
    run(tanchang, "demo", "--for", "5s", "--report", report, env=bare, cwd=tmp_path)
    assert json.loads(report.read_text())["balanced"]
    findings = run(tanchang, "doctor", env=bare, cwd=tmp_path)
    assert "SQLite of the ledger" in findings
