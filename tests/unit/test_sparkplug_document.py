"""docs/sparkplug.md says of every assertion what the tests do about it, no more and no less."""

import re
from pathlib import Path

from agent.configuration.tables import SparkplugTable
from gateway.sparkplug import face
from tests.system import test_sparkplug_births as births
from tests.system import test_sparkplug_data as data
from tests.system import test_sparkplug_session as session

TEXT = (Path(__file__).parents[2] / "docs" / "sparkplug.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (tck-id-[\w-]+) \| (covered|not applicable) \| (.+) \|$", TEXT, re.MULTILINE)
TESTED = {
    name: where
    for where, one in {"births": births, "data": data, "session": session}.items()
    for name in one.HOLDS.by_id
}


def test_what_is_said_to_be_covered_has_a_test_named_by_its_id_and_the_other_way_round():
    assert {name: where for name, how, where in ROWS if how == "covered"} == TESTED


def test_every_assertion_stands_once_and_one_that_does_not_apply_says_why():
    names = [name for name, _, _ in ROWS]
    assert len(set(names)) == len(names)
    assert all(" " in why for _, how, why in ROWS if how == "not applicable")


def test_the_numbers_are_those_of_the_table():
    covered = [how for _, how, _ in ROWS].count("covered")
    assert f"{covered} of {len(ROWS)} edge-node assertions" in TEXT
    assert f"{len(ROWS) - covered} do not apply" in TEXT


def test_every_metric_and_key_is_in_the_document():
    metrics = [face.LEDGER, face.SEQ, face.RECORD, face.DURABLE, face.SIMULATED, face.EQUIPMENT, face.FAULTS]
    for name in [*metrics, *face.COUNTERS, "state", "cause", "reason_word", "cycle", "inspection/verdict"]:
        assert f"`{name}`" in TEXT
    for key in SparkplugTable.model_fields:
        assert f"{key} =" in TEXT or f".{key}]]" in TEXT
