"""Rows of CSV files (RFC 4180) that a spreadsheet shows instead of running them (OWASP: CSV injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

_FORMULA = re.compile(r"[\t\r\n]|[\s\0\u200b\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫]")
"""Spreadsheets skip blanks before a sign, and where they speak Chinese or Japanese its wide form counts too."""
_PLAIN = re.compile(r" *[+-]?\d+(\.\d+)?|@timestamp", re.ASCII)


def csv_row(cells: Sequence[str], *, end: str = "\r\n") -> str:
    """One row; cells are made :func:`harmless`."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end).writerow([harmless(text) for text in cells])
    return buffer.getvalue()


def harmless(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return "'" + text if _FORMULA.match(text) and not _PLAIN.fullmatch(text) else text
