"""`tanchang import`: read the list, print the verdicts, write the tables."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from agent.taglist import kepware, neuron
from agent.taglist.adopt import Verdict, adopt
from agent.taglist.draft import Choices
from agent.taglist.sheet import SheetError, read

DIALECTS: Mapping[str, tuple[ModuleType, str]] = {"kepware": (kepware, "tag name"), "neuron": (neuron, "name")}
WIDTH = 32
MISTAKE = 2


def take_over(dialect: str, path: Path, choices: Choices, out: Path | None) -> int:
    """0 where every row was taken, 1 where some were not, 2 where the list cannot be read."""
    module, name_column = DIALECTS[dialect]
    try:
        sheet = read(path.read_bytes(), module.COLUMNS)
    except OSError as error:
        print(f"{path}: cannot be read ({error.strerror}); check the path", file=sys.stderr)
        return MISTAKE
    except SheetError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return MISTAKE
    adopted = adopt(sheet, module.draft, choices, name_column)
    words = [verdict.word for verdict in adopted.verdicts]
    for verdict in adopted.verdicts:
        print(_row(verdict), file=sys.stderr)
    tally = ", ".join(f"{words.count(word)} {word}" for word in ("accepted", "changed", "rejected"))
    print(f"{path} ({sheet.encoding}): {tally}\n{module.CAUTION}", file=sys.stderr)
    if out is None:
        print(adopted.toml, end="")
    else:
        out.write_text(adopted.toml, encoding="utf-8")
    return 1 if "rejected" in words or not words else 0


def _row(verdict: Verdict) -> str:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in verdict.source)
    return f"{verdict.line:>6}  {verdict.word:<8}  {verdict.source:<{max(0, WIDTH - wide)}}  {verdict.why}".rstrip()
