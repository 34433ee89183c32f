"""Home Assistant's sensors: each config finds its own value in the live payloads, with its marks."""

import re
from dataclasses import replace

from gateway.discovery import WORDS, discovery
from gateway.live import LAST_WILL, birth, live
from gateway.topic import parse
from tests.system.panel_view import LINE, LINE_NOW

CONFIGS = discovery(LINE, LINE_NOW, "homeassistant")
PAYLOADS = {str(where): payload for where, payload in live(LINE, LINE_NOW, "7F3A", LINE_NOW.time, {}).items()}
KEYS = {"name", "unique_id", "state_topic", "value_template", "device", "origin", "availability_topic"}


def at(value, path):
    for word in path.split("."):
        value = value[word]
    return value


def rendered(template, payload):
    """What Home Assistant makes of a template, as far as ours go: a path, and filters over a list."""
    path, *filters = (part.strip() for part in re.fullmatch(r"\{\{ (.*) \}\}", template).group(1).split("|"))
    if path.startswith("{"):
        assert filters == ["tojson"]
        return {name: at(payload, where) for name, where in re.findall(r"'(\w+)': value_json\.([\w.]+)", path)}
    value = at(payload, path.removeprefix("value_json."))
    for one in filters:
        if chosen := re.fullmatch(r"selectattr\('([\w.]+)', 'equalto', '(\w+)'\)", one):
            value = [row for row in value if at(row, chosen[1]) == chosen[2]]
        elif mapped := re.fullmatch(r"map\(attribute='(\w+)'\)", one):
            value = [row[mapped[1]] for row in value]
        else:
            assert one == "first"
            value = value[0]
    return value


def test_every_sensor_has_an_address_of_its_own_and_reads_a_topic_that_is_told():
    assert len({config["unique_id"] for config in CONFIGS.values()}) == len(CONFIGS)
    for where, config in CONFIGS.items():
        assert re.fullmatch(r"homeassistant/sensor/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/config", where)
        assert config.keys() >= KEYS
        assert parse(config["state_topic"]) is not None
        assert config["state_topic"] in PAYLOADS


def test_every_figure_of_the_shift_is_a_sensor_that_shows_its_value_and_unit():
    shown = {}
    for config in CONFIGS.values():
        if config["name"] != "State":
            value = rendered(config["value_template"], PAYLOADS[config["state_topic"]])
            shown[config["unique_id"]] = (value, config["unit_of_measurement"])
    base = f"tanchang_{LINE.site}_{LINE.area}_{LINE.line}"
    figures = [kpi for kpi in LINE_NOW.figures if kpi.window.kind == "shift"]
    assert shown == {"_".join(filter(None, (base, kpi.machine, kpi.name))): (kpi.value, kpi.unit) for kpi in figures}


def test_every_machine_s_state_is_one_of_the_words():
    states = [config for config in CONFIGS.values() if config["name"] == "State"]
    assert len(states) == len(LINE_NOW.machines)
    for config in states:
        assert config["options"] == WORDS
        assert rendered(config["value_template"], PAYLOADS[config["state_topic"]]) in WORDS


def test_the_birth_makes_a_sensor_available_and_the_will_takes_it_back():
    where, born = birth(LINE, LINE_NOW)
    for config in CONFIGS.values():
        assert config["availability_topic"] == str(where)
        assert str(rendered(config["availability_template"], born)) == config["payload_available"]
        assert str(rendered(config["availability_template"], LAST_WILL)) == config["payload_not_available"]


def test_marks_stand_beside_every_value_and_what_is_simulated_says_so_in_its_name():
    for config in CONFIGS.values():
        payload = PAYLOADS[config["json_attributes_topic"]]
        marks = rendered(config["json_attributes_template"], payload)
        assert marks == {"quality": payload["quality"], "simulated": payload["sim"], "time": payload["time"]}
    for simulated in (True, False):
        machines = tuple(replace(one, simulated=simulated) for one in LINE_NOW.machines)
        configs = discovery(LINE, replace(LINE_NOW, simulated=simulated, machines=machines), "ha")
        assert {config["device"]["name"].endswith(" (SIM)") for config in configs.values()} == {simulated}


def test_machines_hang_on_their_line():
    devices = {config["device"]["identifiers"][0]: config["device"] for config in CONFIGS.values()}
    line = f"tanchang_{LINE.site}_{LINE.area}_{LINE.line}"
    assert {card.get("via_device") for name, card in devices.items() if name != line} == {line}
    assert "via_device" not in devices[line]
