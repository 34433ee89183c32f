"""From a figure down to its raw samples, over a real ledger: the sums agree and every sample can be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from agent import wiring
from agent.figures.definitions import FIGURES
from agent.ledger import Ledger, Reader
from agent.linefile import load
from agent.model import Batch, Inspection, Order, Origin, Verdict
from agent.recorder import Recorder
from agent.view import AgentView
from gateway.panel.server import create
from tests.system.panel_serve import serving
from tests.system.panel_view import at

FILE = load(Path(__file__).parents[2] / "firmware_configs" / "lines" / "cooker3.toml")
SECOND = 1_000_000_000
RUN, STARVED, STOP = 4, 34, 1
# No rework counter, and the meter is not read.
NOT_HERE = {"rework_ratio", "energy_per_part"}
SIM = Origin("tanchang", "simulated plant", simulated=True)
# Seconds after 08:00, light, good, scrap, reason, cycle of press1 as its PLC tells them.
STORY = (
    (0, RUN, 10, 0, 0, 16.0), (20, RUN, 11, 0, 0, 16.5), (41, RUN, 12, 0, 0, 17.5), (60, STOP, 12, 1, 31, 17.5),
    (95, RUN, 12, 1, 0, 17.5), (120, RUN, 13, 1, 0, 21.25), (140, STARVED, 13, 1, 0, 21.25),
)  # fmt: skip
LOST, BACK, END = 150, 200, 260
JUDGED = (
    (Verdict.PASS, None), (Verdict.REJECT, "crack"), (Verdict.REJECT, "blowhole"), (Verdict.ASK, "crack"),
    (Verdict.REJECT, "blowhole"), (Verdict.PASS, None),
)  # fmt: skip
REJECTED = ("inspection_reject", "", "shift")


def batch(second: float, light: int, good: int, scrap: int, reason: int, cycle: float) -> Batch:
    values = np.array([good, scrap, light, reason, cycle])
    time = at("08:00") + int(second * SECOND)
    index = np.array([1, 2, 3, 4, 5], np.uint32)
    return Batch(index, values, np.full(5, time, np.int64), np.zeros(5, np.uint32), time, 0)


async def refuse(order: Order) -> None:
    raise AssertionError(f"nobody orders here: {order}")


async def told(recorder: Recorder) -> None:
    """The story of press1: it runs, stops, waits, is not seen for 50 s, and runs again."""

    async def take(*batches: Batch) -> None:
        tasks = [asyncio.create_task(recorder.take("press1", one)) for one in batches]
        await asyncio.sleep(0)
        await recorder.close()
        await asyncio.gather(*tasks)

    await recorder.connected("press1", SIM)
    await take(*(batch(*row) for row in STORY))
    await take(batch(LOST, *STORY[-1][1:]))
    await recorder.disconnected("press1", None)
    await recorder.connected("press1", SIM)
    await take(batch(BACK, RUN, 15, 1, 0, 16.75))
    await take(batch(END, RUN, 16, 1, 0, 16.25))
    for number, (verdict, defect) in enumerate(JUDGED):
        scores = (0.9, 0.9, None, defect, "8c1e09d2f4ab", None)
        unit, time = f"diecast1-{number}", at("08:01") + number * SECOND
        await recorder.inspect(Inspection(unit, "diecast1", time, verdict, *scores, SIM.simulated, 9.1))


@asynccontextmanager
async def panel_of_press1(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a panel before a ledger that holds the story of press1."""
    ledger = await Ledger.open(tmp_path)
    rules, devices = wiring.machine_rules(FILE, FILE.devices), wiring.device_rules(FILE.devices)
    recorder = Recorder(FILE.equipment, rules, devices, wiring.calendar(FILE), ledger, mono_ns=lambda: 0)
    await recorder.restore()
    await told(recorder)
    reader = Reader(tmp_path)
    view = AgentView(recorder, ledger, reader, tmp_path, refuse, FILE)
    async with serving(create(FILE.equipment, view)) as address:
        yield address
    reader.close()
    await ledger.close()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        panel_of_press1(tmp_path) as address,
        httpx.AsyncClient(base_url=f"http://{address}/api/v1", trust_env=False) as client,
    ):
        yield client


async def asked(client: httpx.AsyncClient, path: str, **wanted: object) -> Any:
    reply = await client.get(path, params={key: str(value) for key, value in wanted.items()})
    assert reply.status_code == 200, reply.text
    return reply.json()


def ms(second: float) -> int:
    return (at("08:00") + int(second * SECOND)) // 1_000_000


async def test_the_shown_records_sum_up_to_the_figure(client: httpx.AsyncClient) -> None:
    told = [one for one in (await asked(client, "/line"))["figures"] if one["machine"] in ("press1", "")]
    assert {one["name"] for one in told} == FIGURES.keys() - NOT_HERE
    for name, machine, window in ((one["name"], one["machine"], one["window"]["kind"]) for one in told):
        said = await asked(client, "/explain", name=name, machine=machine, window=window)
        assert (name, machine, window, said["agrees"]) == (name, machine, window, True)
        if name == "rolled_throughput_yield":
            continue  # a product
        for part in ("numerator", "denominator"):
            shown = [row for row in said["rows"] if row[part]]
            entries = [[one["amount"] * row["each"] for one in row["entries"]] or [row["amount"]] for row in shown]
            assert sum(map(sum, entries)) == pytest.approx(said["figure"][part], abs=1e-6)


