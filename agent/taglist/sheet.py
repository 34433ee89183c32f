"""Pure: the bytes of an exported list -> its rows. Encoding and separator are found, never asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SEPARATORS = ",;\t"
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
LINE_OF_HEADER = 1


class SheetError(Exception):
    """Not a list that can be read; the message says what to export instead."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows as column -> text, columns in lower case, with the line each stands on (1 is the header)."""

    encoding: str
    rows: tuple[tuple[int, Mapping[str, str]], ...]


def read(content: bytes, columns: Sequence[str]) -> Sheet:
    """The sheet; SheetError where it is none or lacks one of `columns` (lower case)."""
    text, encoding = _decoded(content)
    lines = text.split("\n", 1)
    separator = max(SEPARATORS, key=lines[0].count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise SheetError(f"this is no CSV ({error}); export the list anew") from error
    header = [word.strip().lower() for word in table[0]] if table else []
    missing = [column for column in columns if column not in header]
    if missing:
        raise SheetError(
            f"the first line has no column {', '.join(map(repr, missing))}; export the list with its header"
        )
    rows = [
        (number, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
        for number, cells in enumerate(table[1:], LINE_OF_HEADER + 1)
        if any(cell.strip() for cell in cells)
    ]
    return Sheet(encoding, tuple((number, dict.fromkeys(header, "") | row) for number, row in rows))


def _decoded(content: bytes) -> tuple[str, str]:
    """Text and encoding: by its mark, else UTF-8, else GB18030, which Chinese editions of Windows write."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            candidates = [encoding]
            break
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise SheetError("this text is neither UTF-8 nor GB18030; save the list as UTF-8")
