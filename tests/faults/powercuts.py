"""The file system's power is cut while a child writes a ledger on it; afterwards another life goes on.

Every fifth seed is also lived with `synchronous=NORMAL`: over the run that must lose what it told, or the test proves
nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.storage.reader import Reader
from tests.faults.life import Story, lived
from tests.faults.loop_disk import LoopDisk, loop_disk, missing
from tests.faults.part import Found

__all__ = ["missing"]

FULL, QUICK = 200, 10
TOGETHER = 2
SUMMED = ("records", "controls", "lost by controls")
CONTROL_EVERY = 5
MORE = 5


def _cut(story: Story, disk: LoopDisk, steps: int, synchronous: str) -> None:
    """A child lives on the disk until, after so many steps, the power goes; the story has what it told."""
    arguments = [str(story.folder), str(story.seed), "0", "0", synchronous]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.life", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        for _ in range(steps):
            if not (line := child.stdout.readline()):
                raise RuntimeError(child.stderr.read().decode()[-2000:])
            _heard(story, line)
        disk.cut()
        child.kill()
        for line in child.stdout:  # told before the cut, or while it came
            if line.endswith(b"\n"):
                _heard(story, line)
        child.wait()


def _heard(story: Story, line: bytes) -> None:
    step = json.loads(line)
    story.told += step["records"]
    while story.now < step["now"]:
        story.turn()


def _control(seed: int, folder: Path, steps: int) -> int:
    """How many told records a ledger that does not wait for the disk loses."""
    folder.mkdir()
    with loop_disk(folder) as disk:
        story = Story(seed, disk.folder / "data")
        _cut(story, disk, steps, "normal")
        disk.unmount()
        disk.mount()
        try:
            reader = Reader(story.folder)
            found = reader.last_seq
            reader.close()
        except Exception:  # noqa: BLE001 - nothing of it can be read
            found = 0
        return max(0, story.after - found)


def one(seed: int, folder: Path) -> Found:
    """One cut."""
    steps = random.Random(seed).randint(1, 40)
    with loop_disk(folder) as disk:
        story = Story(seed, disk.folder / "data")
        _cut(story, disk, steps, "full")
        story.turn()  # what it may have read last and told nobody
        story.died()
        disk.unmount()
        disk.mount()
        asyncio.run(lived(story, lambda: True, MORE, most_deaths=1))
        found = story.account()
    if seed % CONTROL_EVERY == 0:
        found |= {"controls": 1, "lost by controls": _control(seed, folder / "control", steps)}
    return found


def conclude(found: Sequence[Found]) -> str:
    """The control must lose."""
    lost = sum(one.get("lost by controls", 0) for one in found)
    assert lost, "the control (synchronous=NORMAL) lost nothing: cutting the power shows nothing here"
    return ""
