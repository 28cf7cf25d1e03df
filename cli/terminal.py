"""What commands show on a terminal: text of others made harmless, and tables that stay readable when they are narrow or piped."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

PIPED_WIDTH = 240
"""Columns of a table that no terminal shows."""

_NATURAL = 40  # columns up to this width (UUID, IPv6 address, time) are never shortened
_LEAST = 20
_GAP = 2
_UNSHOWN = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")


def visible(text: str) -> str:
    """One line without control and bidi characters, which could steer the reader's terminal or turn around what it shows."""
    return "".join(_shown(sign) for sign in text)


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    if sign in "\r\n\t":
        return " "
    return "�" if unicodedata.category(sign) in _UNSHOWN else sign  # what is left are blanks, such as the Chinese one


def console() -> Console:
    """Standard output; 240 columns where it is no terminal."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def print_lines(names: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> int:
    """A table of one line a row; returns the number of rows.

    Columns of at most 40 are never shortened. The wider ones share what is left of the line, 20 at least; where a terminal is too
    narrow for that the lines run over its edge. ``right``: columns set flush right.
    """
    shown = [[visible(cell) for cell in row] for row in rows]
    natural = [max([cell_len(name), *(cell_len(row[at]) for row in shown)]) for at, name in enumerate(names)]
    out = console()
    left = out.width - sum(width + _GAP for width in natural if width <= _NATURAL)
    widths = _shared(natural, left)
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, _GAP, 0, 0))
    for name, width in zip(names, widths, strict=True):
        table.add_column(name, overflow="ellipsis", no_wrap=True, width=width, justify="right" if name in right else "left")
    for row in shown:
        table.add_row(*row)
    out.width = max(out.width, sum(widths) + _GAP * len(widths))
    out.print(table, soft_wrap=False, crop=False)
    return len(shown)


def _shared(natural: Sequence[int], left: int) -> list[int]:
    """Widths of the columns: the wide ones get a fair share of ``left``, none more than it needs, the narrowest first."""
    widths = list(natural)
    wide = sorted((width, at) for at, width in enumerate(natural) if width > _NATURAL)
    for number, (width, at) in enumerate(wide):
        share = left // (len(wide) - number) - _GAP
        widths[at] = max(_LEAST, min(width, share))
        left -= widths[at] + _GAP
    return widths
