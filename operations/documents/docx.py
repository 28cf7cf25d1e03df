"""A document as DOCX (ECMA-376), by python-docx."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import docx as office
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from operations.documents.model import (
    COLOURS,
    Bars,
    Block,
    Bullets,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
    check,
    printable,
)

_FONTS = {"w:ascii": "Arial", "w:hAnsi": "Arial", "w:eastAsia": "Microsoft YaHei"}
_BLUE, _GREY, _RED = RGBColor(0x16, 0x40, 0x6B), RGBColor(0x5C, 0x67, 0x73), RGBColor(0xC9, 0x2A, 0x2A)
_PALE = "F1F4F8"
_WIDTH = Cm(16.4)
_BORDER = 45
"""Between the border of a cell and its text above and below, in twentieths of a point."""
_BLOCKS = 30
"""Blocks of a full bar."""


def docx(document: Document) -> bytes:
    """The bytes of a .docx. Raises Invalid."""
    check(document)
    made = office.Document()
    _page(made, document)
    title = made.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(title, document.title, size=20, colour=_BLUE, bold=True)
    if document.subtitle:
        below = made.add_paragraph()
        below.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _run(below, document.subtitle, size=11, colour=_GREY)
    for block in document.blocks:
        _add(made, block)
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def _page(made: Any, document: Document) -> None:
    made.core_properties.title = printable(document.title)[:255]
    made.core_properties.author = printable(document.issuer)[:255]
    made.core_properties.language = "zh-CN" if document.language == "zh" else "en"
    normal = made.styles["Normal"]
    normal.font.size = Pt(10.5)
    for style in (normal, *(made.styles[f"Heading {level}"] for level in (1, 2, 3))):
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name, font in _FONTS.items():
            fonts.set(qn(name), font)
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme"):
            fonts.attrib.pop(qn(theme), None)
    for language in made.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")  # by it a word processor picks the shapes of Chinese letters and marks
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.3)
    section.top_margin, section.bottom_margin = Cm(2.4), Cm(2.2)
    if document.marking:
        header = section.header.paragraphs[0]
        header.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        _run(header, document.marking, colour=_RED, bold=True)
    footer = section.footer.paragraphs[0]
    _run(footer, f"{document.issuer}  {document.issued}".strip() + "\t\t", size=8.5, colour=_GREY)
    _page_number(footer)


def _page_number(paragraph: Any) -> None:
    """A PAGE field; word processors fill it in."""
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        part.text = text or None
        run = paragraph.add_run()
        run.font.size, run.font.color.rgb = Pt(8.5), _GREY
        run._r.append(part)  # python-docx has no call for fields


def _run(paragraph: Any, text: str, *, size: float = 0, colour: RGBColor | None = None, bold: bool = False) -> None:
    run = paragraph.add_run(printable(text))
    run.bold = bold or None
    if size:
        run.font.size = Pt(size)
    if colour is not None:
        run.font.color.rgb = colour


def _add(made: Any, block: Block) -> None:
    match block:
        case Heading(text=text, level=level):
            _run(made.add_heading(level=min(max(level, 1), 3)), text, colour=_BLUE)
        case Paragraph(text=text):
            _run(made.add_paragraph(), text)
        case Bullets(items=items, numbered=numbered):
            for item in items:
                _run(made.add_paragraph(style="List Number" if numbered else "List Bullet"), item)
        case Facts(rows=rows):
            _table(made, rows, (1, 3), head=False)
        case Table(columns=columns, rows=rows, widths=widths):
            _table(made, (columns, *rows), widths or (1,) * len(columns), head=True)
        case Bars():
            _bars(made, block)


def _bars(made: Any, block: Bars) -> None:
    """A chart of coloured full blocks: text, which every word processor shows."""
    colours = [RGBColor.from_string(COLOURS[name].upper()) for _, name in block.legend]
    legend = made.add_paragraph()
    for (text, _), colour in zip(block.legend, colours, strict=True):
        _run(legend, "■ ", colour=colour)
        _run(legend, f"{text}   ", size=9)
    if not block.rows:
        return
    table = made.add_table(rows=len(block.rows), cols=3)
    cells = _laid_out(table, (28, 58, 14))
    for number, row in enumerate(block.rows):
        label, bar, note = cells[number * 3 : number * 3 + 3]
        for cell in (label, bar, note):
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        _run(label.paragraphs[0], row.label, size=9)
        for length, colour in zip(_lengths(row.parts), colours, strict=True):
            if length:
                _run(bar.paragraphs[0], "█" * length, size=8, colour=colour)
        _run(note.paragraphs[0], row.note, size=9, colour=_GREY)
    _gap(made)


def _lengths(parts: tuple[int, ...]) -> list[int]:
    """Shares of _BLOCKS that add up to it: every border is rounded, not every part."""
    total, found, so_far, last = sum(parts), [], 0, 0
    for part in parts:
        so_far += part
        border = round(_BLOCKS * so_far / total) if total else 0
        found.append(border - last)
        last = border
    return found


def _table(made: Any, rows: tuple[tuple[str, ...], ...], widths: tuple[int, ...], *, head: bool) -> None:
    if not rows or not widths:
        return
    table = made.add_table(rows=len(rows), cols=len(widths), style="Table Grid")
    cells = _laid_out(table, widths)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            cell = cells[number * len(widths) + column]
            names = number == 0 if head else column == 0
            _run(cell.paragraphs[0], text, size=9, bold=names)
            if names:
                _shade(cell)
    if head:
        properties = table.rows[0]._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:tblHeader"))
    _gap(made)


def _shade(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", _PALE)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _gap(made: Any) -> None:
    """Between a table and what follows: two tables one after the other would be one."""
    empty = made.add_paragraph()
    empty.paragraph_format.space_after = Pt(0)
    empty.paragraph_format.line_spacing = Pt(8)


def _laid_out(table: Any, widths: tuple[int, ...]) -> list[Any]:
    """Between the margins of the page, columns by their shares, rows not torn apart; the cells, row by row.

    Word takes the widths of cells, LibreOffice those of the grid: both are set.
    """
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    margins = OxmlElement("w:tblCellMar")
    for side in ("top", "bottom"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(_BORDER))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tblPr.insert_element_before(margins, "w:tblLook", "w:tblCaption")  # the order is prescribed
    sizes = [int(_WIDTH * width / sum(widths)) for width in widths]
    for column, size in zip(table._tbl.tblGrid.gridCol_lst, sizes, strict=True):
        column.w = size
    for row in table._tbl.tr_lst:
        row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    cells: list[Any] = table._cells  # row by row python-docx would count all cells again for each
    for number, cell in enumerate(cells):
        cell.width = sizes[number % len(sizes)]
        cell.paragraphs[0].paragraph_format.space_after = Pt(0)
    return cells
