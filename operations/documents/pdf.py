"""A document as PDF, by typst. The layout is a file of ours; everything else goes in as JSON and can therefore not be markup."""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec
import pylopdf_fonts_zh_cn as fonts

from kernel.errors import LiandunError
from operations.documents.model import COLOURS, Bars, Document, Facts, Heading, Table, check, printable

_FONTS = fonts.sans_path().parent


class LayoutError(LiandunError):
    """The PDF could not be made."""


def pdf(document: Document) -> bytes:
    """The bytes of a PDF with its fonts (Noto Sans SC, OFL 1.1) inside. Raises Invalid, LayoutError."""
    check(document)
    try:
        import typst
    except ImportError as error:  # has wheels for x86-64 and ARM64 only
        raise LayoutError("this machine has no typst, which makes PDF files", "take DOCX, or build typst from source") from error
    layout = resources.files(__package__).joinpath("layout.typ").read_bytes()
    text = printable(msgspec.json.encode(_plain(document)).decode())
    try:
        made: Any = typst.compile(  # type: ignore[misc] # its stubs leave a type variable open
            layout, font_paths=[str(_FONTS)], ignore_system_fonts=True, sys_inputs={"document": text}
        )
        return bytes(made)
    except typst.TypstError as error:
        raise LayoutError(f"the PDF cannot be made: {str(error)[:300]}", "please report this, with the document") from error


def _plain(document: Document) -> dict[str, object]:
    """As the layout reads it. Long words are given places to break at (a hash would run out of its table cell)."""
    told: dict[str, object] = msgspec.to_builtins(document)
    for block, made in zip(document.blocks, told["blocks"], strict=True):  # type: ignore[call-overload]
        if isinstance(block, Facts | Table):
            made["rows"] = [[breakable(cell) for cell in row] for row in block.rows]
        if isinstance(block, Bars):
            made["legend"] = [[text, f"#{COLOURS[colour]}"] for text, colour in block.legend]
        if isinstance(block, Heading):
            made["level"] = min(max(block.level, 1), 3)
    return told


def breakable(text: str) -> str:
    """Zero-width spaces within words of more than 16 letters."""
    return " ".join(map(_broken, text.split(" ")))


def _broken(word: str) -> str:
    return "\u200b".join(word[at : at + 8] for at in range(0, len(word), 8)) if len(word) > 16 else word
