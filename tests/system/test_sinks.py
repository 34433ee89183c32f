"""Records wait for whom the line file names, and for nobody else: who leaves is let go, who comes begins."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from agent.ledger import Keep, Ledger, Reader
from agent.linefile import load
from agent.model import SECOND, Kind, Record
from agent.sinks import settle, sinks
from agent.view import AgentView
from gateway import payload
from tests.system.test_ledger_damaged import WIRE
from tests.system.test_sparkplug_agent import LINE, running

NOW = 1_790_000_000 * SECOND
MQTT_ONLY = "[mqtt]\nhost = '127.0.0.1'\n"
WITH_CONSUMER = f"{MQTT_ONLY}consumer = 'mes'\n"


@pytest.fixture
def line(tmp_path):
    def written(faces):
        head, tail = LINE.format(port=1, device=1).split("[mqtt]")
        (tmp_path / "line.toml").write_text(f"{head}{faces}\n[[device]]{tail.partition('[[device]]')[2]}")
        return load(tmp_path / "line.toml")

    return written


def facts(number):
    return [Record(Kind.AUDIT, "", NOW, payload.audit_body("made", "0"), simulated=True)] * number


async def started(agent):
    """The events that the ledger tells, once this start is among them."""
    begun = agent.ledger.last_seq
    while True:
        last = agent.ledger.last_seq
        events = [one.body.get("event") for one in await agent.ledger.records(0, 100)]
        if events[begun:].count("start"):
            return events
        await agent.ledger.wait_past(last)


@pytest.mark.parametrize(
    ("faces", "named"),
    [
        ("", ()),
        (MQTT_ONLY, ("mqtt",)),
        (WITH_CONSUMER, ("mqtt", "mqtt:mes")),
        (f"{MQTT_ONLY}[sparkplug]\n", ("mqtt", "sparkplug")),
    ],
)
def test_the_line_file_names_who_takes_records(line, faces, named):
    assert sinks(line(faces)) == named


async def test_a_consumer_that_is_named_no_more_is_let_go_with_a_record_and_no_longer_holds_retention(tmp_path, line):
    ledger = await Ledger.open(tmp_path / "data", keep=Keep(records_hours=0))
    await settle(ledger, line(WITH_CONSUMER), "0", NOW, simulated=True)
    await ledger.commit(facts(1500))
    await ledger.move_cursor("mqtt", 1500)
    await ledger.move_cursor("mqtt:mes", 3)
    await ledger.close()
    ledger = await Ledger.open(tmp_path / "data", keep=Keep(records_hours=0))
    await ledger.commit(facts(1))
    assert (await ledger.records(0, 1))[0].seq == 1
    await settle(ledger, line(MQTT_ONLY), "0", NOW, simulated=True)
    await ledger.commit(facts(1))
    assert (await ledger.records(0, 1))[0].seq == 501
    (told,) = [one for one in await ledger.records(1000, 1000) if one.body["event"] == "sink_removed"]
    assert told.body["detail"] == "mqtt:mes is not in the line file any more: it had everything up to 3"
    Draft202012Validator(WIRE.schema).validate(payload.record(ledger.id, told))
    await ledger.close()
    reader = Reader(tmp_path / "data")
    assert reader.cursors() == {"mqtt": 1500}
    reader.close()
    # Named once more it begins where records still are, and they wait for it from then on.
    ledger = await Ledger.open(tmp_path / "data", keep=Keep(records_hours=0))
    await settle(ledger, line(WITH_CONSUMER), "0", NOW, simulated=True)
    begin = ledger.cursor("mqtt:mes")
    assert (await ledger.records(begin, 1))[0].seq == begin + 1 > 500
    await settle(ledger, line(WITH_CONSUMER), "0", NOW, simulated=True)
    assert ledger.last_seq == 1503
    await ledger.close()


async def test_a_removed_sparkplug_face_is_let_go_at_the_start_and_the_panel_lists_who_is_named(tmp_path, line):
    line(f"{MQTT_ONLY}[sparkplug]\n")
    async with running(tmp_path, tmp_path / "data") as agent:
        await started(agent)
        assert set(agent.ledger.cursors) == {"mqtt", "sparkplug"}
    line(WITH_CONSUMER)
    async with running(tmp_path, tmp_path / "data") as agent:
        assert "sink_removed" in await started(agent)
        assert set(agent.ledger.cursors) == {"mqtt", "mqtt:mes"}
        view = AgentView(agent.recorder, agent.ledger, agent.reader, tmp_path, agent.take_order, agent.file)
        assert view.depth().keys() == {"last_seq", "mqtt", "mqtt:mes"}
