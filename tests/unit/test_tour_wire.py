"""What the agent publishes is what a display understands, in both trees."""

from __future__ import annotations

import json

import pytest

from gateway.live import LAST_WILL, birth, live
from gateway.public import public
from gateway.tour.hall import Hall
from tests.system.panel_view import LINE, LINE_NOW

CARRIED = {"_line", "_online", "_state", "_kpi", "_inspection", "_plan"}


@pytest.mark.parametrize("tree", ["tanchang/v1", "tanchang-public/v1"])
def test_no_live_payload_of_the_agent_is_refused(tree: str) -> None:
    hall = Hall(f"{tree}/{LINE.site}/{LINE.area}/{LINE.line}")
    online, born = birth(LINE, LINE_NOW)
    payloads = [*live(LINE, LINE_NOW, "7F3A", LINE_NOW.time, {}).items(), (online, born), (online, LAST_WILL)]
    taken = set()
    for topic, payload in payloads:
        twin = (topic, payload) if tree == "tanchang/v1" else public(LINE, topic, payload)
        if twin is not None and twin[0].contract in CARRIED:
            assert hall.take(str(twin[0]), json.dumps(twin[1]).encode(), 0.0), f"{twin[0]} is refused"
            taken.add(twin[0].contract)
    offered = CARRIED if tree == "tanchang/v1" else CARRIED - {"_online"}  # silence alone tells the public
    assert taken == offered
    document = hall.document(0.0)
    assert document["marks"]["offline"] == ("_online" in offered)
    assert document["figures"]["utilization"] is not None
