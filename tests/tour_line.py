"""A scripted line for the tour's tests: live payloads of docs/wire.md, at 14:32 of a day shift in Foshan."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image, ImageDraw

Message = tuple[str, dict[str, Any]]
State = tuple[str, str | None, str | None, int]  # word, cause, reason word, minutes since

PATH = "foshan/appliances/cooker3"
NOW = datetime(2026, 11, 20, 6, 32, 5, tzinfo=UTC)
SHIFT = {"kind": "shift", "label": "day", "start": "2026-11-20T00:00:00.000Z", "end": "2026-11-20T12:00:00.000Z"}
HOUR = {"kind": "hour", "label": "14", "start": "2026-11-20T06:00:00.000Z", "end": "2026-11-20T07:00:00.000Z"}
NAMES = {
    "diecast1": {"zh-CN": "压铸", "en": "Die casting"},
    "press1": {"zh-CN": "压力机", "en": "Press"},
    "trim1": {"zh-CN": "机器人修边", "en": "Robot trim"},
    "assembly1": {"zh-CN": "装配", "en": "Assembly"},
    "testpack1": {"zh-CN": "测试包装", "en": "Test and pack"},
}
COUNTS = {
    "diecast1": (1136, 27),
    "press1": (1110, 12),
    "trim1": (1091, 3),
    "assembly1": (1071, 5),
    "testpack1": (1052, 9),
}
UTILIZATION = {"diecast1": 91.7, "press1": 88.4, "trim1": 78.0, "assembly1": 86.4, "testpack1": 89.0}
BUSY: dict[str, State] = {
    "diecast1": ("executing", None, None, 40),
    "press1": ("stopped", "stopped", "die-protection", 8),
    "trim1": ("unknown", None, None, 29),
    "assembly1": ("starved", "starved", None, 3),
    "testpack1": ("executing", None, None, 72),
}
GOOD: dict[str, State] = dict.fromkeys(NAMES, ("executing", None, None, 92))


def iso(time: datetime) -> str:
    """As on the wire."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(value: Any, quality: str = "good", time: datetime = NOW, *, sim: bool = True) -> dict[str, Any]:
    """A live payload around a value."""
    return {"value": value, "time": iso(time), "quality": quality, "sim": sim}


def topic(*words: str, tree: str = "tanchang/v1") -> str:
    """A topic below the scripted line."""
    return "/".join((tree, PATH, *words))


def heartbeat(seq: int = 10482, time: datetime = NOW, speed: float = 1.0, least: float = 0.5) -> Message:
    """The line's `_line`."""
    site, area, line = PATH.split("/")
    value: dict[str, Any] = {
        "site": site,
        "area": area,
        "line": line,
        "display": {"zh-CN": "电饭煲三线", "en": "Rice cooker line 3"},
    }
    value |= {
        "takt_s": 17.0,
        "least_coverage": least,
        "timezone": "Asia/Shanghai",
        "machines": list(NAMES),
        "ledger": "00",
        "seq": seq,
    }
    value |= {"root": "7F3A", "speed": speed, "durable": True, "wall": iso(time)}
    return topic("_line"), envelope(value, time=time)


def figure(name: str, value: float | None, unit: str, machine: str = "", **more: Any) -> dict[str, Any]:
    """A whole figure of this shift, unless told otherwise."""
    whole: dict[str, Any] = {"name": name, "machine": machine, "window": SHIFT, "value": value, "unit": unit}
    whole |= {"low": value, "high": value, "numerator": 1000.0, "denominator": 1136.0, "coverage": 1.0}
    whole |= {"covered_s": 100.0, "expected_s": 100.0, "target": None, "revision": 0, "closed": False}
    return whole | {"time": iso(NOW), "sim": True} | more


