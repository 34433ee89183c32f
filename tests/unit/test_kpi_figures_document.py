"""docs/figures.md is the code's own table, and the code gives each of its figures."""

from __future__ import annotations

import json
from pathlib import Path

from agent.figures.definitions import CORE, FIGURES, Figure
from agent.kpi import WindowBook
from agent.model import SECOND, Line, Machine, Verdict, Window

ROOT = Path(__file__).parents[2]
BOTH = frozenset(("rework", "energy"))
LINE = Line("s", "a", "l", {}, 10.0, "UTC", (Machine("m1", {}, {}, BOTH), Machine("m2", {}, {})), {}, {})
OF_LINE = {"sum": "all", "last": "last station", "mixed": "see notes"}


def told(name: str, figure: Figure) -> str:
    cells = (f"`{name}`", figure.iso, figure.unit, figure.numerator, figure.denominator)
    return f"| {' | '.join(cells)} | {OF_LINE[figure.line]} | {figure.excludes} |"


def names(kind: str) -> set[str]:
    book = WindowBook(LINE, Window(kind, "w", 0, 100 * SECOND), [(0, 100 * SECOND)])
    book.verdict("m1", Verdict.ASK)
    book.parts("m1", "energy", 7, 0)
    return {figure.name for figure in book.figures(0)}


def test_the_document_is_the_table() -> None:
    text = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [told(name, figure) for name, figure in FIGURES.items()]


def test_every_figure_of_the_table_is_told_and_none_else() -> None:
    assert names("shift") == set(FIGURES)
    assert names("hour") == set(CORE)


def test_the_wire_s_schema_names_every_figure_and_unit() -> None:
    schema = json.loads((ROOT / "docs" / "schema" / "wire.schema.json").read_text(encoding="utf-8"))
    figure = schema["$defs"]["figure"]["properties"]
    assert set(figure["name"]["enum"]) == set(FIGURES)
    assert set(figure["unit"]["enum"]) == {one.unit for one in FIGURES.values()}
