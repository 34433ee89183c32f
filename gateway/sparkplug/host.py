"""What comes in: STATE of the primary host, and commands, of which one is taken. Pure."""

from __future__ import annotations

import json

from gateway.sparkplug.metric import REBIRTH, state_topic
from gateway.sparkplug.wire import PayloadError, decode


class PrimaryHost:
    """Whether the host application that must hear everything is online, as far as its STATE messages tell.

    A message older than one heard before on the same link tells nothing, nor does one of another form than
    {"online": bool, "timestamp": ms}.
    """

    def __init__(self, host: str) -> None:
        self.topic = state_topic(host)
        self.online = False
        self._newest = -1

    def speaks_on(self, topic: str) -> bool:
        """Whether a message that came on this topic is its STATE."""
        # RabbitMQ keeps a retained message by its own names of topics and hands it out with a slash for each dot.
        return topic in (self.topic, self.topic.replace(".", "/"))

    def hear(self, payload: bytes) -> None:
        """A STATE message came in on its topic."""
        try:
            said = json.loads(payload)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        online, stamp = said.get("online"), said.get("timestamp")
        if isinstance(online, bool) and type(stamp) is int and stamp >= self._newest:
            self.online, self._newest = online, stamp

    def forget(self) -> None:
        """A new link, maybe to another broker: its retained word is the newest there, whatever was heard before."""
        self.online, self._newest = False, -1


def wrong_with(raw: bytes, message: str) -> str | None:
    """Why a command is refused, None for a rebirth request: nothing here writes to a machine or changes the node."""
    try:
        fields = decode(raw).fields
    except PayloadError as error:
        return str(error)
    if message == "NCMD" and fields and all(one.name == REBIRTH and one.value is True for one in fields):
        return None
    asked = ", ".join(repr(one.name) if one.name is not None else f"alias {one.alias}" for one in fields)
    return f"it wants to write {asked or 'nothing'}"
