"""Follows the line's topics at the broker and hands every message to the display; reconnects by itself."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from gateway.mqtt import Broker, Mqtt, MqttError
from gateway.tour.display import Display
from gateway.tour.settings import Settings

RETRY_S = (0.25, 0.5, 1.0, 2.0)
LOG = logging.getLogger(__name__)


@asynccontextmanager
async def follow(settings: Settings, display: Display) -> AsyncGenerator[None]:
    """Feed the display while the block runs; a lost broker is logged once and once when it is back."""
    task = asyncio.create_task(_follow(settings, display), name="tour.feed")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _follow(settings: Settings, display: Display) -> None:
    broker = Broker(settings.broker_host, settings.broker_port)
    client_id = f"tour-{secrets.token_hex(4)}"
    failures = 0
    while True:
        try:
            async with Mqtt(broker, client_id) as link:
                await link.subscribe(f"{display.root}/#")
                if failures:
                    LOG.warning("the MQTT broker is back")
                failures = 0
                async for message in link.messages():
                    display.take(message.topic, message.payload, retained=message.retain)
        except MqttError as error:
            if not failures:
                LOG.warning("%s", error)
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1
