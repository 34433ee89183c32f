"""The first sheet of a workbook (xlsx) as the text of a CSV file. Needs the extra `xlsx`."""

from __future__ import annotations

import csv
import io

from agent.taglist.sheet import SheetError

MARK = b"PK\x03\x04"


def as_csv(content: bytes) -> bytes:
    """The workbook's first sheet, UTF-8; anything that is no workbook unchanged. SheetError where it is damaged."""
    if not content.startswith(MARK):
        return content
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError as error:
        raise SheetError(
            "this is a workbook (xlsx); pip install 'tanchang[xlsx]', or save it as CSV (UTF-8) and import that"
        ) from error
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = [[_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    except Exception as error:
        raise SheetError(f"this workbook cannot be read ({error}); save the list as CSV (UTF-8)") from error
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _text(cell: object) -> str:
    """As the list's author saw it: a whole number without a decimal point, nothing as nothing."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
