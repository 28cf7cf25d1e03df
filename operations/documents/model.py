"""What a document is made of."""

from __future__ import annotations

import re

import msgspec

from operations.errors import Invalid

MAX_CELLS = 200_000
"""Table cells of one document; a report is no export."""


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """``level`` 1 to 3."""

    text: str
    level: int = 1


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    """Plain text; line ends are kept."""

    text: str


class Bullets(msgspec.Struct, frozen=True, tag="bullets"):
    """A list; numbered where order matters."""

    items: tuple[str, ...]
    numbered: bool = False


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """Pairs of name and value, as a two-column form."""

    rows: tuple[tuple[str, str], ...]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Rows as wide as ``columns``; ``widths`` are shares (default: equal)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...] = ()


class Bar(msgspec.Struct, frozen=True):
    """One bar of whole parts, drawn to its full width; ``note`` stands at its end."""

    label: str
    parts: tuple[int, ...]
    note: str = ""


class Bars(msgspec.Struct, frozen=True, tag="bars"):
    """Stacked bars. ``legend``: what each part is, with its colour of COLOURS."""

    legend: tuple[tuple[str, str], ...]
    rows: tuple[Bar, ...]


COLOURS = {"green": "2f9e44", "amber": "f08c00", "red": "c92a2a", "grey": "868e96", "pale": "dee2e6"}
Block = Heading | Paragraph | Bullets | Facts | Table | Bars


class Document(msgspec.Struct, frozen=True):
    """A4, upright.

    title     on the first page and in the properties of the file
    subtitle  number, level or period, below the title
    issuer    who issues it; stands at the foot with ``issued`` (text, local time)
    marking   a mark in red at the top right of each page, such as 「演练」 for a drill; "" = none
    language  ``zh`` or ``en``: hyphenation and the words of the page foot
    """

    title: str
    blocks: tuple[Block, ...]
    subtitle: str = ""
    issuer: str = ""
    issued: str = ""
    marking: str = ""
    language: str = "zh"


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Without characters that XML forbids, and without bidi controls, which make a line read as what it is not."""
    return _UNPRINTABLE.sub("\ufffd", text)


def check(document: Document) -> None:
    """Raises Invalid for a table or chart that is not rectangular, or a document beyond all measure."""
    cells = 0
    for number, block in enumerate(document.blocks, 1):
        if isinstance(block, Table):
            if any(len(row) != len(block.columns) for row in block.rows) or len(block.widths) not in (0, len(block.columns)):
                raise Invalid(f"block {number}: a row or the widths do not fit the {len(block.columns)} columns")
            cells += len(block.columns) * len(block.rows)
        if isinstance(block, Bars):
            if any(len(row.parts) != len(block.legend) or min(row.parts, default=0) < 0 for row in block.rows):
                raise Invalid(f"block {number}: a bar has not the {len(block.legend)} parts of the legend")
            if any(colour not in COLOURS for _, colour in block.legend):
                raise Invalid(f"block {number}: a colour of the legend is not one of {', '.join(COLOURS)}")
            cells += len(block.legend) * len(block.rows)
    if cells > MAX_CELLS:
        raise Invalid(f"the document has {cells:,} table cells", f"at most {MAX_CELLS:,}: ask for a shorter period")
