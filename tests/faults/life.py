"""One life of recorder and ledger on a PLC whose clock the harness turns: what it told outlives it.

As a program, `python -m tests.faults.life FOLDER SEED FIRST AFTER SYNCHRONOUS`, it lives until it is ended and prints
each step with the records that were on disk by then, as JSON lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import apsw
import numpy as np

import agent.ledger
from agent import wiring
from agent.configuration.tables import LineFile
from agent.ledger import Ledger, LedgerError
from agent.model import SECOND, Batch, Origin
from agent.recorder import Recorder
from agent.storage.store import Store
from gateway import payload
from tests.faults.account import account, first_raw
from tests.faults.part import Found
from tests.faults.plc import Plc, line_file

BASE = 1_795_305_600
LONGEST = 100_000
RETRY_S = 0.01
Envelope = dict[str, Any]


class Story:
    """What outlives the lives: the PLC, what was told, the consumer's integer, and when nobody looked."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.folder = folder
        self.plc = Plc(seed)
        self.now = 0
        self.told: list[Envelope] = []
        self.faults: list[float] = []
        self.deaths = 0
        self.stillborn = False
        agent.ledger.RETRY_S = RETRY_S  # the disk that failed is asked again at once: no run waits for a clock

    def turn(self) -> None:
        """A second goes by in the plant; press1 makes at least one part in it."""
        self.now += 1
        self.plc.made["press1", "good"] += 1
        self.plc.step()

    @property
    def after(self) -> int:
        """The consumer's integer."""
        return max((one["seq"] for one in self.told), default=0)

    def died(self) -> None:
        """Nobody looks until the next life begins, a second later at least."""
        self.deaths += 1
        self.stillborn |= not self.told
        if first_raw(self.told):
            self.faults.append(BASE + self.now + 0.5)

    def account(self, explains: Callable[[Mapping[str, Any]], bool] = lambda _gap: False) -> Found:
        """The assertion, over all lives; `explains` knows the gaps that the fault itself is told by.

        Where the disk failed before there was any record, the next start may say that it salvaged nothing: it cannot
        know that nothing was there.
        """

        def known(gap: Mapping[str, Any]) -> bool:
            return explains(gap) or (self.stillborn and gap["cause"] == "salvaged" and not gap["unread"])

        first = first_raw(self.told)
        made = {key: number - self.plc.baseline(first[key]) for key, number in self.plc.made.items()}
        return account(self.folder, self.told, self.told, made, self.faults, known)


class Life:
    """`open`, any number of `step`, `close`: the real recorder and ledger."""

    def __init__(self, story: Story, ledger: Ledger) -> None:
        self.story = story
        self.ledger = ledger
        table = LineFile.model_validate(tomllib.loads(line_file(1, 1)))
        devices = table.devices
        self._tags = len(devices[0].tags)
        self.recorder = Recorder(
            table.equipment,
            wiring.machine_rules(table, devices),
            wiring.device_rules(devices),
            wiring.calendar(table),
            ledger,
            lambda: story.now * SECOND,
            self._wall,
        )

    @classmethod
    async def open(cls, story: Story, max_bytes: int = agent.ledger.MAX_BYTES) -> Life:
        """On the story's folder, up to where the PLC is read."""
        life = cls(story, await Ledger.open(story.folder, max_bytes, group_s=0))
        try:
            await life.recorder.restore()
            await life.recorder.connected("plc", Origin())
        except BaseException:
            await life.close()
            raise
        return life

    def _wall(self) -> int:
        return (BASE + self.story.now) * SECOND

    async def step(self) -> None:
        """The plant goes on by a second, it is read, and what it tells is on disk: records first, then samples."""
        self.story.turn()
        time, columns = self._wall(), self._tags
        batch = Batch(
            np.arange(columns, dtype=np.uint32),
            np.array(self.story.plc.registers(), np.float64),
            np.full(columns, time, np.int64),
            np.zeros(columns, np.uint32),
            time,
            1,
        )
        seq = self.ledger.last_seq
        taking = asyncio.create_task(self.recorder.take("plc", batch))
        grown = asyncio.create_task(self.ledger.wait_past(seq))
        try:
            await asyncio.wait((taking, grown), return_when=asyncio.FIRST_COMPLETED)
            await self.recorder.close()  # the samples, without a second to wait for them
            await taking
            await self.ledger.move_cursor("mqtt", self.story.after)
            await self.tell()
        finally:
            for task in (taking, grown):
                task.cancel()
            await asyncio.gather(taking, grown, return_exceptions=True)

    async def tell(self) -> None:
        """The consumer takes what it does not have."""
        while new := await self.ledger.records(self.story.after, 1000):
            for record in new:
                self.story.told.append(json.loads(payload.encode(payload.record(self.ledger.id, record))))

    async def close(self) -> None:
        """As an agent ends."""
        await self.ledger.close()


async def lived(story: Story, ready: Callable[[], bool], more: int, most_deaths: int = 3) -> None:
    """Step until `ready` and `more` steps beyond; a life that ends is followed by another, as a supervisor does it."""
    while True:
        try:
            life = await Life.open(story)
            try:
                while not ready():
                    await life.step()
                    assert story.now < LONGEST, "the fault never came"
                for _ in range(more):
                    await life.step()
                return
            finally:
                await life.close()
        except (LedgerError, apsw.Error, OSError) as error:
            story.died()
            story.turn()
            if story.deaths > most_deaths:
                raise AssertionError(f"a crash loop: {type(error).__name__}: {error}") from error


class NormalStore(Store):
    """The control: a ledger that does not wait for the disk."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._db.pragma("synchronous", "normal")


async def _program(folder: Path, seed: int, first: int, after: int, synchronous: str) -> None:
    if synchronous == "normal":
        setattr(agent.ledger, "Store", NormalStore)  # noqa: B010 - the one place a ledger could be told
    story = Story(seed, folder)
    for _ in range(first):
        story.turn()
    story.told.append({"seq": after})
    life = await Life.open(story)
    while True:
        done = len(story.told)
        await life.step()
        print(json.dumps({"now": story.now, "records": story.told[done:]}), flush=True)


if __name__ == "__main__":
    asyncio.run(_program(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
