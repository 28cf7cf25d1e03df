"""The colours of the console: every text can be read on everything it may stand on (WCAG 2.2, 1.4.3: 4.5 to 1)."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "soc_ui" / "static" / "css"
SHEET = (CSS / "console.css").read_text("utf-8")
TOKENS, REST = SHEET[SHEET.index(":root {") :].split("}", 1)

TEXTS = ("text", "text-2", "text-3", "accent", "critical-text", "good", "bad", "warn", "progress")
SURFACES = ("bg", "surface", "raised", "sunken", "hover", "selected")
PAIRS = (
    *itertools.product(TEXTS, SURFACES),
    *(("on-sign", f"{level}-sign") for level in ("critical", "high", "low")),
    ("on-medium", "medium-sign"),
    ("on-medium", "yellow-sign"),
    ("on-accent", "accent-strong"),
    ("on-accent", "accent-hover"),
    ("mark-text", "mark"),
    *itertools.product(("on-toast", "toast-link"), ("toast", "toast-bad")),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_every_surface(theme: str) -> None:
    low = {
        f"{text} on {surface}": round(contrast(token(text, theme), token(surface, theme)), 2)
        for text, surface in PAIRS
        if contrast(token(text, theme), token(surface, theme)) < 4.5
    }
    assert low == {}


def test_texts_have_no_colour_besides_the_tokens() -> None:
    for sheet in (REST, *(path.read_text("utf-8") for path in CSS.glob("*.css") if path.name != "console.css")):
        assert re.findall(r"(?<![-\w])color:\s*(?:#|light-dark|rgb|hsl)[^;}]+", sheet) == []


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # WCAG's well-known grey that just fails


def token(name: str, theme: str) -> str:
    """A colour of the sheet's first block, ``#rrggbb``."""
    found = re.search(rf"--{name}:\s*(?:light-dark\((#\w{{6}}), (#\w{{6}})\)|(#\w{{6}}));", TOKENS)
    assert found is not None, name
    return found[3] or found[1 if theme == "light" else 2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
