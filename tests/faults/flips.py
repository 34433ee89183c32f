"""`python -m tests.faults.flips N SEED`: one bit of a ledger flipped, or its end cut off, N times; a seed is a line.

After each the agent must open it, go on counting, and no total may be wrong: what it says was counted up to the
PLC's raw value it says it was read at is what was. A new ledger must hold all rules of `tanchang verify ledger`.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from agent.counter import CounterState, step
from agent.ledger import Ledger, Observed, Reader
from agent.ledger_store import FILE
from agent.model import SECOND, Kind, Record
from agent.proof import report_of

MODULUS = 1000
COUNTERS = (("press1", "good"), ("press1", "scrap"), ("trim1", "good"))
Key = tuple[str, str]
Truth = dict[Key, dict[int, int]]


async def written(folder: Path, number: int) -> Truth:
    """A ledger of counts with resets, told up to three quarters; what was counted at each reading's time."""
    plant = random.Random(7)
    counters: dict[Key, CounterState] = {}
    truth: Truth = {key: {} for key in COUNTERS}
    ledger = await Ledger.open(folder, group_s=0)
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
            await ledger.commit(records, counters=dict(counters), observed=seen)
        await ledger.move_cursor("mqtt", ledger.last_seq * 3 // 4)
    finally:
        await ledger.close()
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
    """Hurt a copy and open it; `unharmed`, `salvaged` or what went wrong."""
    shutil.copytree(whole, folder)
    was = hurt(folder / FILE, random.Random(seed))
    try:
        ledger = await Ledger.open(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, the agent did not start
        return f"WRONG seed {seed}, {was}: did not open: {type(error).__name__}: {error}"
    try:
        await ledger.commit([Record(Kind.AUDIT, "", 0, {"event": "start"}, simulated=True)])
        for key, state in ledger.counters.items():
            # the truth at any reading of the raw value it stands at, at or after its time and before it moved on
            if truth[key].get(state.time) != state.counted:
                return f"WRONG seed {seed}, {was}: {key} says {state.counted}, truth is {truth[key].get(state.time)}"
        lost = [key for key in truth if key not in ledger.counters]
        salvaged = ledger.salvaged is not None
    finally:
        await ledger.close()
    if lost and not salvaged:
        return f"WRONG seed {seed}, {was}: {lost} forgotten without a word"
    return _proved(folder, salvaged, seed, was) + (", counters begun anew" if lost else "")


def _proved(folder: Path, salvaged: bool, seed: int, was: str) -> str:
    report, _ = report_of(folder)
    if report.violations:
        return f"WRONG seed {seed}, {was}: {report.violations[0]}"
    if not salvaged:
        return "unharmed"
    reader = Reader(folder)
    causes = [one.body["cause"] for one in reader.records(Kind.GAP)]
    reader.close()
    return "salvaged" if "salvaged" in causes else f"WRONG seed {seed}, {was}: no gap tells of it"


async def flips(number: int, seed: int) -> Counter[str]:
    """How `number` damages from `seed` on ended."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        truth = await written(Path(name) / "whole", 120)
        for one in range(seed, seed + number):
            folder = Path(name) / f"hurt{one}"
            ends[await outcome(Path(name) / "whole", folder, truth, one)] += 1
            shutil.rmtree(folder)
    return ends


def main() -> int:
    """Print how they ended; exit 1 where one went wrong."""
    number, seed = (int(word) for word in (*sys.argv[1:], "2000", "0")[:2])
    ends = asyncio.run(flips(number, seed))
    for end, times in ends.most_common():
        print(f"{times:>6}  {end}")
    return 1 if any(end.startswith("WRONG") for end in ends) else 0


if __name__ == "__main__":
    sys.exit(main())
