"""A QR code as the path of an inline SVG: no picture travels, and nothing is asked from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode

QUIET = 4
"""Light modules around the code (ISO/IEC 18004, 6.3.8)."""


@dataclass(frozen=True)
class QrCode:
    """``size`` modules square, quiet zone included; ``path`` draws the dark ones."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """The code for ``text``; dark modules of a row that touch are one rectangle."""
    maker = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    maker.add_data(text)
    maker.make()
    rows = maker.get_matrix()
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            width = 0
            while x + width < len(row) and row[x + width]:
                width += 1
            if width:
                parts.append(f"M{x + QUIET} {y + QUIET}h{width}v1h-{width}z")
            x += width or 1
    return QrCode(len(rows) + 2 * QUIET, "".join(parts))
