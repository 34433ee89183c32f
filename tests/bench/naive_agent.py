"""The peer: what is usually written. asyncua callbacks, sqlite-utils row per value, MQTT message per value."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import paho.mqtt.client as mqtt
import sqlite_utils
from asyncua.client.client import Client
from asyncua.common.node import Node
from paho.mqtt.enums import CallbackAPIVersion


class Handler:
    """Stores and publishes each value as it comes; rows are committed once a second."""

    def __init__(self, broker: mqtt.Client, rows: list[dict[str, Any]]) -> None:
        self.broker = broker
        self.rows = rows

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        """One call a value."""
        name = str(node.nodeid.Identifier)
        stamp = data.monitored_item.Value.SourceTimestamp.isoformat()
        self.rows.append({"tag": name, "value": value, "time": stamp})
        self.broker.publish(f"naive/{name}", json.dumps({"value": value, "time": stamp}), qos=1)


async def main(url: str, tags: int, port: int, path: str) -> None:
    """Runs until it is ended; prints ready at the first subscription."""
    broker = mqtt.Client(CallbackAPIVersion.VERSION2)
    broker.max_queued_messages_set(0)
    broker.connect("127.0.0.1", port)
    broker.loop_start()
    rows: list[dict[str, Any]] = []
    database = sqlite_utils.Database(path)
    async with Client(url) as client:
        index = await client.get_namespace_index("urn:tanchang:bench")
        subscription = await client.create_subscription(200, Handler(broker, rows))
        await subscription.subscribe_data_change([client.get_node(f"ns={index};s=t{n}") for n in range(tags)])
        print(json.dumps({"event": "ready"}), flush=True)
        while True:
            await asyncio.sleep(1)
            taken, rows[:] = rows[:], []
            if taken:
                database.table("sample").insert_all(taken)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
