"""The Sparkplug edge node without a broker: any life of a session keeps its rules; payloads come back as they were."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import SECOND, Kind, Line, LineNow, Machine, MachineNow, MachineState, Record, State
from gateway.payload import count_body
from gateway.sparkplug.host import PrimaryHost, wrong_with
from gateway.sparkplug.metric import REBIRTH, DataType, Ids, Metric
from gateway.sparkplug.session import Session, SessionError
from gateway.sparkplug.teller import Teller
from gateway.sparkplug.wire import Field, Payload, PayloadError, decode, encode

IDS = Ids("foshan:appliances", "cooker3")
NAMES = ("press1", "washer1")
LINE = Line("foshan", "appliances", "cooker3", {}, 17.0, "UTC", tuple(Machine(one, {}, {}) for one in NAMES), {}, {})

VALUES = {
    DataType.INT32: st.integers(-(2**31), 2**31 - 1),
    DataType.INT64: st.integers(-(2**63), 2**63 - 1),
    DataType.DOUBLE: st.floats(allow_nan=False),
    DataType.BOOLEAN: st.booleans(),
    DataType.STRING: st.text(),
}
TYPED = st.sampled_from(list(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), st.none() | VALUES[kind]))
UNSIGNED = st.integers(0, 2**64 - 1)
FIELDS = st.builds(
    lambda typed, name, alias, time, historical, marks: Field(typed[1], name, alias, time, typed[0], historical, marks),
    TYPED,
    st.none() | st.text(),
    st.none() | UNSIGNED,
    st.none() | UNSIGNED,
    st.booleans(),
    st.dictionaries(st.text(), TYPED, max_size=3),
)


@settings(max_examples=50)
@given(st.builds(Payload, st.none() | UNSIGNED, st.none() | UNSIGNED, st.lists(FIELDS, max_size=5).map(tuple)))
def test_a_payload_comes_back_as_it_was(payload):
    assert decode(encode(payload)) == payload


@given(st.binary(max_size=200))
def test_bytes_of_anybody_are_a_payload_or_refused(raw):
    try:
        payload = decode(raw)
    except PayloadError:
        assert wrong_with(raw, "NCMD") is not None
    else:
        assert isinstance(payload, Payload)


@settings(max_examples=50)
@given(st.sampled_from(["NCMD", "DCMD"]), st.lists(FIELDS, max_size=3).map(tuple))
def test_no_command_but_a_rebirth_request_is_taken(message, fields):
    asks = fields and all(one.name == REBIRTH and one.value is True for one in fields)
    assert (wrong_with(encode(Payload(1, None, fields)), message) is None) == bool(message == "NCMD" and asks)


def test_a_rebirth_request_is_taken_on_the_node_alone():
    raw = encode(Payload(1, None, (Field(value=True, name=REBIRTH, type=DataType.BOOLEAN),)))
    assert wrong_with(raw, "NCMD") is None
    assert wrong_with(raw, "DCMD") == "it wants to write 'Node Control/Rebirth'"


STATES = st.tuples(st.booleans(), st.integers(0, 9)).map(lambda one: {"online": one[0], "timestamp": one[1]})
ODD = st.sampled_from([b"ONLINE", b"", b"[]", b"7", b'{"online": 1, "timestamp": 99}', b'{"online": true}', b"\xff"])


@given(st.lists(STATES.map(lambda one: json.dumps(one).encode()) | ODD, max_size=20))
def test_the_host_is_what_its_newest_word_says(heard):
    host, newest, online = PrimaryHost("scada"), -1, False
    for payload in heard:
        host.hear(payload)
        said = json.loads(payload) if payload.startswith(b'{"online": ') and b"99" not in payload else {}
        if said.get("timestamp", -1) >= newest and "timestamp" in said:
            newest, online = said["timestamp"], said["online"]
        assert host.online is online


def test_another_broker_has_a_newest_word_of_its_own():
    host = PrimaryHost("scada")
    host.hear(b'{"online": true, "timestamp": 9}')
    host.forget()
    assert not host.online
    host.hear(b'{"online": true, "timestamp": 5}')
    assert host.online


@pytest.mark.parametrize("word", ["", "a/b", "a+", "#", "a\n", "x" * 65])
def test_words_no_topic_can_hold_are_refused(word):
    with pytest.raises(ValueError, match="cannot stand in a Sparkplug topic"):
        Ids(word, "node")
    with pytest.raises(ValueError, match="DBIRTH"):
        IDS.topic("DBIRTH", word)


class Plant:
    """What a teller looks at."""

    def __init__(self) -> None:
        self.seq, self.time, self.totals = 0, 1_790_000_000 * SECOND, dict.fromkeys(NAMES, 0)

    def make(self, name, late):
        self.seq, self.time = self.seq + 1, self.time + SECOND
        self.totals[name] += 1
        when = self.time - 90 * SECOND * late
        body = count_body("good", 1, self.totals[name], 0, 0, None)
        return Record(Kind.COUNT, name, when, body, simulated=True, seq=self.seq)

    def now(self):
        state = MachineState(State.EXECUTING)
        machines = tuple(
            MachineNow(name, state, 0, total, 0, None, self.time, simulated=True) for name, total in self.totals.items()
        )
        return LineNow(
            "c0ffee",
            self.seq,
            self.time,
            simulated=True,
            speed=60.0,
            durable=True,
            machines=machines,
            figures=(),
            faults=(),
            inspections=(),
            plan=None,
        )


STEPS = st.lists(
    st.tuples(st.just("make"), st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), min_size=1, max_size=9))
    | st.tuples(st.just("lost"), st.sets(st.sampled_from(NAMES)))
    | st.tuples(st.just("rebirth"), st.none()),
    max_size=40,
)


@settings(max_examples=50)
@given(STEPS, st.sampled_from([0, 3, 300]))
def test_a_session_keeps_its_rules_whatever_happens_to_the_line(steps, before):
    plant, lost, sent = Plant(), set(), []
    backlog = [plant.make("press1", late=False) for _ in range(before)]
    teller = Teller(LINE, Session(IDS, 7), 0)
    sent += teller.births(plant.now(), lost, 1)
    sent += teller.records("c0ffee", backlog, 2)
    for what, of in steps:
        if what == "make":
            made = [plant.make(*one) for one in of]
            sent += teller.records("c0ffee", made, 3) + teller.changes(plant.now(), lost, 3)
        elif what == "lost":
            lost = of
            sent += teller.changes(plant.now(), lost, 4)
        else:
            sent += teller.births(plant.now(), lost, 5)
    follow(sent, plant, lost)


def follow(sent, plant, lost):
    """A host application that believes nothing: seq, births before data, aliases, records and totals."""
    expected, born, names, told, totals = 0, set(), {}, [], {}
    for one in sent:
        kind, device = one.topic.split("/")[2], "/".join(one.topic.split("/")[4:])
        payload = decode(one.payload)
        expected = 0 if kind == "NBIRTH" else expected
        assert payload.seq == expected
        expected = (expected + 1) % 256
        if kind == "NBIRTH":
            born, names = {""}, {}
        elif kind == "DBIRTH":
            assert born
            born.add(device)
        else:
            assert device in born
            born -= {device} if kind == "DDEATH" else set()
        for field in payload.fields:
            if kind.endswith("BIRTH") and field.alias is not None:
                assert names.setdefault(field.alias, (device, field.name)) == (device, field.name)
            elif field.alias is not None:
                assert names[field.alias][0] == device
            name = names.get(field.alias, ("", field.name))[1]
            if name == "tc/seq" and not kind.endswith("BIRTH"):
                told.append(field.value)
            if name == "good" and not field.historical:
                totals[device] = field.value
    assert told == list(range(1, plant.seq + 1))
    assert born - {""} == set(NAMES) - lost
    assert all(totals[name] == plant.totals[name] for name in born - {""})


@pytest.mark.parametrize(
    "broken",
    [
        lambda one: one.data("", [Metric("a", DataType.INT64, 1, 0)], 0),
        lambda one: one.device_birth("press1", [], 0),
        lambda one: one.device_death("press1", 0),
        lambda one: (one.births([], {}, 0), one.data("", [], 0)),
        lambda one: one.births([Metric("A", DataType.INT64, 1, 0), Metric("a", DataType.INT64, 1, 0)], {}, 0),
        lambda one: (
            one.births([Metric("a", DataType.INT64, 1, 0)], {}, 0),
            one.data("", [Metric("a", DataType.STRING, "", 0)], 0),
        ),
    ],
)
def test_what_would_break_a_session_is_refused(broken):
    with pytest.raises(SessionError):
        broken(Session(IDS, 0))
