"""Parts that an inspection asked about, judged by people: figures of a real ledger equal a recount."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import apsw
import pytest

from agent.commands.export import Wanted, export
from agent.commands.proof import report_of
from agent.ledger import Observed, Reader
from agent.model import SECOND, Decision, Kind, Kpi, Record, Verdict
from agent.refeed import Watched, past
from gateway import payload
from gateway.consumer import Consumer
from gateway.payload import nanoseconds
from tests.system.recorder_rig import CALENDAR, LINE, NAMES, START, Bench, batch, inspection

HOUR = 3600
JUDGED = ("inspection_pass", "inspection_reject", "inspection_ask")
Counts = dict[tuple[str, str, int], int]


def decision(asked: Record, verdict: Verdict, before: Record | None = None) -> Decision:
    """An operator's say, after what was said `before` of the same part."""
    instead = Verdict(before.body["verdict"]) if before else Verdict.ASK
    was = before.seq if before else None
    unit = asked.body["unit"]
    return Decision(asked.machine, asked.seq, unit, asked.time, verdict, instead, was, "u1", "operator", simulated=True)


async def pass_time(bench: Bench, until: int) -> None:
    """Both machines go on to START + until, and windows that are over close."""
    for name in NAMES:
        await bench.take(name, batch(until))
    await bench.recorder.tick()


async def ask(bench: Bench, second: float, machine: str = "press1") -> Record:
    """A part the inspection asks about; its record."""
    unit = f"{machine}-{len(bench.records(Kind.INSPECTION)) + 1:06d}"
    part = replace(inspection(0), unit=unit, machine=machine, time=START + int(second * SECOND), verdict=Verdict.ASK)
    await bench.recorder.inspect(part)
    return bench.records(Kind.INSPECTION)[-1]


def told(bench: Bench) -> Counts:
    """The newest word on every window: parts by figure, kind of window and its start."""
    found: Counts = {}
    for record in bench.records(Kind.KPI):
        body = record.body
        if body["name"] in JUDGED and not body["machine"]:
            found[body["name"], body["window"]["kind"], start(body["window"]["start"])] = body["numerator"]
    return found | {(one.name, one.window.kind, one.window.start): int(one.numerator) for one in running(bench)}


def running(bench: Bench) -> Iterator[Kpi]:
    return (one for one in bench.recorder.now().figures if one.name in JUDGED and not one.machine)


def start(stamp: str) -> int:
    return nanoseconds(datetime.fromisoformat(stamp))


def recount(records: list[Record]) -> Counts:
    """The same from what was judged alone: the last word on each part, in the hour and the shift it was made in."""
    last = {one.seq: one.body["verdict"] for one in records if one.kind is Kind.INSPECTION}
    last |= {one.body["inspection"]: one.body["verdict"] for one in records if one.kind is Kind.VERDICT}
    counts = Counter[tuple[str, str, int]]()
    for one in records:
        if one.kind is Kind.INSPECTION:
            since = (one.time - START) // SECOND
            hour, day = since // HOUR * HOUR, since // (24 * HOUR) * 24 * HOUR
            windows = [("hour", hour)] + [("shift", day)] * (since - day < 12 * HOUR)
            for kind, begin in ((kind, START + second * SECOND) for kind, second in windows):
                counts.update({(name, kind, begin): 0 for name in JUDGED})
                counts[f"inspection_{last[one.seq].lower()}", kind, begin] += 1
    return dict(counts)


def taken(records: list[Record]) -> Counter[str]:
    """What a consumer that is told each record twice makes of them: one more, or one from here to there."""
    consumer, counts = Consumer(), Counter[str]()
    for envelope in (payload.record("0a", one) for one in records for _ in range(2)):
        if envelope["kind"] in ("inspection", "verdict") and consumer.take(envelope) != "seen":
            counts[envelope["value"]["verdict"]] += 1
            counts[envelope["value"].get("instead", "")] -= 1
    del counts[""]
    return counts


