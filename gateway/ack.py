"""What a consumer says it holds, and how far the record lane runs ahead of it (docs/wire.md). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# Half of what mosquitto keeps for a slow subscriber before it drops silently (max_queued_messages 1000).
WINDOW = 500


class AckError(ValueError):
    """What the consumer says cannot be right; the text says what to do."""


class AckPaper(BaseModel):
    """An acknowledgement on the wire: the highest seq taken by ledger; `again` asks for what follows it once more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    last: dict[str, Annotated[int, Field(ge=0, strict=True)]]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """What the consumer holds of this ledger: everything up to `last`, 0 for nothing."""

    last: int
    again: bool


def parse_ack(payload: bytes, ledger: str, newest: int) -> Ack:
    """The acknowledgement in a message, of a ledger that ends at `newest`; AckError for what cannot be one."""
    try:
        paper = AckPaper.model_validate_json(payload)
    except ValidationError as error:
        raise AckError(f"an acknowledgement is such as {EXAMPLE}: {error.errors()[0]['msg']}") from error
    last = paper.last.get(ledger, 0)
    if last > newest:
        raise AckError(
            f"it holds record {last} of ledger {ledger}, which ends at {newest}: an old copy of the ledger is in use; "
            "set that aside, so that a new ledger begins"
        )
    return Ack(last, paper.again)


EXAMPLE = '{"last": {"<ledger>": 412}, "again": false}'


class Window:
    """Where the record lane stands: `at` is the last seq sent, `held` what the consumer has, None if none is named.

    `turn` counts how often the lane was turned back: what was read before it is not what follows.
    """

    def __init__(self, at: int, held: int | None) -> None:
        self.at = at if held is None else min(at, held)
        self.held = held
        self.turn = 0

    @property
    def ahead(self) -> bool:
        """Whether more was sent than the consumer is known to have."""
        return self.held is not None and self.at > self.held

    def room(self, most: int) -> int:
        """How many records may be sent now, at most `most`."""
        return most if self.held is None else max(0, min(most, self.held + WINDOW - self.at))

    def hear(self, ack: Ack) -> None:
        """Take what the consumer says; it is never skipped ahead, for others may listen too."""
        if self.held is None:
            return
        self.held = ack.last if ack.again else max(self.held, ack.last)
        if ack.again:
            self.turn_back()

    def turn_back(self) -> None:
        """Go on from what the consumer holds."""
        if self.held is not None and self.at > self.held:
            self.at = self.held
            self.turn += 1
