"""What a benchmark found: figures by row, and the targets they are held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and the bound it must not pass."""

    name: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the value is within the bound."""
        return self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Result:
    """`figures`: row -> column -> number."""

    name: str
    figures: Mapping[str, Mapping[str, float]]
    targets: Sequence[Target]

    def as_json(self) -> dict[str, Any]:
        """The machine's form."""
        targets = [{"name": t.name, "value": t.value, "bound": t.bound, "holds": t.holds} for t in self.targets]
        return {"name": self.name, "figures": self.figures, "targets": targets}

    def as_table(self) -> str:
        """The person's form."""
        columns = list(dict.fromkeys(column for row in self.figures.values() for column in row))
        width = max(map(len, self.figures)) + 2
        lines = [f"{self.name:<{width}}" + "".join(f"{column:>18}" for column in columns)]
        for name, row in self.figures.items():
            cells = (f"{row[column]:>18.3f}" if column in row else f"{'':>18}" for column in columns)
            lines.append(f"{name:<{width}}" + "".join(cells))
        for t in self.targets:
            word = "holds " if t.holds else "MISSED"
            lines += [f"  {word} {t.name}: {t.value:.3f} (bound {t.bound:g})"]
        return "\n".join(lines) + "\n"