@pytest.mark.parametrize("late", [False, True])
async def test_the_hour_and_the_shift_the_part_was_made_in_follow(tmp_path: Path, late: bool) -> None:
    bench = await Bench(tmp_path).open()
    await bench.start(100)
    asked = await ask(bench, 200)
    if late:
        for hour in range(1, 4):
            await pass_time(bench, hour * HOUR + 10)
    before = [one for one in bench.records(Kind.KPI) if start(one.body["window"]["start"]) == START]
    await bench.recorder.decide(decision(asked, Verdict.PASS))
    assert told(bench) == recount(bench.records())
    assert sum(told(bench).values()) == 2
    after = [one for one in bench.records(Kind.KPI) if start(one.body["window"]["start"]) == START][len(before) :]
    await bench.close()
    assert {one.body["revision"] for one in after} == ({1} if late else set())
    others = {(one.body["name"], one.machine): one.body for one in before if one.body["name"] not in JUDGED}
    for one in after:  # nothing else of the hour changes by being told again
        if one.body["name"] not in JUDGED:
            assert {**one.body, "revision": 0} == others[one.body["name"], one.machine]


async def test_a_decision_and_the_figures_it_corrects_are_on_disk_together(tmp_path: Path) -> None:
    bench = await Bench(tmp_path).open()
    await bench.start(100)
    asked = await ask(bench, 200)
    await pass_time(bench, HOUR + 10)
    before = len(bench.records())
    await bench.recorder.decide(decision(asked, Verdict.REJECT))
    first, *others = bench.records()[before:]
    await bench.close()
    assert (first.kind, first.machine, {one.kind for one in others}) == (Kind.VERDICT, "press1", {Kind.KPI})
    assert first.body == {
        "inspection": asked.seq, "unit": "press1-000001", "made": "2026-03-02T08:03:20.000Z",
        "verdict": "REJECT", "instead": "ASK", "was": None, "by": "u1", "role": "operator",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_sequence_of_decisions_and_restarts_the_figures_equal_a_recount(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    bench, now = await Bench(tmp_path).open(), 100
    await bench.start(now)
    for _ in range(40):
        step = chance.random()
        if step < 0.4:
            late = chance.choice((0, 0, HOUR)) * chance.random()  # into the hour that was closed last
            await ask(bench, max(now - late, 1), chance.choice(NAMES))
        elif step < 0.75:
            if parts := [one for one in bench.records(Kind.INSPECTION) if one.time > START]:
                part = chance.choice(parts)
                said = [one for one in bench.records(Kind.VERDICT) if one.body["inspection"] == part.seq]
                verdict = chance.choice([Verdict.PASS, Verdict.REJECT])
                await bench.recorder.decide(decision(part, verdict, said[-1] if said else None))
        elif step < 0.92:
            now += chance.randrange(60, 5 * HOUR // 2)
            await pass_time(bench, now)
        else:
            await bench.close()
            bench = await Bench(tmp_path).open()
            await bench.start(now)
        await bench.recorder.tick()
    records, shown = bench.records(), told(bench)
    counted = recount(records)
    await bench.close()
    assert report_of(tmp_path)[0].violations == []
    by_hour = Counter[str]()
    for (name, kind, _), count in counted.items():
        by_hour[name] += count * (kind == "hour")
    assert {name: taken(records)[name[11:].upper()] for name in JUDGED} == dict(by_hour), f"seed {seed}"
    assert {key: shown.get(key, 0) for key in counted} == counted, f"seed {seed}"
    wanted = Wanted("verdict", None, 0, 2**62)
    assert export(tmp_path, wanted, "csv", tmp_path / "verdicts.csv") == 0
    rows = list(csv.DictReader((tmp_path / "verdicts.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["verdict"] for row in rows] == [one.body["verdict"] for one in records if one.kind is Kind.VERDICT]
    again = await Bench(tmp_path).open()
    await again.start(now)
    assert told(again) == shown
    await again.close()


async def test_a_window_whose_records_have_begun_to_give_way_is_not_told_again(tmp_path: Path) -> None:
    bench = await Bench(tmp_path).open()
    await bench.start(100)
    asked = await ask(bench, 200)
    for hour in range(1, 4):
        await pass_time(bench, hour * HOUR + 10)
    await bench.close()
    said = decision(asked, Verdict.PASS)
    watched = Watched({name: name for name in NAMES}, {name: Observed(START + 3 * HOUR * SECOND) for name in NAMES})
    for gone, windows in ((0, 1), (asked.seq - 1, 0)):
        db = apsw.Connection(str(tmp_path / "ledger.db"))
        db.execute("DELETE FROM record WHERE seq <= ?", (gone,))
        db.close()
        reader = Reader(tmp_path)
        assert len(past(reader, LINE, CALENDAR, watched, said)) == windows
        reader.close()
