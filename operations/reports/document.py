"""A report as a document, for PDF and DOCX (operations.documents). Texts go in as data and are never markup."""

from __future__ import annotations

from operations.documents import Block, Document, Facts, Heading, Paragraph, Table
from operations.reports.figures import Figures
from operations.reports.tables import Cell, Grid, grids, overview
from operations.reports.words import Words


def document(figures: Figures, title: str, subtitle: str, issuer: str, issued: str, language: str) -> Document:
    """``issuer`` and ``issued`` stand at the foot."""
    say = Words(language)
    blocks: list[Block] = []
    for grid in (overview(figures, say), *grids(figures, say)):
        blocks += [Heading(grid.title), *_table(grid, say)]
    looked = ((say("sampled"), f"{figures.sampled:,}"), (say("examined"), f"{figures.now.incidents.examined:,}"))
    blocks += [Facts(looked), Paragraph(f"※ {say('note')}")]
    return Document(title, tuple(blocks), subtitle, issuer, issued, language=language)


def _table(grid: Grid, say: Words) -> list[Block]:
    if not grid.rows:
        return [Paragraph(say("none"))]
    return [Table(grid.columns, tuple(tuple(map(shown, row)) for row in grid.rows), grid.widths)]


def shown(cell: Cell) -> str:
    """As people read it; "—" where there is nothing."""
    if cell is None or cell == "":
        return "—"
    return cell if isinstance(cell, str) else f"{cell:,}"
