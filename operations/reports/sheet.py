"""A report as a spreadsheet (XLSX). Texts are texts, never formulas, whatever they begin with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from operations.documents.model import printable
from operations.reports.figures import Figures
from operations.reports.tables import Cell, grids, overview
from operations.reports.words import Words

_BOLD = Font(bold=True)


def xlsx(figures: Figures, title: str, subtitle: str, language: str) -> bytes:
    """A sheet for each table."""
    say = Words(language)
    book = Workbook(write_only=True)
    for number, grid in enumerate((overview(figures, say), *grids(figures, say))):
        sheet: Any = book.create_sheet(grid.title)
        for letter, width in zip("ABCDEFG", (44, *(14 for _rest in grid.columns[1:])), strict=False):
            sheet.column_dimensions[letter].width = width
        if not number:
            _row(sheet, [f"{title} {subtitle}"], bold=True)
        _row(sheet, grid.columns, bold=True)
        for row in grid.rows:
            _row(sheet, row)
        if not number:
            _row(sheet, [say("note")])
            _row(sheet, [say("sampled"), figures.sampled])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _row(sheet: Any, values: Sequence[Cell], *, bold: bool = False) -> None:
    cells = []
    for value in values:
        cell = WriteOnlyCell(sheet, printable(value) if isinstance(value, str) else value)
        if isinstance(value, str):
            cell.data_type = "s"  # openpyxl makes a formula of a text with = before it
            cell.quotePrefix = value[:1] in ("=", "+", "-", "@", "\t")
        if bold:
            cell.font = _BOLD
        cells.append(cell)
    sheet.append(cells)
