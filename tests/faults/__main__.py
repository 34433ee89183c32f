"""`python -m tests.faults [PART ...] [--seed N] [--quick] [--fresh]`: every fault, and afterwards the ledger holds.

A run that was stopped goes on where it was; `--fresh` starts anew, the quick form always does. A failing seed prints
the line that replays it, and the run goes on. Exit 1 if one failed, or where skips are forbidden a part was skipped.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from unittest.mock import patch

from tests.faults.finished import Finished
from tests.faults.part import COUNTED, Found, Part, attempt, part, summary

SOUTH = ("south", "modbus_fuzz", "opcua_fuzz")
DISK = ("powercuts", "writes", "fsyncs", "flips", "disk_full", "slow_disk")
NORTH = ("kills", "broker", "client_id", "outage")
PARTS = (*SOUTH, *DISK, *NORTH, "panel")
EVERY_S = 10.0
COLUMNS = ("part", "runs", "failed", *COUNTED, "seconds", "worst")


def main(words: Sequence[str]) -> int:
    """Run the parts and print the table."""
    asked = _asked(words)
    rows, bad = [], False
    for name in asked.part or PARTS:
        one = part(name, quick=asked.quick)
        why = one.missing()
        if why is not None:
            bad |= bool(os.environ.get("TANCHANG_NO_SKIPS"))
            rows.append([name, "SKIPPED", *[""] * 5, why])
            continue
        row, failed = _run(one, asked)
        rows.append(row)
        bad |= failed
    print(_table([COLUMNS, *rows]))
    return 1 if bad else 0


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("part", nargs="*", help=f"of {' '.join(PARTS)}; all of them where none is named")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument("--quick", action="store_true", help="the form CI runs")
    parser.add_argument("--fresh", action="store_true", help="forget the seeds that are done")
    asked = parser.parse_args(words)
    for name in asked.part:
        if name not in PARTS:
            parser.error(f"no part {name}: it is one of {' '.join(PARTS)}")
    return asked


def _run(one: Part, asked: argparse.Namespace) -> tuple[list[str], bool]:
    """The part's row of the table, and whether anything failed."""
    alone = asked.seed is not None
    finished = Finished(f"{one.name}.quick" if asked.quick else one.name, one.form, fresh=asked.fresh or asked.quick)
    known = {} if alone else {seed: finished.found[seed] for seed in one.seeds if seed in finished.found}
    due = [asked.seed] if alone else [seed for seed in one.seeds if seed not in known]
    if known:
        print(f"{one.name}: {len(known)} seeds done before, {len(due)} to go; --fresh starts anew", flush=True)
    failed, told, began = 0, time.monotonic(), time.monotonic()
    for number, (seed, outcome, seconds) in enumerate(_outcomes(one, due, quiet=not alone), 1):
        if isinstance(outcome, str):
            failed += 1
            again = f"make faults PART={one.name} SEED={seed}" + (" QUICK=1" if asked.quick and one.form else "")
            print(f"{outcome}\n{again}", flush=True)
        else:
            known[seed] = outcome
            if not alone:
                finished.add(seed, outcome, seconds)
        if time.monotonic() - told >= EVERY_S:
            told = time.monotonic()
            print(f"{one.name}: {number} of {len(due)}, {failed} failed", flush=True)
    return _row(one, list(known.values()), failed, time.monotonic() - began, alone=alone)


def _row(one: Part, found: Sequence[Found], failed: int, seconds: float, *, alone: bool) -> tuple[list[str], bool]:
    numbers = summary(one, found)
    words = [f"{name} {number:g}" for name, number in numbers.items() if name not in COUNTED]
    if not alone and found:
        try:
            words = [*filter(None, [one.conclude(found)]), *words]
        except AssertionError as error:
            failed += 1
            words.insert(0, f"FAILED {error}")
    counted = [str(numbers.get(name, "")) for name in COUNTED]
    return [one.name, str(len(found)), str(failed), *counted, f"{seconds:.0f}", ", ".join(words)], bool(failed)


def _outcomes(one: Part, seeds: Sequence[int], *, quiet: bool) -> Iterator[tuple[int, Found | str, float]]:
    """Each seed with its numbers or what went wrong, and its seconds; in order of their ends."""
    job = partial(attempt, one.name, form=one.form, quiet=quiet)
    environment = one.environment()
    if not environment and (one.together == 1 or len(seeds) == 1):
        yield from map(job, seeds)
        return
    with (
        patch.dict(os.environ, environment),
        ProcessPoolExecutor(one.together, mp_context=get_context("spawn")) as pool,
    ):
        try:
            for future in as_completed([pool.submit(job, seed) for seed in seeds]):
                yield future.result()
        except BaseException:  # stopped by hand: what waits is left to the next run
            pool.shutdown(cancel_futures=True)
            raise


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS) - 1)]
    return "\n".join(
        "  ".join([*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("stopped: the same again goes on from here")
