"""`tanchang import`: read the list, print the verdicts, write the tables."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from agent.taglist import kepware, neuron, tia
from agent.taglist.adopt import Adopted, Verdict, adopt
from agent.taglist.draft import Choices
from agent.taglist.sheet import Sheet, SheetError, read
from agent.taglist.table import ModbusTable, SimaticTable, Table
from agent.taglist.workbook import as_csv


@dataclass(frozen=True, slots=True)
class Dialect:
    """How another system writes its lists, and the table they become."""

    rows: ModuleType
    name_column: str
    table: Table

    def read(self, content: bytes) -> Sheet:
        """The sheet in a file's content; SheetError where it is none."""
        return read(as_csv(content), self.rows.COLUMNS)

    def adopt(self, sheet: Sheet, choices: Choices) -> Adopted:
        """The verdicts and the tables."""
        return adopt(sheet, self.rows.draft, choices, self.name_column, self.table)


DIALECTS: Mapping[str, Dialect] = {
    "kepware": Dialect(kepware, "tag name", ModbusTable()),
    "neuron": Dialect(neuron, "name", ModbusTable()),
    "tia-csv": Dialect(tia, "name", SimaticTable()),
}
WIDTH = 32
MISTAKE = 2


def take_over(dialect: str, path: Path, choices: Choices, out: Path | None) -> int:
    """0 where every row was taken, 1 where some were not, 2 where the list cannot be read."""
    known = DIALECTS[dialect]
    try:
        sheet = known.read(path.read_bytes())
    except OSError as error:
        print(f"{path}: cannot be read ({error.strerror}); check the path", file=sys.stderr)
        return MISTAKE
    except SheetError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return MISTAKE
    adopted = known.adopt(sheet, choices)
    words = [verdict.word for verdict in adopted.verdicts]
    for verdict in adopted.verdicts:
        print(_row(verdict), file=sys.stderr)
    tally = ", ".join(f"{words.count(word)} {word}" for word in ("accepted", "changed", "rejected"))
    print(f"{path} ({sheet.encoding}): {tally}\n{known.rows.CAUTION}", file=sys.stderr)
    if out is None:
        print(adopted.toml, end="")
    else:
        out.write_text(adopted.toml, encoding="utf-8")
    return 1 if "rejected" in words or not words else 0


def _row(verdict: Verdict) -> str:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in verdict.source)
    return f"{verdict.line:>6}  {verdict.word:<8}  {verdict.source:<{max(0, WIDTH - wide)}}  {verdict.why}".rstrip()
