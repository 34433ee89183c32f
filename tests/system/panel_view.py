"""A line as the panel may find it, built from the model's nouns: the seam its tests stand at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from agent.model import (
    BAD_NOT_CONNECTED,
    GOOD,
    SECOND,
    UNKNOWN,
    Cause,
    Decision,
    DeviceNow,
    Fault,
    Inspection,
    Job,
    Kind,
    Kpi,
    Line,
    LineNow,
    Machine,
    MachineNow,
    MachineState,
    Order,
    Origin,
    Plan,
    Record,
    State,
    TagNow,
    TimeModel,
    Verdict,
    Window,
)
from agent.storage.reader import Series
from gateway.order import OrderError
from gateway.panel.view import FramesNow, Source
from gateway.payload import audit_body, verdict_body
from tests.system.panel_frames import FRAMES

ZONE = ZoneInfo("Asia/Shanghai")
SIM = True
CLOSED = False
UP, DOWN = True, False
RUN = MachineState(State.EXECUTING)


def at(clock: str) -> int:
    """Plant time of a clock reading on the sample's day."""
    return int(datetime.fromisoformat(f"2026-11-20T{clock}").replace(tzinfo=ZONE).timestamp()) * SECOND


NOW = at("14:32:05")
SHIFT = Window("shift", "day", at("08:00"), at("20:00"))
STOPPED = MachineState(State.NOT_EXECUTING, Cause.STOPPED, 31)
STARVED = MachineState(State.NOT_EXECUTING, Cause.STARVED)
WORDS = {"run": RUN, "stop": STOPPED, "wait": STARVED, "none": UNKNOWN}

LINE = Line(
    site="foshan",
    area="appliances",
    line="cooker3",
    display={"zh-CN": "电饭煲三线", "en": "Rice cooker line 3"},
    takt_s=17.0,
    timezone="Asia/Shanghai",
    machines=(
        Machine("diecast1", {"zh-CN": "压铸", "en": "Die casting"}, {11: "die-stuck"}),
        Machine("press1", {"zh-CN": "压力机", "en": "Press"}, {31: "die-protection"}),
        Machine("trim1", {"zh-CN": "机器人修边", "en": "Robot trim"}, {41: "gripper-lost"}),
        Machine("assembly1", {"zh-CN": "装配", "en": "Assembly"}, {51: "screw-jam"}),
        Machine("testpack1", {"zh-CN": "测试包装", "en": "Test and pack"}, {61: "label-jam"}),
    ),
    products={p: {"zh-CN": f"产品 {p}", "en": f"Product {p}"} for p in "ABC"},
    targets={"utilization": 90.0, "first_pass_yield": 97.0},
)


def kpi(
    name: str, machine: str, unit: str, parts: tuple[float, float, float | None], coverage: float, **more: Any
) -> Kpi:
    """A figure of the shift: numerator, denominator and value in `parts`."""
    expected = 337 * 60.0 * (1 if machine else 5)
    numerator, denominator, value = parts
    low, high = more.get("low"), more.get("high")
    return Kpi(
        name, machine, SHIFT, numerator, denominator, unit, value, low, high,
        coverage * expected, expected, more.get("target"), NOW, 0, CLOSED, SIM,
    )  # fmt: skip


