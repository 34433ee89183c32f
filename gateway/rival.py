"""Whether another agent stands in this one's place, asked of a broker that cuts links without a word (mosquitto, NATS).

It is looked at over a link with an id of its own: who publishes this line's live payloads while we do not?
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import Literal

from agent.model import Line
from gateway.live_lane import BEAT_S
from gateway.mqtt import Broker, Mqtt, MqttError
from gateway.payload import iso
from gateway.topic import LINE, ONLINE, topic

# `rival`: another agent publishes this line. `cut`: nobody does, and the broker has told our will, so it has lived on.
Finding = Literal["rival", "cut", "nothing"]

SLACK_S = 1.0
PROMPT_S = 1.0  # what is retained comes at once; a broker without our birth or will has lost its memory


async def look(broker: Broker, line: Line) -> Finding:
    """What is seen on this line's topics within a heartbeat, while this agent has no link."""
    online, whole, begun = str(topic(line, ONLINE)), str(topic(line, LINE)), iso(time.time_ns())
    finding: Finding = "nothing"
    try:
        async with Mqtt(broker, f"tc-look-{secrets.token_hex(8)}") as link, asyncio.timeout(PROMPT_S) as limit:
            await link.subscribe(online)
            await link.subscribe(whole)
            async for message in link.messages():
                if message.retain:
                    limit.reschedule(asyncio.get_running_loop().time() + BEAT_S + SLACK_S)
                value = json.loads(message.payload)["value"]
                if message.topic == online and value is False:
                    finding = "cut"
                # A heartbeat of our own that comes late was written before.
                if message.topic == whole and not message.retain and value["wall"] > begun:
                    return "rival"
    except (TimeoutError, MqttError, ValueError, LookupError, TypeError):
        return finding
    return finding
