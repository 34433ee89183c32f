"""What a model's card.toml says: file and digest, tensors, a golden answer, settings, licence and figures. Pure."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

ANY_SIZE = -1
GOLDEN_SIZE = 3


class ModelError(Exception):
    """A model cannot be trusted with this: why, and what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tensor(_Entry):
    """A named input or output; a size of -1 in `shape` is free."""

    name: str
    shape: tuple[Annotated[int, Field(ge=ANY_SIZE)], ...]
    dtype: Literal["float32", "int64", "uint8", "bool"]

    def misfit(self, shape: tuple[int, ...], dtype: str) -> str | None:
        """How an array of this shape and dtype breaks the card, None where it fits."""
        same_rank = len(shape) == len(self.shape)
        sizes = same_rank and all(want in (ANY_SIZE, got) for want, got in zip(self.shape, shape, strict=True))
        if sizes and dtype == self.dtype:
            return None
        return f"{self.name} is {dtype}{list(shape)}, the card says {self.dtype}{list(self.shape)}"


class Golden(_Entry):
    """A known answer: mean, least and greatest of each output when inputs rise evenly from `low` to `high`."""

    low: float
    high: float
    expect: Mapping[str, tuple[float, float, float]]
    tolerance: float = 1e-3

    def inputs(self, tensors: tuple[Tensor, ...]) -> dict[str, NDArray[Any]]:
        """The rising inputs; a free size is 3."""
        arrays = {}
        for tensor in tensors:
            shape = tuple(GOLDEN_SIZE if size == ANY_SIZE else size for size in tensor.shape)
            ramp = np.linspace(self.low, self.high, math.prod(shape))
            arrays[tensor.name] = ramp.reshape(shape).astype(tensor.dtype)
        return arrays

    def deviation(self, outputs: Mapping[str, NDArray[Any]]) -> float:
        """The largest distance of a mean, least or greatest from the expected one; relative where that is beyond 1."""
        apart = [
            abs(got - want) / max(1.0, abs(want))
            for name, wants in self.expect.items()
            for got, want in zip(summary(outputs[name]), wants, strict=True)
        ]
        return max(apart, default=0.0)


class Card(_Entry):
    """A model's card. `settings` are what its user needs beside the file, `figures` what was measured, and on what."""

    name: str
    about: str
    licence: str
    file: str = Field(pattern=r"^[a-z0-9_]+\.onnx$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    input: tuple[Tensor, ...] = Field(min_length=1)
    output: tuple[Tensor, ...] = Field(min_length=1)
    golden: Golden
    settings: Mapping[str, Any] = Field(default_factory=dict)
    figures: Mapping[str, Any] = Field(default_factory=dict)
    training: Mapping[str, Any] = Field(default_factory=dict)


def summary(array: NDArray[Any]) -> tuple[float, float, float]:
    """Mean, least and greatest of an array."""
    return float(np.mean(array)), float(np.min(array)), float(np.max(array))


def read_card(text: str, where: str) -> Card:
    """The card in this TOML text; ModelError naming `where` and each wrong entry."""
    try:
        return Card.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{where}: {error}", "restore card.toml from the release") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
        raise ModelError(f"{where}: {wrong}", "restore card.toml from the release") from error