FIGURES = (
    kpi("utilization", "", "%", (84175.0, 95437.0, 88.2), 0.944, low=83.2, high=88.9, target=90.0),
    kpi("first_pass_yield", "", "%", (1109.0, 1136.0, 97.6), 0.989, low=96.6, high=98.4, target=97.0),
    kpi("takt", "", "s", (1802.0, 99.0, 18.2), 1.0, target=17.0),
    kpi("good", "", "parts", (1052.0, 1189.4, 1052.0), 1.0),
    kpi("inspection_pass", "", "parts", (1109.0, 1148.0, 1109.0), 1.0),
    kpi("inspection_reject", "", "parts", (27.0, 1148.0, 27.0), 1.0),
    kpi("inspection_ask", "", "parts", (12.0, 1148.0, 12.0), 1.0),
    kpi("utilization", "diecast1", "%", (18542.0, 20220.0, 91.7), 1.0, low=91.7, high=91.7),
    kpi("utilization", "press1", "%", (17874.0, 20220.0, 88.4), 1.0, low=88.4, high=88.4),
    kpi("utilization", "trim1", "%", (12360.0, 14580.0, 84.8), 0.72, low=61.1, high=89.0),
    kpi("utilization", "assembly1", "%", (17470.0, 20220.0, 86.4), 1.0, low=86.4, high=86.4),
    kpi("utilization", "testpack1", "%", (17995.0, 20220.0, 89.0), 1.0, low=89.0, high=89.0),
    kpi("utilization_calendar", "", "%", (85000.0, 111235.0, 76.4), 0.946, low=72.3, high=77.7),
    kpi("effectiveness", "", "%", (18037.0, 17295.0, 104.3), 1.0),
    kpi("oee", "", "%", (17884.0, 20220.0, 88.4), 1.0, low=88.4, high=88.4),
    kpi("mtbf", "", "s", (84175.0, 0.0, None), 0.944),
    kpi("starved_ratio", "assembly1", "%", (1800.0, 20220.0, 8.9), 1.0, low=8.9, high=8.9),
)

# Seconds of the shift by machine: observed, productive, starved, blocked.
LIVED = {
    "diecast1": (20220.0, 18542.0, 0.0, 250.0),
    "press1": (20220.0, 17874.0, 720.0, 140.0),
    "trim1": (14580.0, 12360.0, 900.0, 0.0),
    "assembly1": (20220.0, 17470.0, 1800.0, 0.0),
    "testpack1": (20220.0, 17995.0, 1020.0, 0.0),
}
TIMES = tuple(
    TimeModel(
        name, 23525.0, 20220.0, seen, seen - 60.0, ran, 20220.0 - seen,
        {"executing": ran, "starved": starved, "blocked": blocked, "stopped": seen - 60.0 - ran - starved - blocked,
         "idle": 60.0},
    )
    for name, (seen, ran, starved, blocked) in LIVED.items()
)  # fmt: skip

MACHINES = (
    MachineNow("diecast1", RUN, at("13:52"), 1109, 27, 16.2, NOW, SIM),
    MachineNow("press1", STOPPED, at("14:24"), 1101, 4, 16.8, NOW, SIM),
    MachineNow("trim1", UNKNOWN, at("14:03"), 958, 2, None, at("14:03"), SIM),
    MachineNow("assembly1", STARVED, at("14:29"), 1077, 5, 17.4, NOW, SIM),
    MachineNow("testpack1", RUN, at("13:20"), 1052, 9, 17.1, NOW, SIM),
)

INSPECTIONS = (
    Inspection("diecast1-001148", "diecast1", at("14:31:52"), Verdict.REJECT, 0.9996, 0.9996, 0.41, "blowhole",
               "8c1e09d2f4ab", "diecast1-001148.png", SIM, 9.1),
    Inspection("diecast1-001147", "diecast1", at("14:31:36"), Verdict.PASS, 0.03, 0.03, 0.02, None,
               "8c1e09d2f4ab", "diecast1-001147.png", SIM, 8.8),
    Inspection("diecast1-001146", "diecast1", at("14:31:20"), Verdict.ASK, 0.52, 0.52, None, "flash",
               "8c1e09d2f4ab", None, SIM, 9.4),
)  # fmt: skip

PLAN = Plan(
    jobs=(
        Job("J17", "A", 0, "diecast1", at("14:50"), at("16:40"), 0.0, 420,
            {"code": "same_family", "saves_s": 960, "over": "J12"}),
        Job("J12", "C", 0, "diecast1", at("15:40"), at("16:30"), 720.0, 180, {"code": "due_first", "over": "J21"}),
        Job("J21", "B", 1, "press1", at("16:25"), at("17:30"), 360.0, 240, {"code": "only_choice"}),
    ),
    rung="policy", model="5af01c22e9d1", time=NOW, late=0, setup_share=0.08,
)  # fmt: skip

