"""What a consumer that is named says, and how the record lane keeps to it: nothing lost, nothing twice, on any link."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.ack import EXAMPLE, WINDOW, Ack, AckError, Window, parse_ack
from gateway.consumer import EVERY, NamedConsumer

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "ack.schema.json").read_text(encoding="utf-8"))
LEDGER = "0a"


def told(seq, **value):
    return {"ledger": LEDGER, "seq": seq, "value": value}


class Exchange:
    """A lane, a broker that forgets, and a consumer, without time: whatever may go missing does as the test says."""

    def __init__(self, records: int) -> None:
        self.records = records
        self.window = Window(0, 0)
        self.consumer = NamedConsumer()
        self.counted: list[int] = []
        self.under_way: list[int] = []
        self.furthest = 0

    def send(self, most: int) -> None:
        for _ in range(min(self.window.room(most), self.records - self.window.at)):
            self.window.at += 1
            self.under_way.append(self.window.at)
            self.furthest = max(self.furthest, self.window.at - (self.counted or [0])[-1])

    def deliver(self, most: int) -> None:
        arriving, self.under_way = self.under_way[:most], self.under_way[most:]
        for seq in arriving:
            if self.consumer.take(told(seq)) == "new":
                self.counted.append(seq)
            self.answer()

    def answer(self) -> None:
        if (said := self.consumer.due()) is not None:
            Draft202012Validator(SCHEMA).validate(said)
            self.window.hear(parse_ack(json.dumps(said).encode(), LEDGER, self.records))

    def forget(self, most: int) -> None:
        """The broker dies: what was under way is gone, and the consumer finds that out by joining anew."""
        del self.under_way[:most]
        self.consumer.join()
        self.answer()

    def drop(self, most: int) -> None:
        """A full queue: the newest go, and nobody is told."""
        del self.under_way[max(0, len(self.under_way) - most) :]

    def restart(self, _: int) -> None:
        """The agent begins anew with the cursor on its disk."""
        self.window = Window(self.window.at, self.window.held)


STEPS = st.tuples(st.sampled_from(["send", "deliver", "forget", "drop", "restart"]), st.integers(0, 700))


@given(records=st.integers(0, 1500), steps=st.lists(STEPS, max_size=40))
def test_whatever_a_broker_forgets_each_record_is_counted_once_and_in_order(records, steps):
    exchange = Exchange(records)
    for step, most in steps:
        getattr(exchange, step)(most)
    # In the end all is well: the lane sends, all arrives, and a consumer that is behind and silent is told again.
    for _ in range(records + 1):
        exchange.send(records)
        exchange.deliver(records)
        if len(exchange.counted) == records:
            break
        if exchange.window.at == records or not exchange.window.room(1):
            exchange.window.turn_back()
    assert exchange.counted == list(range(1, records + 1))
    assert exchange.furthest <= WINDOW + EVERY


@given(at=st.integers(0, 2000), held=st.integers(0, 2000), said=st.integers(0, 2000), again=st.booleans())
def test_the_lane_never_skips_ahead_and_never_sends_beyond_the_window(at, held, said, again):
    window = Window(at, held)
    before, turn = window.at, window.turn
    window.hear(Ack(said, again))
    assert window.at <= before
    assert window.turn - turn == (window.at != before)
    assert window.room(10_000) == max(0, (window.held or 0) + WINDOW - window.at)
    assert again or window.held >= held


def test_without_a_named_consumer_nothing_holds_the_lane():
    window = Window(7, None)
    window.hear(Ack(3, again=True))
    window.turn_back()
    assert (window.at, window.room(200), window.ahead) == (7, 200, False)


def test_a_consumer_asks_once_for_what_it_missed_and_drops_what_came_early():
    consumer = NamedConsumer({LEDGER: 10})
    consumer.join()
    assert consumer.due() == {"last": {LEDGER: 10}, "again": True}
    assert [consumer.take(told(seq)) for seq in (11, 13, 14)] == ["new", "early", "early"]
    assert consumer.due() == {"last": {LEDGER: 11}, "again": True}
    assert [consumer.take(told(seq)) for seq in (15, 12, 13, 16)] == ["early", "new", "new", "early"]
    assert consumer.due() == {"last": {LEDGER: 13}, "again": True}


def test_a_consumer_that_is_told_again_what_it_has_says_so():
    consumer = NamedConsumer()
    assert [consumer.take(told(seq)) for seq in (1, 2, 3)] == ["new"] * 3
    assert consumer.due() is None
    assert [consumer.take(told(seq)) for seq in (1, 2)] == ["seen"] * 2
    assert consumer.due() is None
    assert consumer.take(told(3)) == "seen"
    assert consumer.due() == {"last": {LEDGER: 3}, "again": False}


def test_a_ledger_begins_at_its_first_record_or_after_a_damage_with_that_gap():
    assert NamedConsumer().take(told(7)) == "early"
    assert NamedConsumer().take(told(7, cause="salvaged")) == "new"
    assert NamedConsumer().take(told(1)) == "new"


def test_an_acknowledgement_is_taken_for_this_ledger_alone():
    assert parse_ack(b'{"last":{"0a":4,"0b":9}}', LEDGER, 4) == Ack(4, again=False)
    assert parse_ack(b'{"last":{"0b":9},"again":true}', LEDGER, 4) == Ack(0, again=True)
    Draft202012Validator(SCHEMA).validate(json.loads(EXAMPLE))


@pytest.mark.parametrize(
    "payload", [b"", b"7", b"{}", b'{"last":4}', b'{"last":{"0a":-1}}', b'{"last":{"0a":"4"}}', b'{"last":{},"x":1}']
)
def test_what_is_no_acknowledgement_is_refused_with_an_example(payload):
    with pytest.raises(AckError, match="such as"):
        parse_ack(payload, LEDGER, 4)


def test_a_consumer_that_holds_more_than_there_is_names_the_old_copy():
    with pytest.raises(AckError, match="old copy"):
        parse_ack(b'{"last":{"0a":5}}', LEDGER, 4)
