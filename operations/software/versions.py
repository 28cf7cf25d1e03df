"""Versions of the three schemes, and ranges of them.

generic  upstream versions: numbers by value, words that announce a release (rc, beta …) before it, other letters after it
         (1.0rc1 < 1.0 = 1.0.0 < 1.0a < 1.0.1); separators do not count (8.5p1 = 8.5-p1)
dpkg     operations.software.dpkg
rpm      operations.software.rpm

Packagers carry corrections back into older versions, so a packaged version says little against a range of upstream versions:
``upstream`` gives what can be compared, and who judges says that it is only possible.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from operations.software import dpkg, rpm

_TOKEN = re.compile(r"[0-9]+|[a-z]+")
_BEFORE = {"dev": 0, "snapshot": 0, "alpha": 1, "beta": 2, "milestone": 3, "pre": 4, "preview": 4, "cr": 5, "rc": 5}
"""Words that announce a release, oldest first."""
_PACKAGED = re.compile(r"[+~](?:dfsg|ds|really|git|repack|deb|ubuntu).*", re.IGNORECASE)
_END = (1, 0, "")


class Range(msgspec.Struct, frozen=True):
    """``low`` and ``high`` "" = open; the flags say whether the bound itself belongs to it."""

    low: str = ""
    low_in: bool = True
    high: str = ""
    high_in: bool = False

    def text(self) -> str:
        """As people write it: ``= 1.2``, ``>= 1.0, < 1.2``, "" for every version."""
        if self.low and self.low == self.high:
            return f"= {self.low}"
        parts = [f"{'>=' if self.low_in else '>'} {self.low}"] if self.low else []
        return ", ".join([*parts, *([f"{'<=' if self.high_in else '<'} {self.high}"] if self.high else [])])


def compare(scheme: str, one: str, other: str) -> int:
    """-1, 0 or 1."""
    if scheme == "dpkg":
        return dpkg.compare(one, other)
    if scheme == "rpm":
        return rpm.compare(one, other)
    mine, theirs = _key(one), _key(other)
    return (mine > theirs) - (mine < theirs)


def upstream(scheme: str, version: str) -> str:
    """The version of the maker: without epoch, packager's revision and the marks of a repacked archive."""
    if scheme == "generic":
        return version
    found = dpkg.split(version)[1] if scheme == "dpkg" else rpm.split(version)[1]
    return _PACKAGED.sub("", found) or found


def below(scheme: str, version: str, limits: Range) -> bool:
    """True where the version lies before the range."""
    if not limits.low:
        return False
    found = compare(scheme, version, limits.low)
    return found < 0 or (found == 0 and not limits.low_in)


def above(scheme: str, version: str, limits: Range) -> bool:
    """True where the version lies behind the range."""
    if not limits.high:
        return False
    found = compare(scheme, version, limits.high)
    return found > 0 or (found == 0 and not limits.high_in)


def inside(scheme: str, version: str, limits: Range) -> bool:
    """True where the version lies in the range."""
    return not below(scheme, version, limits) and not above(scheme, version, limits)


@lru_cache(maxsize=65_536)
def _key(version: str) -> tuple[tuple[int, int, str], ...]:
    """What orders generic versions: a number behind a word, the end between words that announce and words that follow."""
    text = unicodedata.normalize("NFKC", version).casefold().strip().partition("+")[0]
    text = text[1:] if re.match(r"v[0-9]", text) else text
    made: list[tuple[int, int, str]] = []
    for token in _TOKEN.findall(text):
        if token.isdigit():
            made.append((3, int(token), ""))
            continue
        _strip_zeros(made)
        made.append((0, _BEFORE[token], "") if token in _BEFORE else (2, 0, token))
    _strip_zeros(made)
    return (*made, _END)


def _strip_zeros(made: list[tuple[int, int, str]]) -> None:
    """1.0 is 1.0.0, and 1.0rc1 is 1.0.0rc1."""
    while made and made[-1] == (3, 0, ""):
        made.pop()
