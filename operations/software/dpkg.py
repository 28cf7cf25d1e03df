"""Versions of Debian packages, compared after Debian Policy 5.6.12: ``[epoch:]upstream[-revision]``.

``~`` sorts before everything, even the end: 1.0~rc1 < 1.0 < 1.0a. ``dpkg --compare-versions`` is the reference of the tests.
"""

from __future__ import annotations

import re

_PARTS = re.compile(r"([^0-9]*)([0-9]*)")


def split(version: str) -> tuple[int, str, str]:
    """Epoch, upstream version and revision ("" = none, which equals "0")."""
    epoch, colon, rest = version.partition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,9}", epoch):
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return (int(epoch), upstream, revision) if dash else (int(epoch), rest, "")


def compare(one: str, other: str) -> int:
    """-1, 0 or 1."""
    epoch, upstream, revision = split(one)
    epoch2, upstream2, revision2 = split(other)
    if epoch != epoch2:
        return -1 if epoch < epoch2 else 1
    return _compare_part(upstream, upstream2) or _compare_part(revision, revision2)


def _compare_part(one: str, other: str) -> int:
    """Alternately what is no digit, by _order of each sign, and digits, by number."""
    mine, theirs = _PARTS.findall(one), _PARTS.findall(other)
    for index in range(max(len(mine), len(theirs))):
        text, digits = mine[index] if index < len(mine) else ("", "")
        text2, digits2 = theirs[index] if index < len(theirs) else ("", "")
        orders, orders2 = [*map(_order, text), 0], [*map(_order, text2), 0]
        if orders != orders2:
            return -1 if orders < orders2 else 1
        number, number2 = int(digits or 0), int(digits2 or 0)
        if number != number2:
            return -1 if number < number2 else 1
    return 0


def _order(sign: str) -> int:
    """``~`` before the end (0), letters before all other signs."""
    if sign == "~":
        return -1
    return ord(sign) if sign.isascii() and sign.isalpha() else ord(sign) + 256