def machine(name: str, state: State) -> list[Message]:
    """`_state` and `_kpi` of a machine."""
    word, cause, reason, minutes = state
    good, scrap = COUNTS[name]
    value: dict[str, Any] = {
        "name": name,
        "display": NAMES[name],
        "state": "NOT_EXECUTING" if cause else word.upper(),
        "cause": cause,
    }
    value |= {"word": word, "reason": 31 if reason else None, "reason_word": reason}
    value |= {"since": iso(NOW - timedelta(minutes=minutes)), "observed": iso(NOW), "good": good, "scrap": scrap}
    value["cycle_s"] = 16.2 if word == "executing" else None
    lost: dict[str, Any] = {"coverage": 0.72, "low": 61.2, "high": 88.7} if word == "unknown" else {}
    kpis = [figure("utilization", UTILIZATION[name], "%", name, **lost)]
    return [
        (topic(name, "_state"), envelope(value, "unknown" if word == "unknown" else "good")),
        (topic(name, "_kpi"), envelope(kpis)),
    ]


def line_figures(**more: Any) -> Message:
    """The line's `_kpi`: all figures of the board."""
    figures = [
        figure("utilization", 88.2, "%", target=90.0, coverage=0.944, low=83.2, high=89.9) | more,
        figure("first_pass_yield", 97.6, "%", target=97.0, low=96.6, high=98.4, coverage=0.989),
        figure("takt", 18.2, "s", window=HOUR, target=17.0, denominator=99.0),
        figure("takt", 17.9, "s", target=17.0, denominator=1061.0),
        figure("good", 1052.0, "parts", numerator=1052.0, denominator=1189.3),
        figure("inspection_pass", 1109.0, "parts", "diecast1", denominator=1148.0),
        figure("inspection_reject", 27.0, "parts", "diecast1", denominator=1148.0),
        figure("inspection_ask", 12.0, "parts", "diecast1", denominator=1148.0),
    ]
    return topic("_kpi"), envelope(figures)


def evidence() -> str:
    """A small picture of a part with a warm spot, as a data address."""
    image = Image.new("RGB", (176, 176), "#2B2F35")
    draw = ImageDraw.Draw(image)
    draw.ellipse((14, 14, 162, 162), fill="#A9AEB4")
    draw.ellipse((66, 66, 110, 110), fill="#22262B")
    draw.ellipse((112, 44, 150, 80), fill="#F07B2A", outline="white", width=3)
    held = io.BytesIO()
    image.save(held, "WEBP")
    return f"data:image/webp;base64,{base64.b64encode(held.getvalue()).decode()}"


def inspection(verdict: str = "REJECT", defect: str | None = "blowhole") -> Message:
    """The last inspected casting."""
    last: dict[str, Any] = {
        "unit": "diecast1-001148",
        "verdict": verdict,
        "score": 0.97,
        "image_score": 0.97,
        "process_score": 0.4,
    }
    last |= {"defect": defect, "model": "0123456789ab", "evidence": "x.webp", "took_ms": 9.1, "time": iso(NOW)}
    return topic("diecast1", "_inspection"), envelope({"last": last, "image": evidence()})


def plan() -> Message:
    """Three jobs with three kinds of reason."""
    rows = [
        ("J17", "A", 18, {"code": "same_family", "saves_s": 960.0, "over": "J12"}),
        ("J12", "C", 68, {"code": "due_first", "over": "J15"}),
        ("J15", "B", 113, {"code": "ready_first", "saves_s": 240.0, "over": "J16"}),
    ]
    jobs = [
        {
            "order": order,
            "product": product,
            "display": {"zh-CN": f"产品 {product}", "en": f"Product {product}"},
            "operation": 0,
            "machine": "diecast1",
            "start": iso(NOW + timedelta(minutes=minutes)),
            "end": iso(NOW + timedelta(minutes=minutes + 30)),
            "setup_s": 0.0,
            "quantity": 120,
            "reason": reason,
        }
        for order, product, minutes, reason in rows
    ]
    value = {"jobs": jobs, "rung": "policy", "model": "0123456789ab", "late": 0, "setup_share": 0.1}
    return topic("_plan"), envelope(value)


def whole(states: dict[str, State] | None = None, **figures: Any) -> list[Message]:
    """Everything the agent keeps retained for the line; busy unless told otherwise."""
    machines = [message for name, state in (states or BUSY).items() for message in machine(name, state)]
    online = (topic("_online"), envelope(value=True))
    return [online, heartbeat(), *machines, line_figures(**figures), inspection(), plan()]


def wire(messages: list[Message]) -> list[tuple[str, bytes]]:
    """The messages as bytes."""
    return [(where, json.dumps(payload).encode()) for where, payload in messages]