FAULTS = (
    Fault("trim1", "not_connected", "no answer from 127.0.0.1:5020",
          "check the cable and the cabinet's power; reading resumes by itself", at("14:03")),
)  # fmt: skip


def tag(name: str, value: float | str | None, unit: str = "", status: int = GOOD, age_s: float | None = 0.1) -> TagNow:
    return TagNow(name, unit, value, status, NOW if age_s is not None else 0, age_s)


SIMULATED = Origin("tanchang", "simulated plant", SIM, 60.0)
CELL1 = DeviceNow(
    "cell1", "opcua", "opc.tcp://127.0.0.1:4840/", UP, 0.1, 12.0, 8431, 0, SIMULATED, None,
    (tag("clock", 1795156325000.0, "ms"), tag("diecast1_light", 4.0), tag("diecast1_good", 1109.0),
     tag("die_temperature", 231.4, "Cel"), tag("diecast1_cycle", 16.2, "s")),
)  # fmt: skip
TRIM1 = DeviceNow(
    "trim1", "modbus", "127.0.0.1:5020 unit 3", DOWN, 29.0, None, 5210, 17, SIMULATED, at("14:03"),
    (tag("light", 4.0, status=BAD_NOT_CONNECTED, age_s=29.0), tag("good", 958.0, status=BAD_NOT_CONNECTED, age_s=29.0)),
)  # fmt: skip
METER1 = DeviceNow(
    "meter1", "modbus", "127.0.0.1:5020 unit 10", UP, 0.4, 3.2, 1210, 0, SIMULATED, None,
    (tag("power", 41250.0, "W"), tag("energy", 1931.7, "kWh")),
)  # fmt: skip

LINE_NOW = LineNow(
    ledger="9c41d0b7", seq=48213, time=NOW, simulated=True, speed=60.0, durable=True, machines=MACHINES,
    figures=FIGURES, faults=FAULTS, inspections=INSPECTIONS, plan=PLAN, times={"shift": TIMES},
)  # fmt: skip

STORY = {
    "diecast1": "10:00 run 13:24 stop 13:52 run",
    "press1": "10:00 run 10:51 stop 10:56 run 13:30 wait 13:42 run 14:24 stop",
    "trim1": "10:00 run 11:20 none 11:55 run 13:06 none 13:36 run 14:03 none",
    "assembly1": "10:00 run 10:35 wait 10:47 run 13:45 wait 14:01 run 14:29 wait",
    "testpack1": "10:00 run 11:20 wait 11:30 run 13:10 stop 13:14 wait 13:20 run",
}


def state_record(machine: str, time: int, state: MachineState, seq: int) -> Record:
    reason = "die-protection" if state.reason == 31 else None
    body = {
        "state": state.state.value,
        "previous": "idle",
        "word": state.word,
        "reason": state.reason,
        "reason_word": reason,
    }
    return Record(Kind.STATE, machine, time, body, SIM, seq)


LIGHTS = {"1": "stopped", "2": "starved", "4": "executing"}
SOURCES = {
    machine.name: (
        Source("state", machine.name, "light", "", "HR6", "u16", 0.1, LIGHTS),
        Source("good", machine.name, "good", "", "HR4", "u16", 0.1),
        Source("scrap", machine.name, "scrap", "", "HR5", "u16", 0.1),
        Source("cycle", machine.name, "cycle", "s", "HR8", "f32", 0.1),
        Source("", machine.name, "current", "A", "HR10", "f32", 0.5),
    )
    for machine in LINE.machines
}


def samples_of(rows: list[tuple[int, float]]) -> Series:
    """Good samples at plant times."""
    time = np.array([at for at, _ in rows], np.int64)
    return Series(time, np.array([value for _, value in rows]), np.zeros(len(rows), np.uint32))


