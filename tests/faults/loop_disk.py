"""A disk of our own whose power can be cut: ext4 on a loop device, shut down by ioctl. Needs root."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
NO_LOG_FLUSH = 2  # what the kernel has not written yet is gone, journal included
SIZE = 32 * 1024**2


def missing() -> str | None:
    """Why there is none here."""
    if os.geteuid() != 0:
        return "needs root, for a loop device"
    if not Path("/dev/loop-control").exists():
        return "needs loop devices"
    return None if shutil.which("mkfs.ext4") else "needs mkfs.ext4"


class LoopDisk:
    """An ext4 of its own at `folder`; `cut` takes its power, `mount` gives it back."""

    def __init__(self, folder: Path, size: int = SIZE) -> None:
        self.folder = folder / "disk"
        self._image = folder / "disk.img"
        self._mounted = False
        self.folder.mkdir()
        with self._image.open("wb") as file:
            file.truncate(size)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))

    def mount(self) -> None:
        """The journal is replayed, as after a start."""
        _run("mount", "-o", "loop", str(self._image), str(self.folder))
        self._mounted = True

    def cut(self) -> None:
        """From now on nothing reaches it, and what has not is lost."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def unmount(self) -> None:
        """Safe to call twice; nobody may have a file open."""
        if self._mounted:
            _run("umount", str(self.folder))
            self._mounted = False


@contextmanager
def loop_disk(folder: Path, size: int = SIZE) -> Iterator[LoopDisk]:
    """Mounted when the block is entered, gone when it is left."""
    disk = LoopDisk(folder, size)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
