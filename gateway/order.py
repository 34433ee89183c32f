"""Orders as they arrive: checked JSON in, an Order out. Pure."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agent.model import Line, Order
from gateway.payload import nanoseconds


class OrderError(ValueError):
    """The order cannot be taken; the text says what to write instead."""


class OrderPaper(BaseModel):
    """An order on the wire, whatever brought it: MQTT or HTTP. Quantity 0 takes it back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    product: str
    quantity: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
    due: AwareDatetime
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0


def parse_order(line: Line, payload: bytes) -> Order | None:
    """The order in a message; None for the record of an order, which is told on the same topic.

    OrderError for all else.
    """
    try:
        fields = json.loads(payload)
        if isinstance(fields, dict) and {"ledger", "seq"} <= fields.keys():
            return None
        paper = OrderPaper.model_validate(fields)
    except ValidationError as error:
        raise OrderError("; ".join(_mistake(one["loc"], one["msg"]) for one in error.errors())) from error
    except ValueError as error:
        raise OrderError(f"an order is a JSON object such as {EXAMPLE}: {error}") from error
    if paper.product not in line.products:
        raise OrderError(f"product {paper.product!r} is not made here: write one of {', '.join(line.products)}")
    return Order(paper.order, paper.product, paper.quantity, nanoseconds(paper.due), paper.weight)


EXAMPLE = '{"order": "J17", "product": "A", "quantity": 120, "due": "2026-11-22T12:00:00Z", "weight": 1}'


def _mistake(place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, place)) or 'order'}: {message}"
