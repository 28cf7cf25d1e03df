"""The roster as a CSV file (RFC 4180, UTF-8 with a byte order mark, as spreadsheets expect it).

A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line break) is written with an apostrophe
before it, and read back without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from operations.duty.schema import Place, Wish
from operations.errors import Invalid

COLUMNS = ("day", "shift", "rank", "name")
MAX_BYTES = 256 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: str) -> str:
    """The cell as a spreadsheet shows it and does not run it."""
    return f"'{cell}" if cell.lstrip(" '").startswith(_FORMULA) or cell.startswith("'") else cell


def plain(cell: str) -> str:
    """What :func:`safe` was given."""
    return cell[1:] if cell.startswith("'") else cell


def write(places: Iterable[Place]) -> bytes:
    """The file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow((*COLUMNS, "display_name"))
    for one in places:
        writer.writerow([safe(str(cell)) for cell in (one.day, one.shift, one.rank, one.name, one.shown)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def read(content: bytes) -> list[Wish]:
    """The places that a file asks for. Raises Invalid with the line.

    Columns are found by the names of the first line; others are left alone. UTF-8, or GB 18030 as Chinese spreadsheets write it.
    """
    if len(content) > MAX_BYTES:
        raise Invalid(f"a roster has at most {MAX_BYTES} bytes", field="file")
    reader = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    wishes: list[Wish] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if not set(COLUMNS) <= set(header):
            raise Invalid(f"the first line names the columns {', '.join(COLUMNS)}", field="file")
        at = {name: header.index(name) for name in COLUMNS}
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            line = reader.line_num
            if len(row) <= max(at.values()):
                raise Invalid(f"line {line}: a cell is missing", field="file")
            day, shift, rank, name = (plain(row[at[column]].strip()) for column in COLUMNS)
            if not rank.isascii() or not rank.isdecimal() or len(rank) > 2:
                raise Invalid(f"line {line}: {rank[:20]!r} is no rank", field="rank")
            wishes.append(Wish(day, shift, int(rank), name, line))
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num}: {error}", field="file") from error
    if not wishes:
        raise Invalid("the file names no place", field="file")
    return wishes


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("the file is neither UTF-8 nor GB 18030", field="file")
