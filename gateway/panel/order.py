"""Orders as they arrive over HTTP: checked against the line before anyone acts on them. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agent.model import Line, Order

NANOSECONDS = 1_000_000


class OrderError(ValueError):
    """The order cannot be taken; `mistakes` say why, one line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class _OrderForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
    product: str
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    due: AwareDatetime
    weight: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0


def read_order(line: Line, body: bytes) -> Order:
    """The order in a JSON body; OrderError with every mistake otherwise."""
    try:
        form = _OrderForm.model_validate_json(body)
    except ValidationError as error:
        said = [(".".join(str(part) for part in e["loc"]) or "order", e["msg"]) for e in error.errors()]
        raise OrderError([f"{where}: {what}" for where, what in said]) from error
    if form.product not in line.products:
        raise OrderError([f"product: {form.product!r} is not made here; choose one of {', '.join(line.products)}"])
    due = int(form.due.timestamp() * 1000) * NANOSECONDS
    return Order(form.order, form.product, form.quantity, due, form.weight)
