"""The line's states and figures as Home Assistant finds them by itself: one retained config a sensor. Pure.

Formats: Home Assistant's MQTT discovery, component `sensor`; the values stay where they are, in the live lane.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.model import Kpi, Line, LineNow
from gateway.payload import Json
from gateway.topic import ONLINE, topic

WORDS = ["executing", "idle", "blocked", "starved", "stopped", "changeover", "out_of_service", "unknown"]
STATE = "{{ value_json.value.word }}"
MARKS = "{{ {'quality': value_json.quality, 'simulated': value_json.sim, 'time': value_json.time} | tojson }}"
FIGURE = (
    "{{{{ value_json.value | selectattr('name', 'equalto', '{name}') "
    "| selectattr('window.kind', 'equalto', '{window}') | map(attribute='value') | first }}}}"
)


def discovery(line: Line, now: LineNow, prefix: str) -> dict[str, Json]:
    """Configs by topic, for each machine's state and each figure of a shift. What is simulated says so in its name."""
    found = {}
    for machine in now.machines:
        sensor = {
            **_common(line, now, machine.name, "state"),
            "name": "State",
            "state_topic": str(topic(line, "_state", machine.name)),
            "value_template": STATE,
            "device_class": "enum",
            "options": WORDS,
        }
        found[_where(line, prefix, machine.name, "state")] = _marked(sensor)
    for kpi in now.figures:
        if kpi.window.kind == "shift":
            found[_where(line, prefix, kpi.machine, kpi.name)] = _marked(_figure(line, now, kpi))
    return found


def _figure(line: Line, now: LineNow, kpi: Kpi) -> Json:
    sensor = {
        **_common(line, now, kpi.machine, kpi.name),
        "name": kpi.name.replace("_", " ").capitalize(),
        "state_topic": str(topic(line, "_kpi", kpi.machine)),
        "value_template": FIGURE.format(name=kpi.name, window=kpi.window.kind),
        "unit_of_measurement": kpi.unit,
        "state_class": "measurement",
        "suggested_display_precision": 0 if kpi.unit in ("parts", "stops") else 1,
    }
    return sensor | ({"device_class": "duration"} if kpi.unit == "s" else {})


def _marked(sensor: Json) -> Json:
    """With the marks of its payload beside the value: nothing simulated, uncertain or old looks like a good one."""
    return sensor | {"json_attributes_topic": sensor["state_topic"], "json_attributes_template": MARKS}


def _common(line: Line, now: LineNow, machine: str, what: str) -> Json:
    online = str(topic(line, ONLINE))
    return {
        "unique_id": "_".join((_device(line, machine), what)),
        "availability_topic": online,
        "availability_template": "{{ value_json.value }}",
        "payload_available": "True",
        "payload_not_available": "False",
        "device": _card(line, now, machine),
        "origin": {"name": "tanchang"},
    }


def _card(line: Line, now: LineNow, machine: str) -> Json:
    """The line, or a machine of it, as a device."""
    displays: Mapping[str, Mapping[str, str]] = {one.name: one.display for one in line.machines}
    simulated = {one.name: one.simulated for one in now.machines}.get(machine, now.simulated)
    display = displays[machine] if machine else line.display
    name = display.get("en") or next(iter(display.values()), machine or line.line)
    card: Json = {
        "identifiers": [_device(line, machine)],
        "name": f"{name} (SIM)" if simulated else name,
        "manufacturer": line.site,
        "model": "Machine" if machine else "Production line",
        "suggested_area": line.area,
    }
    return card | ({"via_device": _device(line, "")} if machine else {})


def _device(line: Line, machine: str) -> str:
    return "_".join(("tanchang", line.site, line.area, line.line, *((machine,) if machine else ())))


def _where(line: Line, prefix: str, machine: str, what: str) -> str:
    """`<prefix>/sensor/<node>/<object>/config`."""
    return f"{prefix}/sensor/{_device(line, machine)}/{what}/config"