async def test_utilization_opens_into_states_gaps_and_the_samples_of_the_light(client: httpx.AsyncClient) -> None:
    said = await asked(client, "/explain", name="utilization", machine="press1")
    rows = {row["word"]: (row["amount"], len(row["entries"])) for row in said["rows"]}
    assert rows == {"executing": (165.0, 3), "stopped": (35.0, 1), "starved": (10.0, 1), "unknown": (50.0, 1)}
    assert [(gap["device"], gap["cause"]) for gap in said["gaps"]] == [("press1", "closed")]
    stopped = next(row for row in said["rows"] if row["word"] == "stopped")
    assert (stopped["source"]["address"], stopped["source"]["words"]["1"]) == ("HR6", "stopped")
    [entry] = stopped["entries"]
    assert entry["note"] == "die-protection"
    raw = await asked(client, "/samples", device="press1", tag="light", since=ms(60), until=ms(95))
    assert [(one["value"], one["quality"]) for one in raw["before"] + raw["samples"]] == [(4.0, "good"), (1.0, "good")]
    records = (await asked(client, "/ledger", machine="press1", kind="state", limit=500))["records"]
    assert entry["seq"] in {record["seq"] for record in records}


async def test_counts_open_into_records_whose_raw_counter_is_in_the_samples(client: httpx.AsyncClient) -> None:
    said = await asked(client, "/explain", name="good", machine="press1")
    [good] = [row for row in said["rows"] if row["kind"] == "count"]
    assert [(one["amount"], one["note"]) for one in good["entries"] if one["amount"]] == [
        (1.0, None), (1.0, None), (1.0, None), (2.0, "late"), (1.0, None),
    ]  # fmt: skip
    raw = await asked(client, "/samples", device="press1", tag="good", since=ms(0), until=ms(END + 1))
    assert [one["value"] for one in raw["samples"]] == [10, 11, 12, 12, 12, 13, 13, 13, 15, 16]


async def test_a_machine_s_page_has_its_states_stops_and_seen_cycles(client: httpx.AsyncClient) -> None:
    said = await asked(client, "/machines/press1", window="hour")
    assert said["seconds"] == {"executing": 165.0, "stopped": 35.0, "starved": 10.0, "unknown": 50.0}
    assert [(one["word"], one["reason"], one["seconds"]) for one in said["stops"]] == [
        ("stopped", "die-protection", 35.0), ("starved", None, 10.0),
    ]  # fmt: skip
    # The parts made unseen have no cycle anybody saw; the baseline is no part.
    assert (said["cycles"]["count"], sum(said["cycles"]["bins"])) == (5, 5)
    assert said["sim"] is True


async def test_the_line_tells_the_time_models_of_the_books_and_which_station_limits_it(
    client: httpx.AsyncClient,
) -> None:
    told = (await asked(client, "/line"))["times"]
    assert told.keys() == {"shift", "hour"}
    page = await asked(client, "/machines/press1", window="hour")
    for window, found in told.items():
        press1 = next(one for one in found["machines"] if one["machine"] == "press1")
        assert (press1["productive_s"], press1["busy_s"], press1["starved_s"]) == (165.0, 210.0, 10.0), window
        assert press1["observed_s"] + press1["unknown_s"] == press1["planned_s"] == END == press1["calendar_s"]
        # The others were not seen: nobody knows which of them waits less.
        assert found["bottleneck"] == {"machine": "press1", "waiting": 10.0 / 210.0, "margin": None}
    assert press1["productive_s"] == page["seconds"]["executing"]


async def test_rejects_by_class_are_the_figure_s_and_lead_to_their_records(client: httpx.AsyncClient) -> None:
    said = await asked(client, "/defects")
    assert (said["inspected"], said["rejected"], said["sim"]) == (6, 3, True)
    classes = [(one["defect"], one["parts"], round(one["cumulative"], 3)) for one in said["classes"]]
    assert classes == [("blowhole", 2, 0.667), ("crack", 1, 1.0)]
    line = await asked(client, "/line")
    [figure] = [one for one in line["figures"] if (one["name"], one["machine"], one["window"]["kind"]) == REJECTED]
    assert (figure["numerator"], figure["denominator"]) == (said["rejected"], said["inspected"])
    records = (await asked(client, "/ledger", kind="inspection", limit=50))["records"]
    named = {one["seq"]: one["value"]["unit"] for one in records if one["value"]["verdict"] == "REJECT"}
    assert {one["seq"]: one["unit"] for row in said["classes"] for one in row["entries"]} == named
    assert await asked(client, "/defects", machine="diecast1", window="hour") == {
        **said,
        "machine": "diecast1",
        "window": {**said["window"], "kind": "hour", "end": "2026-11-20T01:00:00.000Z"},
    }
    assert (await asked(client, "/defects", machine="press1"))["classes"] == []


async def test_a_trend_is_broken_where_the_link_was_away(client: httpx.AsyncClient) -> None:
    said = await asked(client, "/machines/press1/trends", window="hour")
    [cycle] = said["lines"]
    assert (cycle["tag"], cycle["unit"], len(cycle["gaps"])) == ("cycle", "s", 1)
    points = cycle["points"]
    broken = [time for time, value in points if value is None]
    assert broken == [ms(LOST)]
    assert [time for time, _ in points if ms(LOST) < time < ms(BACK)] == []


async def test_what_is_not_there_is_refused_in_words(client: httpx.AsyncClient) -> None:
    wrong = (
        ("/explain", {"name": "beauty"}, 404), ("/machines/oven9", {}, 404), ("/machines/oven9/trends", {}, 404),
        ("/samples", {"device": "press1", "tag": "clock", "since": 0, "until": 1}, 404),
        ("/samples", {"device": "press1", "tag": "light", "since": 2, "until": 1}, 422),
    )  # fmt: skip
    for path, wanted, status in wrong:
        reply = await client.get(path, params={key: str(value) for key, value in wanted.items()})
        assert (path, reply.status_code) == (path, status)
        assert reply.json()["detail"]
