"""The diagnostics bundle: what somebody far away needs to see of a gateway, without secrets and names of people."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from agent.configuration.tables import LineFile
from agent.health.logtail import Tail
from agent.health.scrub import scrub
from agent.model import Kind
from gateway import payload
from gateway.panel import encode
from gateway.panel.health import Health
from gateway.panel.view import View

RECORDS, FAULTS = 500, 200
LONGEST = 1 << 20  # characters of a file of the bundle: it stays below a few MiB
PROOF_S = 30.0
LATER = "not proved within 30 s: run tanchang verify ledger\n"
ABOUT = (
    "Diagnostics of a tanchang gateway. Passwords, keys, tokens, user names and mail addresses are taken out;\n"
    "addresses of devices are not. Look through it before it leaves the plant.\n"
)


class Bundler:
    """Makes the bundle of a running agent: `path` is the line file, `data` the agent's folder."""

    def __init__(
        self, file: LineFile, path: Path, data: Path, view: View, health: Callable[[], Health | None], tail: Tail
    ) -> None:
        self._file, self._path, self._data = file, path, data
        self._view, self._health, self._tail = view, health, tail

    async def __call__(self) -> bytes:
        """A zip file. What reads the ledger as a whole is a process of its own, of low priority."""
        texts = self._gathered()
        texts["ledger.txt"] = await proof(self._data)
        return await asyncio.to_thread(self._packed, texts)

    def _gathered(self) -> dict[str, str]:
        """What the agent knows, at one moment."""
        view, now, health = self._view, self._view.now(), self._health()
        newest = view.records(None, None, None, None, RECORDS, newest=True)
        faults = view.records(Kind.FAULT, None, None, None, FAULTS, newest=True)
        history = [payload.record(now.ledger, one) for one in faults]
        return {
            "about.txt": ABOUT,
            "health.json": _json(asdict(health) if health else None),
            "faults.json": _json({"open": [payload.fault(one) for one in now.faults], "history": history}),
            "records.json": _json([payload.record(now.ledger, one) for one in newest]),
            "devices.json": _json([encode.device_with_tags(one) for one in view.devices()]),
            "cursors.json": _json(dict(view.depth())),
            "log.txt": self._tail.text(),
        }

    def _packed(self, texts: Mapping[str, str]) -> bytes:
        secrets, people = set(secrets_of(self._file, self._path.parent, self._data)), people_of(self._data)
        try:
            line = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            line = f"cannot be read: {error}"
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
            for name, text in {**texts, "line.toml": line}.items():
                file.writestr(name, scrub(text, secrets, people)[:LONGEST])
        return made.getvalue()


async def proof(data: Path) -> str:
    """What `tanchang verify ledger` says, or that it takes longer."""
    command = (sys.executable, "-m", "agent.cli", "verify", "ledger", str(data))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    try:
        psutil.Process(process.pid).nice(19)
        async with asyncio.timeout(PROOF_S):
            said, _ = await process.communicate()
        return said.decode(errors="replace")
    except TimeoutError:
        return LATER
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def secrets_of(file: LineFile, base: Path, data: Path) -> Iterator[str]:
    """What no text may hold: the passwords that the line file names, and what opens the panel."""
    named = [base / path for path in _password_files(file.model_dump(mode="json"))]
    for path in [*named, *(one for one in (data / "access").glob("*") if one.suffix != ".json")]:
        try:
            yield path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue


def people_of(data: Path) -> dict[str, str]:
    """The users' ids by name."""
    try:
        users = json.loads((data / "access" / "users.json").read_text(encoding="utf-8"))["users"]
        return {one["name"]: one["id"] for one in users}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _password_files(tables: Any) -> Iterator[str]:
    if isinstance(tables, dict):
        for key, value in tables.items():
            if key == "password_file" and isinstance(value, str):
                yield value
            yield from _password_files(value)
    elif isinstance(tables, list):
        for one in tables:
            yield from _password_files(one)


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, indent=1, default=str)
