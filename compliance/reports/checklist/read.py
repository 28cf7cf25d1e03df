"""A check-list read from a workbook that anybody may have made.

Bounded before anything is parsed: octets, parts and expanded size of the archive. No document types (entities), macros, links to
other files, embedded files, and no formula in a cell that is read. Only as many columns and rows are looked at as a check-list has.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import msgspec
from openpyxl import load_workbook

from compliance.reports.checklist.columns import COLUMNS, FORMAT, INFO, MOST_ROWS, NEEDED, plain
from operations.errors import Invalid

MOST_OCTETS = 32 << 20
MOST_EXPANDED = 192 << 20
MOST_PARTS = 200
_SPARE_COLUMNS = 40
_REFUSED = (
    "xl/externallinks/",
    "xl/embeddings/",
    "xl/activex/",
    "xl/vbaproject",
    "xl/connections",
    "xl/querytables/",
    "xl/ctrlprops/",
)


class Row(msgspec.Struct, frozen=True):
    """``line``: of the sheet, from 2 on. Texts as they were written; ``trouble`` says what cannot be read, "" = nothing."""

    line: int
    item: str
    object_id: int
    verdict: str
    reason: str
    evidence: str
    version: int
    mark: str
    trouble: str = ""


class Sheet(msgspec.Struct, frozen=True):
    """``system``: the key of the system that it was made for (Material.key)."""

    system: str
    catalogue: str
    rows: tuple[Row, ...]


def read(octets: bytes) -> Sheet:
    """Raises Invalid."""
    _look_at(octets)
    try:
        book = load_workbook(io.BytesIO(octets), read_only=True, data_only=False, keep_links=False)
        try:
            info = _info(book)
            return Sheet(info["system"], info.get("catalogue", ""), _rows(book))
        finally:
            book.close()
    except Invalid:
        raise
    except Exception as error:  # openpyxl raises whatever it stumbles on
        raise Invalid(f"the workbook cannot be read ({type(error).__name__})", "save it as .xlsx again") from error


def _look_at(octets: bytes) -> None:
    if len(octets) > MOST_OCTETS:
        raise Invalid(f"the workbook has {len(octets):,} octets", f"at most {MOST_OCTETS:,}")
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_EXPANDED:
                raise Invalid("the workbook is larger inside than a check-list can be")
            for part in parts:
                if part.filename.lower().startswith(_REFUSED):
                    raise Invalid(f"the workbook has {part.filename[:60]!r}", "no macros, links to other files or embedded files")
                _look_into(archive, part)
    except Invalid:
        raise
    except Exception as error:  # a hostile archive fails in many ways
        raise Invalid("this is no workbook", "the .xlsx that was exported") from error


def _look_into(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """No document type, in no encoding; the relations name nothing outside."""
    if not part.filename.lower().endswith((".xml", ".rels", ".vml")):
        return
    text = archive.read(part)
    if text[:2] in (b"\xfe\xff", b"\xff\xfe") or b"\0" in text[:64]:
        raise Invalid(f"{part.filename[:60]!r} is not UTF-8")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Invalid(f"{part.filename[:60]!r} has a document type", "save it as .xlsx again")
    if part.filename.lower().endswith(".rels") and b'TargetMode="External"' in text:
        raise Invalid("the workbook links to something outside of it", "take the links out")


def _info(book: Any) -> dict[str, str]:
    if INFO not in book.sheetnames:
        raise Invalid(f"the sheet {INFO!r} is missing", "fill in the workbook that was exported")
    found = {}
    for cells in book[INFO].iter_rows(max_row=12, max_col=2, values_only=True):
        if len(cells) == 2 and isinstance(cells[0], str) and isinstance(cells[1], str):
            found[cells[0].strip()] = plain(cells[1])[:200]
    if found.get("format") != FORMAT or not found.get("system"):
        raise Invalid(f"this is no check-list of the form {FORMAT}")
    return found


def _rows(book: Any) -> tuple[Row, ...]:
    sheet = next((book[name] for name in book.sheetnames if name != INFO), None)
    if sheet is None:
        raise Invalid("the sheet with the check-list is missing")
    lines = sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=_SPARE_COLUMNS)
    places = _places(next(iter(lines), ()))
    rows: list[Row] = []
    for number, cells in enumerate(lines, 2):
        found = {key: cells[at] for key, at in places.items() if at < len(cells)}
        if all(found[key].value in (None, "") for key in found if key in NEEDED):
            continue
        if len(rows) >= MOST_ROWS:
            raise Invalid(f"the check-list has more than {MOST_ROWS:,} rows")
        rows.append(_row(number, found))
    return tuple(rows)


def _places(head: Any) -> dict[str, int]:
    """Key of a column → where it stands: people move columns. Raises Invalid where one is missing or twice."""
    names = {word: key for key, (zh, en, _) in COLUMNS.items() for word in (zh, en)}
    places: dict[str, int] = {}
    for at, cell in enumerate(head):
        key = names.get(cell.value.strip()) if isinstance(cell.value, str) else None
        if key in places:
            raise Invalid(f"the column {COLUMNS[key][0]!r} is there twice")
        if key is not None:
            places[key] = at
    missing = [COLUMNS[key][0] for key in NEEDED if key not in places]
    if missing:
        raise Invalid(f"columns are missing: {', '.join(missing)}", "keep the head of the sheet as it was exported")
    return places


def _row(number: int, cells: dict[str, Any]) -> Row:
    trouble = next((f"{COLUMNS[key][0]}: a formula" for key in NEEDED if key in cells and cells[key].data_type == "f"), "")
    texts = {key: _text(cells[key].value) if key in cells and not trouble else "" for key in NEEDED}
    numbers = {}
    for key in ("object", "version"):
        told = texts[key] or "0"
        if not told.isascii() or not told.isdecimal() or len(told) > 15:
            trouble, told = trouble or f"{COLUMNS[key][0]}: {told[:20]!r} is no number", "0"
        numbers[key] = int(told)
    return Row(
        number, texts["item"][:64], numbers["object"], texts["verdict"][:64], texts["reason"], texts["evidence"],
        numbers["version"], texts["mark"][:64], trouble,
    )  # fmt: skip


def _text(value: object) -> str:
    """A number that a spreadsheet made of digits is the digits again."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return plain(str(value))
