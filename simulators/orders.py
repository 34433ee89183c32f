"""What the line is asked to make: an endless, seeded run of orders. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Product:
    """A product's family and its planned seconds a part at each station."""

    family: str
    cycle: dict[str, float]


@dataclass(frozen=True, slots=True)
class Order:
    """Pieces of a product by a time (ns since 1970); weight 5 for a rush order."""

    order: str
    product: str
    quantity: int
    due: int
    weight: float


def run(products: dict[str, Product], takt_s: float, start_ns: int, rng: np.random.Generator) -> Iterator[Order]:
    """Orders in the sequence the line makes them: a few of one family, then a few of the other."""
    families = sorted({product.family for product in products.values()})
    ahead = start_ns
    number = 1
    family = families[0]
    while True:
        names = sorted(name for name, product in products.items() if product.family == family)
        first = int(rng.integers(len(names)))
        for turn in range(3 if len(names) > 1 else 2):
            quantity = int(rng.integers(28, 49))
            ahead += round(quantity * takt_s * SECOND)
            slack = round(float(rng.uniform(0.15, 1.4)) * 3600) * SECOND
            weight = 5.0 if rng.random() < 0.12 else 1.0
            yield Order(f"J{number:02d}", names[(first + turn) % len(names)], quantity, ahead + slack, weight)
            number += 1
        family = families[(families.index(family) + 1) % len(families)]
