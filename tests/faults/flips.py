"""One bit of a ledger flipped, or its end cut off: a seed is one damage.

After each the agent must open it, go on counting, and no total may be wrong: what it says was counted up to the
PLC's raw value it says it was read at is what was. A new ledger must hold all rules of `tanchang verify ledger`.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path
from unittest.mock import patch

from agent.commands.proof import report_of
from agent.counter import CounterState, step
from agent.ledger import MAX_BYTES, Ledger, Observed, Reader
from agent.model import SECOND, Kind, Record
from agent.storage.store import FILE, Change, Store

FULL, QUICK = 2000, 200
TOGETHER = 2
SUMMED = ("unharmed", "salvaged", "anew")
MODULUS = 1000
COUNTERS = (("press1", "good"), ("press1", "scrap"), ("trim1", "good"))
Key = tuple[str, str]
Truth = dict[Key, dict[int, int]]


def written(folder: Path, number: int) -> Truth:
    """A ledger of counts with resets, told up to three quarters; what was counted at each reading's time.

    Octet for octet the same each time, so that a seed names a damage.
    """
    plant = random.Random(7)
    counters: dict[Key, CounterState] = {}
    truth: Truth = {key: {} for key in COUNTERS}
    folder.mkdir()
    with patch("secrets.token_hex", lambda size: "5e" * size):
        store = Store(folder / FILE, MAX_BYTES)
    try:
        for second in range(number):
            records = []
            for key in COUNTERS:
                old = counters.get(key)
                reset = old is not None and old.raw > 20 and plant.random() < 0.02
                raw = 0 if old is None or reset else (old.raw + plant.randrange(3)) % MODULUS
                state, told = step(old, raw, MODULUS, second * SECOND, 3.0)
                counters[key] = state
                truth[key][second * SECOND] = state.counted
                if told.delta or told.note:
                    numbers = {"delta": told.delta, "total": state.total, "epoch": state.epoch, "raw": raw}
                    body = {"counter": key[1], **numbers, "note": told.note}
                    records.append(Record(Kind.COUNT, key[0], second * SECOND, body, simulated=True))
            seen = {name: Observed(second * SECOND) for name in ("press1", "trim1")}
            store.write([Change(tuple(records), dict(counters), seen)], second * SECOND)
        store.write([Change(cursors={"mqtt": store.stand.seq * 3 // 4})], number * SECOND)
    finally:
        store.close()
    return truth


def hurt(path: Path, chance: random.Random) -> str:
    """Flip one bit, or cut the end off one time in five; what was done."""
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    if chance.random() < 0.2:
        path.write_bytes(data[:place])
        return f"cut off at {place}"
    bit = chance.randrange(8)
    data[place] ^= 1 << bit
    path.write_bytes(data)
    return f"bit {bit} of byte {place}"


async def outcome(whole: Path, folder: Path, truth: Truth, seed: int) -> str:
    """Hurt a copy and open it: how it ended. AssertionError where a total is wrong or something is lost unsaid."""
    shutil.copytree(whole, folder)
    was = hurt(folder / FILE, random.Random(seed))
    try:
        ledger = await Ledger.open(folder)
    except Exception as error:
        raise AssertionError(f"{was}: did not open: {type(error).__name__}: {error}") from error
    try:
        await ledger.commit([Record(Kind.AUDIT, "", 0, {"event": "start"}, simulated=True)])
        for key, state in ledger.counters.items():
            # the truth at any reading of the raw value it stands at, at or after its time and before it moved on
            counted = truth[key].get(state.time)
            assert counted == state.counted, f"{was}: {key} says {state.counted}, truth is {counted}"
        lost = [key for key in truth if key not in ledger.counters]
        salvaged = ledger.salvaged is not None
    finally:
        await ledger.close()
    assert salvaged or not lost, f"{was}: {lost} forgotten without a word"
    _prove(folder, salvaged, was)
    return ("salvaged" if salvaged else "unharmed") + (" anew" if lost else "")


def _prove(folder: Path, salvaged: bool, was: str) -> None:
    report, _ = report_of(folder)
    assert not report.violations, f"{was}: {report.violations[0]}"
    if salvaged:
        reader = Reader(folder)
        causes = [one.body["cause"] for one in reader.records(Kind.GAP)]
        reader.close()
        assert "salvaged" in causes, f"{was}: no gap tells of it"


@cache
def _whole() -> tuple[tempfile.TemporaryDirectory[str], Truth]:
    """The ledger that is hurt, written once per process."""
    held = tempfile.TemporaryDirectory()
    return held, written(Path(held.name) / "whole", 120)


def one(seed: int, folder: Path) -> dict[str, int]:
    """One damage."""
    held, truth = _whole()
    end = asyncio.run(outcome(Path(held.name) / "whole", folder / "hurt", truth, seed))
    kept = {"unharmed": int(end == "unharmed"), "salvaged": int(end != "unharmed"), "anew": int(end.endswith("anew"))}
    return {"lost": 0, "double": 0, "unexplained": 0, **kept}