def _history() -> list[Record]:
    found = []
    for machine, story in STORY.items():
        words = story.split()
        found += [state_record(machine, at(c), WORDS[w], 0) for c, w in zip(words[::2], words[1::2], strict=True)]
    for part in INSPECTIONS:
        body = {
            "unit": part.unit, "verdict": part.verdict.value, "score": part.score, "image_score": part.image_score,
            "process_score": part.process_score, "defect": part.defect, "model": part.model,
            "evidence": part.evidence, "took_ms": part.took_ms,
        }  # fmt: skip
        found.append(Record(Kind.INSPECTION, part.machine, part.time, body, SIM))
    gap = {
        "what": "trim1",
        "cause": "not_connected",
        "from": "2026-11-20T03:20:00.000Z",
        "to": "2026-11-20T03:55:00.000Z",
    }
    found.append(Record(Kind.GAP, "trim1", at("11:55"), {**gap, "low": None, "high": None}, SIM))
    ordered = sorted(found, key=lambda record: record.time)
    return [replace(record, seq=index + 1) for index, record in enumerate(ordered)]


@dataclass
class SampleView:
    """The seam: answers from `line_now` and `history`; `commit` shows a new state to those who wait."""

    folder: Path
    line_now: LineNow = LINE_NOW
    links: tuple[DeviceNow, ...] = (CELL1, TRIM1, METER1)
    history: list[Record] = field(default_factory=_history)
    orders: list[Order] = field(default_factory=list)
    audited: list[tuple[str, str, str, str]] = field(default_factory=list)
    tapes: dict[tuple[str, str], Series] = field(default_factory=dict)
    wires: dict[str, FramesNow] = field(default_factory=FRAMES.copy)
    _next: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, line_now: LineNow) -> None:
        self.line_now = line_now
        self._next.set()
        self._next = asyncio.Event()

    def now(self) -> LineNow:
        return self.line_now

    def devices(self) -> tuple[DeviceNow, ...]:
        return self.links

    def frames(self, device: str) -> FramesNow | None:
        known = any(link.name == device for link in self.links)
        return self.wires.get(device, FramesNow()) if known else None

    async def changed(self) -> None:
        await self._next.wait()

    def records(
        self, kind: Kind | None, machine: str | None, since: int | None, until: int | None, limit: int, *, newest: bool
    ) -> list[Record]:
        found = [
            record
            for record in self.history
            if kind in (None, record.kind)
            and machine in (None, record.machine)
            and (since is None or since <= record.time)
            and (until is None or record.time < until)
        ]
        return (found[::-1] if newest else found)[:limit]

    def depth(self) -> Mapping[str, int]:
        return {"last_seq": self.line_now.seq, "mqtt": self.line_now.seq - 3}

    def evidence(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.parent == self.folder and path.is_file() else None

    async def take_order(self, order: Order) -> None:
        if any(known.order == order.order for known in self.orders):
            raise OrderError(f"order {order.order} is known already")
        self.orders.append(order)

    async def audit(self, event: str, by: str, role: str, detail: str) -> None:
        self.audited.append((event, by, role, detail))
        body = audit_body(event, "0.1.0", detail, by, role)
        self.history.append(Record(Kind.AUDIT, "", self.line_now.time, body, SIM, len(self.history) + 1))

    async def give_reason(self, machine: str, body: Mapping[str, object]) -> None:
        self.history.append(Record(Kind.REASON, machine, self.line_now.time, body, SIM, len(self.history) + 1))

    async def decide(self, one: Decision) -> None:
        record = Record(Kind.VERDICT, one.machine, self.line_now.time, verdict_body(one), SIM, len(self.history) + 1)
        self.history.append(record)

    def root(self) -> str:
        return "7F3A"

    def sources(self, machine: str) -> tuple[Source, ...]:
        return SOURCES[machine]

    def planned(self, since: int, until: int) -> tuple[tuple[int, int], ...]:
        pause = (at("12:00"), at("12:45"))
        work = ((at("08:00"), pause[0]), (pause[1], at("20:00")))
        return tuple((max(a, since), min(b, until)) for a, b in work if a < until and b > since)

    def samples(self, device: str, tag: str, since: int, until: int) -> Series:
        found = self.tapes.get((device, tag), samples_of([]))
        inside = (found.source_time >= since) & (found.source_time < until)
        return Series(found.source_time[inside], found.value[inside], found.status[inside])
