"""Ranges of versions as CSAF documents write them: ``vers:deb/>=1.0|<1.2`` (purl, VERS), or plainly ``>= 1.0, < 1.2``."""

from __future__ import annotations

import re
from urllib.parse import unquote

from operations.software.versions import Range

MAX_PARTS = 64
_VERS = re.compile(r"vers:([a-z0-9.+-]+)/(.+)", re.DOTALL)
_PART = re.compile(r"(>=|<=|!=|>|<|=)?\s*([0-9A-Za-z][\w.:~+^%-]*)", re.ASCII)
_SCHEMES = {"deb": "dpkg", "rpm": "rpm"}


def read(text: str) -> tuple[str, tuple[Range, ...]] | None:
    """Scheme and ranges; None where it cannot be read. ``vers:…/*`` is one open range."""
    match = _VERS.fullmatch(text.strip())
    kind, rest = (match[1], match[2]) if match else ("", text.strip())
    scheme = _SCHEMES.get(kind, "generic")
    if rest.strip() == "*":
        return scheme, (Range(),)
    parts = [part.strip() for part in re.split(r"[|,]|\s+(?=[<>=!])", rest) if part.strip()]
    if not parts or len(parts) > MAX_PARTS:
        return None
    found: list[tuple[str, str]] = []
    for part in parts:
        one = _PART.fullmatch(part)
        if one is None or one[1] == "!=" or (not match and not one[1]):
            return None
        found.append((one[1] or "=", unquote(one[2])))
    return scheme, tuple(_joined(found))


def _joined(parts: list[tuple[str, str]]) -> list[Range]:
    """A lower bound and the upper one that follows it are one range."""
    made: list[Range] = []
    low: tuple[str, str] | None = None
    for sign, version in parts:
        if sign == "=":
            made.append(Range(version, True, version, True))
        elif sign in (">", ">="):
            if low is not None:
                made.append(Range(low[1], low[0] == ">="))
            low = (sign, version)
        else:
            made.append(Range(low[1] if low else "", low[0] == ">=" if low else True, version, sign == "<="))
            low = None
    if low is not None:
        made.append(Range(low[1], low[0] == ">="))
    return made
