"""Watches a camera's folder and has every part judged once, in order, and recorded before the next."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.evidence import Evidence
from agent.model import Batch, Fault, Inspection, Verdict
from agent.shots import Shots
from gateway import payload
from inference.card import ModelError
from inference.inspection.judge import Judge, Judgement, evidence_picture
from inference.inspection.picture import Picture, PictureError, read_picture

POLL = 0.1  # seconds between looks into the folder
PENDING = 8  # judged parts that may be on their way to disk: commits come in groups, parts must not wait for each
PATIENCE = 2.0  # seconds a picture waits for its process values
SECOND_LOOK = 1.0  # seconds after which a picture that could not be read is tried once more
NO_IDEA = 0.5
SIMULATED = b"Simulated\x00true"  # the mark as it stands in the file, whole or not
NAME = re.compile(r"(\d{6,12})\.png")
READ_REMEDY = "check the camera's disk and the rights of its folder"
DISK_REMEDY = "free space on the disk of the evidence folder; parts are judged on, without pictures"


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of the line. `shot` and `process` are tag indexes in `device`; None where values are not joined."""

    name: str
    machine: str
    folder: Path
    device: str = ""
    shot: int | None = None
    process: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A judged file: what was read, decided and kept of it, or why not."""

    content: bytes
    picture: Picture | None
    judgement: Judgement | None
    evidence: str | None
    took_ms: float
    faults: tuple[tuple[str, str, str], ...]  # code, message, remedy


class Inspector:
    """One camera's inspection. `load` opens the models in a worker thread; `record` returns when the part is on disk.

    Parts are handed to `record` in order of their shots, a few before the first of them is on disk.

    A picture or model that fails makes the part an ASK and a fault, never a stop. Never changes the camera's files.
    `last_unit` is the newest unit in the ledger: its shot and older ones are not judged again.
    """

    def __init__(
        self,
        camera: Camera,
        load: Callable[[], Judge],
        evidence: Path,
        record: Callable[[Inspection], Awaitable[None]],
        report_fault: Callable[[Fault], None],
        clear_fault: Callable[[str, str], None],
        *,
        keep: int = 64,
        last_unit: str | None = None,
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera, self._load, self._record = camera, load, record
        self._report, self._clear, self._mono = report_fault, clear_fault, mono
        self._evidence = Evidence(evidence, camera.machine, keep)
        self._last = int(last_unit.rpartition("-")[2]) if last_unit else -1
        self._shots = None if camera.shot is None else Shots(camera.shot, camera.process)
        self._observed = asyncio.Event()
        self._judge: Judge | None = None
        self._faults: frozenset[str] = frozenset()
        self._simulated = False
        self._recording: deque[asyncio.Future[None]] = deque()

    def observe(self, device: str, batch: Batch) -> None:
        """Hear every batch of every device; cheap."""
        if self._shots is not None and device == self._camera.device:
            self._shots.observe(batch)
            self._observed.set()

    async def run(self) -> None:
        """Judge parts until cancelled."""
        with suppress(ModelError):  # reported with the first part, which tries again
            self._judge = await asyncio.to_thread(self._load)
        try:
            while True:
                await self.inspect_waiting()
                await asyncio.sleep(POLL)
        finally:
            await asyncio.gather(*self._recording, return_exceptions=True)

    async def inspect_waiting(self) -> int:
        """Judge and record every part in the folder that is due now; how many."""
        waiting = await asyncio.to_thread(self._waiting)
        deadline = self._mono() + PATIENCE
        for shot, path in waiting:
            await self._inspect(shot, path, deadline)
        await self._recorded(0)
        return len(waiting)

    def _waiting(self) -> list[tuple[int, Path]]:
        """Pictures not judged yet, by shot."""
        try:
            with os.scandir(self._camera.folder) as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            return []
        found = ((int(match[1]), self._camera.folder / match[0]) for name in names if (match := NAME.fullmatch(name)))
        return sorted((shot, path) for shot, path in found if shot > self._last)

    async def _inspect(self, shot: int, path: Path, deadline: float) -> None:
        process = await self._process_of(shot, deadline)
        seen = await asyncio.to_thread(self._look, shot, path, process)
        if seen.picture is None:
            await asyncio.sleep(SECOND_LOOK)
            seen = await asyncio.to_thread(self._look, shot, path, process)
        inspection = await asyncio.to_thread(self._inspection, shot, path, seen)
        self._tell_faults(seen, inspection.time)
        self._recording.append(asyncio.ensure_future(self._record(inspection)))
        self._last = shot
        await self._recorded(PENDING)
        await asyncio.to_thread(self._evidence.prune, shot)

    async def _recorded(self, most: int) -> None:
        """Wait, in order, until at most so many parts are on their way to disk."""
        while len(self._recording) > most:
            await self._recording.popleft()

    async def _process_of(self, shot: int, deadline: float) -> tuple[float, ...] | None:
        """The shot's process values; None where they are not good or do not come in time."""
        if self._shots is None or not self._camera.process:
            return None
        while (known := self._shots.of(shot)) is None and not self._shots.missed(shot):
            self._observed.clear()
            try:
                await asyncio.wait_for(self._observed.wait(), max(0.0, deadline - self._mono()))
            except TimeoutError:
                return None
        return known.values if known else None

    def _look(self, shot: int, path: Path, process: tuple[float, ...] | None) -> _Seen:
        """Read, judge and keep the evidence: all that takes the processor or the disk, in a worker thread."""
        content, picture, judgement, evidence = b"", None, None, None
        faults: list[tuple[str, str, str]] = []
        began = time.perf_counter()
        try:
            content = path.read_bytes()
            picture = read_picture(content)
            self._judge = self._judge or self._load()
            judgement = self._judge.judge(picture.grey, process)
            notable = judgement.decision.verdict is not Verdict.PASS
            evidence = self._evidence.write(shot, evidence_picture(picture.grey, judgement), notable=notable)
        except PictureError as error:
            faults.append(("image_unreadable", f"{path.name}: {error}", error.remedy))
        except ModelError as error:
            faults.append(("model_failed", str(error), error.remedy))
        except OSError as error:
            if judgement is None:
                faults.append(("image_unreadable", str(error), READ_REMEDY))
            else:
                faults.append(("evidence_not_kept", str(error), DISK_REMEDY))
        took_ms = 1e3 * (time.perf_counter() - began)
        return _Seen(content, picture, judgement, evidence, took_ms, tuple(faults))

    def _inspection(self, shot: int, path: Path, seen: _Seen) -> Inspection:
        decision = seen.judgement.decision if seen.judgement else None
        self._simulated = SIMULATED in seen.content or (self._simulated and seen.picture is None)
        return Inspection(
            unit=f"{self._camera.machine}-{shot:06d}",
            machine=self._camera.machine,
            time=self._time_of(shot, path, seen.picture),
            verdict=decision.verdict if decision else Verdict.ASK,
            score=decision.score if decision else NO_IDEA,
            image_score=decision.image_score if decision else NO_IDEA,
            process_score=decision.process_score if decision else None,
            defect=decision.defect if decision else ("not_judged" if seen.picture else "unreadable"),
            model=self._judge.digest if self._judge else "",
            evidence=seen.evidence,
            simulated=self._simulated,
            took_ms=round(seen.took_ms, 2),
        )

    def _time_of(self, shot: int, path: Path, picture: Picture | None) -> int:
        """Plant time of the part: the camera's word, else the PLC's, else the file's."""
        stamp = nanoseconds(picture.words.get("Time", "")) if picture else None
        if stamp is not None:
            return stamp
        if self._shots is not None and self._shots.time:
            known = self._shots.of(shot)
            return known.time if known else self._shots.time
        try:
            return path.stat().st_mtime_ns
        except OSError:
            return time.time_ns()

    def _tell_faults(self, seen: _Seen, now: int) -> None:
        """Report what is newly wrong, clear what this part shows to be right again."""
        for code, message, remedy in seen.faults:
            if code not in self._faults:
                self._report(Fault(self._camera.name, code, message, remedy, now))
        current = frozenset(code for code, _, _ in seen.faults)
        for code in self._faults - current:
            self._clear(self._camera.name, code)
        self._faults = current


def nanoseconds(stamp: str) -> int | None:
    """An ISO 8601 time with zone, or an integer of nanoseconds since 1970, as nanoseconds; None where it is neither."""
    if stamp.isdecimal():
        return int(stamp)
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return payload.nanoseconds(moment)
