"""Random lines and orders to learn dispatching from: flow lines, hybrid flow shops, flexible job shops. Pure."""

from __future__ import annotations

import numpy as np

from inference.scheduling.problem import Lot, Operation, Problem, Station

MINUTE = 60_000


def problem(rng: np.random.Generator, operations: int) -> Problem:
    """A random problem of about this many operations."""
    kind = rng.choice(["line", "hybrid", "flexible"], p=[0.4, 0.3, 0.3])
    stages: list[tuple[str, ...]]
    if kind == "line":
        stages = [(f"m{k}",) for k in range(rng.integers(2, 7))]
    elif kind == "hybrid":
        stages = [tuple(f"m{k}_{a}" for a in range(rng.integers(1, 4))) for k in range(rng.integers(2, 5))]
    else:
        stages = [(f"m{k}",) for k in range(rng.integers(4, 11))]
    names = [name for stage in stages for name in stage]
    count = max(2, operations // len(stages))
    routes = [_route(rng, stages, flexible=kind == "flexible") for _ in range(count)]
    return _filled(rng, names, routes)


def _route(rng: np.random.Generator, stages: list[tuple[str, ...]], flexible: bool) -> list[tuple[str, ...]]:
    """Eligible stations of each operation of a lot."""
    if not flexible:
        return stages
    names = [name for stage in stages for name in stage]
    steps = rng.integers(2, len(names) + 1)
    return [tuple(rng.choice(names, rng.integers(1, min(4, len(names) + 1)), replace=False)) for _ in range(steps)]


def _filled(rng: np.random.Generator, names: list[str], routes: list[list[tuple[str, ...]]]) -> Problem:
    """Times, set-ups, families, due dates and what is down, for these routes."""
    families = [f"f{index}" for index in range(rng.integers(1, 6))]
    whole, changeover = rng.random() < 0.5, int(rng.choice([0, 3, 8, 20])) * MINUTE
    speed = {name: rng.uniform(0.8, 1.3) for name in names}
    drafts = []
    for route in routes:
        quantity = int(rng.integers(10, 150))
        base = rng.uniform(8_000, 30_000)
        cycles = [{n: int(base * speed[n] * rng.uniform(0.7, 1.4)) for n in stage} for stage in route]
        drafts.append((quantity, tuple(Operation(cycle) for cycle in cycles)))
    load = sum(min(op.cycles.values()) * quantity for quantity, steps in drafts for op in steps) / len(names)
    horizon = load * rng.uniform(1.0, 1.8) + changeover * len(routes) * rng.uniform(0.2, 0.8)
    spread = rng.choice([0.0, 0.0, 0.5])
    lots = []
    for index, (quantity, steps) in enumerate(drafts):
        rush = rng.random() < 0.12
        release = int(rng.uniform(0, spread) * horizon)
        transfer = quantity if whole else int(rng.integers(1, max(2, quantity // 4)))
        due = release + int(horizon * (rng.uniform(0.1, 0.4) if rush else rng.uniform(0.2, 1.3)))
        family = str(rng.choice(families))
        weight = 5.0 if rush else 1.0
        lots.append(Lot(f"J{index}", family, family, quantity, transfer, release, due, weight, steps))
    return Problem(tuple(_station(rng, name, families, changeover, horizon) for name in names), tuple(lots))


def _station(rng: np.random.Generator, name: str, families: list[str], changeover: int, horizon: float) -> Station:
    available = int(rng.uniform(0, 0.3) * horizon) if rng.random() < 0.2 else 0
    family = str(rng.choice(families)) if rng.random() < 0.8 else None
    pairs = {}
    if rng.random() < 0.5:
        pairs = {(a, b): int(changeover * rng.uniform(0.4, 1.8)) for a in families for b in families if a != b}
    return Station(name, available, family, changeover, pairs)
