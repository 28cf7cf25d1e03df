"""The check-list as XLSX. Texts are texts, never formulas, whatever they begin with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from compliance.catalogue.load import requirements
from compliance.reports.checklist.columns import COLUMNS, FILLED_IN, FORMAT, INFO, MOST_ROWS, mark, plain
from compliance.reports.material import Material
from compliance.reports.pairs import Pair
from compliance.reports.words import Words
from compliance.systems.kinds import name_of
from compliance.verdicts import Verdict
from operations.errors import Invalid

_BOLD, _WRAP = Font(bold=True), Alignment(wrap_text=True, vertical="top")
_HEAD, _OPEN = PatternFill("solid", fgColor="DCE6F1"), PatternFill("solid", fgColor="FFF9DB")


def write(material: Material, language: str) -> bytes:
    """The bytes of a .xlsx. Raises Invalid for more than MOST_ROWS pairs."""
    say = Words(language)
    if len(material.pairs) > MOST_ROWS:
        raise Invalid(f"the check-list would have {len(material.pairs):,} rows", f"at most {MOST_ROWS:,}")
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(say("checklist"))
    sheet.freeze_panes = "B2"
    for number, (_, _, width) in enumerate(COLUMNS.values(), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    column = get_column_letter(list(COLUMNS).index("verdict") + 1)
    choice = DataValidation(type="list", formula1='"' + ",".join(say(one.value) for one in Verdict) + '"', allow_blank=True)
    choice.add(f"{column}2:{column}{len(material.pairs) + 1}")
    sheet.data_validations.append(choice)
    _append(sheet, [head[0 if say.zh else 1] for head in COLUMNS.values()], head=True)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{len(material.pairs) + 1}"
    for pair in material.pairs:
        _append(sheet, _row(material, pair, say))
    info: Any = book.create_sheet(INFO)
    info.column_dimensions["B"].width = 60
    for line in (
        ("format", FORMAT), ("system", material.key), ("name", material.system.name), ("exported", material.gathered_at),
        ("catalogue", requirements().digest), ("how", say("checklist_how")),
    ):  # fmt: skip
        _append(info, line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _row(material: Material, one: Pair, say: Words) -> list[str | int]:
    placed = material.items[one.item].placed
    where = one.object
    names = (placed.security_class, placed.control_point, placed.item)
    said: list[str | int] = [
        say.time(one.at) if one.at else "",
        one.version,
        mark(one.item, one.object_id, one.verdict, one.reason, one.evidence, one.version),
    ]
    return [
        one.item, *((named.zh if say.zh else named.en) for named in names), placed.item.assessment_unit, one.object_id,
        name_of(where.kind, chinese=say.zh) if where else "", where.name if where else say("whole"),
        say(one.verdict) if one.verdict else "", one.reason, one.evidence,
        f"{say(one.source)} {one.by}".strip() if one.source else "", *said,
    ]  # fmt: skip


def _append(sheet: Any, values: Sequence[str | int], *, head: bool = False) -> None:
    cells = []
    for name, value in zip((*COLUMNS, ""), values, strict=False):
        cell = WriteOnlyCell(sheet, plain(value) if isinstance(value, str) else value)
        if isinstance(value, str):
            cell.data_type = "s"  # openpyxl makes a formula of a text with = before it
            cell.quotePrefix = value[:1] in ("=", "+", "-", "@", "\t")
        cell.alignment = _WRAP
        if head:
            cell.font, cell.fill = _BOLD, _HEAD
        elif name in FILLED_IN and len(values) > 2:
            cell.fill = _OPEN
        cells.append(cell)
    sheet.append(cells)
