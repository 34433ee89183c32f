"""What a public display may say, when, and in what story."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tour.delay import Delay
from gateway.tour.display import Display
from gateway.tour.redact import PUBLIC, YES, public
from gateway.tour.story import tell
from tests import tour_line as line

SECRETS = (
    "1136",
    "1109",
    "27.0",
    "1052",
    "diecast1-001148",
    "die-protection",
    "J17",
    "blowhole",
    "image",
    "16.2",
    "99.0",
)


class Clock:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def told(profile: str, delay_s: float, clock: Clock, tree: str) -> Display:
    display = Display(line.PATH, profile, delay_s, clock)
    for topic, payload in line.wire(line.whole()):
        display.take(topic.replace("tanchang/v1", tree), payload, retained=False)
    return display


def test_the_public_document_hides_counts_ids_and_reasons_even_if_the_tree_lets_them_through() -> None:
    clock = Clock()
    display = told("public", 0.0, clock, "tanchang-public/v1")
    document = json.dumps(display.document())
    assert [secret for secret in SECRETS if secret in document] == []
    assert display.document()["figures"]["first_pass_yield"]["n_band"] == [1000, 2000]
    assert display.document()["marks"]["sim"]
    assert display.document()["marks"]["public"]


def test_a_public_display_knows_nothing_of_the_plant_tree() -> None:
    assert told("public", 0.0, Clock(), "tanchang/v1").document()["line"] is None


def test_the_hall_document_keeps_the_counts() -> None:
    document = told("hall", 0.0, Clock(), "tanchang/v1").document()
    assert {machine["name"]: (machine["good"], machine["scrap"]) for machine in document["machines"]} == line.COUNTS


def test_the_delay_is_kept_by_the_server_and_named_on_the_document() -> None:
    clock = Clock()
    display = told("public", 30.0, clock, "tanchang-public/v1")
    clock.now += 29.9
    assert display.document()["marks"]["waiting"]
    clock.now += 0.3
    document = display.document()
    assert not document["marks"]["waiting"]
    assert not document["marks"]["stale"]
    assert document["marks"]["delayed_s"] == 30.0


def test_a_delayed_display_goes_stale_as_late_as_it_shows() -> None:
    clock = Clock()
    display = told("public", 30.0, clock, "tanchang-public/v1")
    clock.now += 35.9
    assert not display.document()["marks"]["stale"]
    clock.now += 0.3
    assert display.document()["marks"]["stale"]


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0, 50))
def test_a_delay_gives_everything_back_in_order_and_never_early(gaps: list[float], seconds: float) -> None:
    delay: Delay[int] = Delay(seconds)
    now, out = 0.0, []
    for entry, gap in enumerate(gaps):
        now += gap
        delay.put(entry, now)
        for arrived, given_back in delay.due(now):
            assert arrived <= now - seconds
            out.append(given_back)
    out += [entry for _, entry in delay.due(now + seconds + 1)]
    assert out == list(range(len(gaps)))


NAMES = st.sampled_from([*PUBLIC, "counts", "unit", "good", "image", "value", "figures", "last", "utilization", "name"])
LEAVES = st.integers() | st.text(max_size=3)
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=2) | st.dictionaries(NAMES, t, max_size=3), max_leaves=6)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_a_public_document_never_has_a_field_outside_the_allow_list(document: dict[str, Any]) -> None:
    def within(part: Any, allowed: Any) -> bool:
        if allowed is YES or part is None:
            return True
        if isinstance(part, list):
            return all(within(entry, allowed) for entry in part)
        return isinstance(part, dict) and all(key in allowed and within(part[key], allowed[key]) for key in part)

    assert within(public(document), PUBLIC)


def at(*words: str) -> list[dict[str, Any]]:
    """Machines with a word each; the later in the flow, the later since."""
    return [
        {"name": f"m{n}", "word": word, "since": f"2026-11-20T06:0{n}:00Z", "reason_word": None}
        for n, word in enumerate(words)
    ]


def test_the_story_of_a_stop_names_who_waits_downstream_since_then() -> None:
    story = tell(at("executing", "stopped", "starved", "starved", "executing"))
    assert story is not None
    assert (story["code"], story["machine"], story["starved"]) == ("stopped", "m1", ["m2", "m3"])


def test_an_unseen_machine_breaks_the_chain_of_the_story() -> None:
    story = tell(at("stopped", "unknown", "starved"))
    assert story is not None
    assert story["starved"] == []


def test_a_machine_that_waited_before_the_stop_does_not_wait_because_of_it() -> None:
    story = tell(at("blocked", "stopped"))
    assert story is not None
    assert story["blocked"] == []


def test_the_story_is_empty_when_it_is_not_certain() -> None:
    assert tell(at("executing", "starved", "executing")) is None
    assert tell([]) is None


def test_all_running_counts_from_the_last_that_began() -> None:
    assert tell(at("executing", "executing")) == {
        "code": "all_running", "machines": 2, "since": "2026-11-20T06:01:00Z",
    }  # fmt: skip
