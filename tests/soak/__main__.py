"""`python -m tests.soak --hours 8 | --minutes 5`: the demo's line for hours, and nothing has grown or gone missing.

Plant, broker, hall board and the real agent with its panel, which is looked at all the while; at the end the ledger
is proved and what the plant made is held against what was recorded, published and displayed. Exit 1 where a bound is
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil

from agent.commands.proof import report_of
from agent.demo.run import Demo, Settings
from tests.soak.growth import Reading, Row, rows

FOLDER = Path(__file__).parents[2] / "artifacts" / "soak"
SPEED = 10.0
SEED = 1
LOOK_S = 2.0
TELL_S = 60.0
PATIENCE_S = 10.0
MB = 2**20


def main(words: Sequence[str]) -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--hours", type=float)
    length.add_argument("--minutes", type=float)
    asked = parser.parse_args(words)
    seconds = asked.hours * 3600 if asked.hours else asked.minutes * 60
    with tempfile.TemporaryDirectory(prefix="tanchang-soak-") as folder:
        table, report = asyncio.run(_soaked(seconds, Path(folder)))
    for row in table:
        print(row)
    for difference in report["differences"][:20]:
        print(f"difference: {difference}")
    return 0 if all(row.holds for row in table) else 1


async def _soaked(seconds: float, folder: Path) -> tuple[list[Row], dict[str, Any]]:
    """The rows, and the balance."""
    wanted = Settings(seconds, SPEED, SEED, None, None, None, None)
    async with AsyncExitStack() as stack:
        demo = Demo(wanted, folder, stack)
        await demo.start()
        agent = psutil.Process(demo.agent.child.pid)
        readings, unanswered = await _watched(agent, demo.addresses["panel"], seconds)
        cpu = sum(agent.cpu_times()[:2]) / (time.time() - agent.create_time())
        report = await demo.judge()
        proof, blocks = await asyncio.to_thread(report_of, folder / "data")
    wrong = len(proof.violations) + len(blocks)
    print(f"{seconds / 3600:.2f} h, {report['records']} records, {report['finished']} parts, {cpu:.0%} of a core")
    print(f"resident memory {readings[0].rss_mb:.0f} to {readings[-1].rss_mb:.0f} MB, files {readings[-1].fds}")
    return [
        *rows(readings),
        Row("panel requests without an answer", unanswered, 0),
        Row("violations of the ledger's rules", wrong, 0),
        Row("differences from the plant's truth", len(report["differences"]), 0),
        Row("records and parts lost", report["lost"], 0),
        Row("records and parts double", report["double"], 0),
    ], report


async def _watched(agent: psutil.Process, panel: str, seconds: float) -> tuple[list[Reading], int]:
    """The agent's readings, a line each in artifacts/soak, and how often its panel did not answer."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    readings: list[Reading] = []
    unanswered, began, told = 0, time.monotonic(), 0.0
    with (FOLDER / "readings.jsonl").open("w", encoding="utf-8") as file:
        while (now := time.monotonic() - began) < seconds:
            one = Reading(round(now, 1), agent.memory_info().rss / MB, agent.num_fds())
            readings.append(one)
            file.write(json.dumps({"time": one.time, "rss_mb": one.rss_mb, "fds": one.fds}) + "\n")
            unanswered += not await asyncio.to_thread(_answers, panel)
            if now - told >= TELL_S:
                told = now
                print(f"{now / 60:.0f} of {seconds / 60:.0f} min: {one.rss_mb:.0f} MB, {one.fds} files", flush=True)
            await asyncio.sleep(LOOK_S)
    return readings, unanswered


def _answers(panel: str) -> bool:
    """Whether the panel says anything, be it that one has to log in."""
    try:
        with urllib.request.urlopen(panel, timeout=PATIENCE_S) as answer:
            return bool(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
