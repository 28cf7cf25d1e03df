"""The yearly summary as a spreadsheet (XLSX). Texts are texts, never formulas, whatever they begin with."""

from __future__ import annotations

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from operations.documents.model import printable
from operations.services.summary_words import service_word, word
from operations.services.supervision import GB, Summary

Value = str | int | float | None
_BOLD = Font(bold=True)
_KEPT = ("applied", "issued", "rejected", "waiting", "overdue", "late", "accept_hours", "issue_hours")


def xlsx(summary: Summary, language: str = "zh") -> bytes:
    """Three sheets: services, usage by month, tickets."""

    def say(key: str) -> str:
        return word(key, language)

    book = Workbook(write_only=True)
    kept = _sheet(book, say("services"), 14)
    _row(kept, [f"{summary.bureau} {summary.year} {say('title')}"], bold=True)
    _row(kept, [say("service"), *map(say, _KEPT)], bold=True)
    for one in summary.services:
        _row(kept, [service_word(one.service, language), *(getattr(one, name) for name in _KEPT)])
    used = _sheet(book, say("usage"), 16)
    _row(used, [say(key) for key in ("month", "events", "gigabytes", "permits", "certificates", "searches")], bold=True)
    for month in summary.months:
        _row(used, [month.month, month.events, round(month.bytes / GB, 3), month.permits, month.certificates, month.searches])
    stored = round(sum(month.bytes for month in summary.months) / GB, 3)
    events, certificates, searches = (
        sum(getattr(month, name) for month in summary.months) for name in ("events", "certificates", "searches")
    )
    _row(used, [say("total"), events, stored, None, certificates, searches], bold=True)
    _row(used, [say("quota"), summary.quota_gigabytes])
    _row(used, [say("note")])
    tickets = _sheet(book, say("tickets"), 24)
    rows = (("received", summary.tickets), ("done", summary.tickets_done), ("tickets_overdue", summary.tickets_overdue))
    for key, count in rows:
        _row(tickets, [say(key), count])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Workbook, title: str, width: int) -> Any:
    sheet: Any = book.create_sheet(title)
    for letter in "ABCDEFGHI":
        sheet.column_dimensions[letter].width = width
    return sheet


def _row(sheet: Any, values: list[Value], *, bold: bool = False) -> None:
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
