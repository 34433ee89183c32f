"""A simulated line in a pytest fixture. Only pytest and the standard library: tanchang runs in a venv of its own."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ANSWER_S = 60.0  # the longest the plant may take to say something
ENDING_S = 15.0
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""What of our environment would lead tanchang's Python to our packages."""


class TanchangError(Exception):
    """The plant cannot do what was asked; the message says what to do."""


class TanchangLine:
    """A running plant. `opcua` is its url, `modbus` host and port, `camera` a folder, `orders` what is to be made.

    `faults` grows: one entry for each fault of the seeded schedule that began or ended, as the plant told it.
    """

    def __init__(self, command: Sequence[str], scenario: str, folder: Path, options: Sequence[str]) -> None:
        self.folder = folder
        self.faults: list[Mapping[str, Any]] = []
        self._log = folder / "simulate.log"
        self._heard: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
        ports = ("--attached", "--opcua-port", "0", "--modbus-port", "0", "--folder", str(folder))
        self._process = _start([*command, "simulate", scenario, *ports, *options], folder, self._log)
        threading.Thread(target=self._listen, name="tanchang", daemon=True).start()
        try:
            ready = self._answer()
        except BaseException:
            self.close()
            raise
        self.opcua: str = ready["opcua"]
        self.modbus: tuple[str, int] = (ready["modbus"]["host"], ready["modbus"]["port"])
        self.camera = Path(ready["camera"])
        self.orders: list[Mapping[str, Any]] = ready["orders"]
        self.start: str = ready["start"]

    def go(self) -> None:
        """Let the plant run from where it stands."""
        self.command("go")

    def stop(self) -> dict[str, Any]:
        """Stop the plant's clock and return what really happened; its servers go on answering."""
        return self._truth("stop")

    def truth(self) -> dict[str, Any]:
        """What really happened up to now; the plant goes on."""
        return self._truth("truth")

    def command(self, words: str) -> Mapping[str, Any]:
        """Say a command such as 'modbus off' and return the plant's answer; TanchangError where it refuses."""
        assert self._process.stdin is not None  # it was started with a pipe
        try:
            self._process.stdin.write(f"{words}\n".encode())
            self._process.stdin.flush()
        except OSError as error:
            raise self._died() from error
        answer = self._answer()
        if answer["event"] == "error":
            raise TanchangError(f"{answer['message']}; {answer['remedy']}")
        return answer

    def close(self) -> None:
        """End the plant; safe to call twice."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it may have ended already
            self._process.stdin.close()  # an attached plant ends with its parent's pipe
        try:
            self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _truth(self, word: str) -> dict[str, Any]:
        truth: dict[str, Any] = json.loads(Path(self.command(word)["truth"]).read_text(encoding="utf-8"))
        return truth

    def _listen(self) -> None:
        """Carry what the plant says to `_heard`, its faults to `faults`, and its end as None."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                event = json.loads(line)
                if event["event"] == "fault":
                    self.faults.append(event)
                else:
                    self._heard.put(event)
        self._heard.put(None)

    def _answer(self) -> Mapping[str, Any]:
        try:
            answer = self._heard.get(timeout=ANSWER_S)
        except queue.Empty:
            raise TanchangError(f"the plant said nothing for {ANSWER_S:g} s; see {self._log}") from None
        if answer is None:
            raise self._died()
        return answer

    def _died(self) -> TanchangError:
        end = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
        return TanchangError(f"the plant has ended with code {self._process.wait()}; its log ends:\n{end}")


def _start(command: Sequence[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """The child, in its own folder: `python -m` looks for modules in the current one first."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    pipe = subprocess.PIPE
    try:
        with log.open("wb") as stderr:
            return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr, cwd=folder, env=environment)
    except OSError as error:
        raise TanchangError(
            f"cannot start {command[0]!r} ({error.strerror}); write the path of the tanchang command of tanchang's own "
            "virtual environment as tanchang_command in your pytest configuration"
        ) from error


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option."""
    parser.addini("tanchang_command", "how to call tanchang: a path into its own venv", default="tanchang")


@pytest.fixture
def tanchang_line(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., TanchangLine]]:
    """Call it with a scenario to get a TanchangLine; every line it gave ends with the test.

    `hold` (the default): the plant stands still until `.go()`. `speed`: plant seconds in a second. `start`: plant time,
    ISO 8601 with offset. `faults`: the seed of a fault schedule, none where it is left out.
    """
    words = shlex.split(pytestconfig.getini("tanchang_command"))
    if "/" in words[0]:
        words[0] = str(pytestconfig.rootpath / words[0])
    lines: list[TanchangLine] = []

    def start_line(
        scenario: str = "cooker3",
        *,
        seed: int = 7,
        speed: float = 1.0,
        hold: bool = True,
        start: str | None = None,
        faults: int | None = None,
    ) -> TanchangLine:
        options = ["--seed", str(seed), "--speed", str(speed), *(["--hold"] if hold else [])]
        options += [] if start is None else ["--start", start]
        options += [] if faults is None else ["--faults", str(faults)]
        lines.append(TanchangLine(words, scenario, tmp_path_factory.mktemp("tanchang"), options))
        return lines[-1]

    yield start_line
    for line in lines:
        line.close()
