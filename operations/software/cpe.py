"""CPE names: reading them (NISTIR 7695, formatted strings 2.3 and URIs 2.2), comparing them (NISTIR 7696).

``cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*`` has eleven attributes. ``*`` is ANY, ``-`` is NA; in a value an unquoted ``?``
stands for one sign and ``*`` for any number of them, at its beginning and end only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

ATTRIBUTES: tuple[str, ...] = (
    *("part", "vendor", "product", "version", "update", "edition", "language", "sw_edition", "target_sw", "target_hw", "other"),
)
ANY, NA = "*", "-"
SUPERSET, SUBSET, EQUAL, DISJOINT, UNDEFINED = "superset", "subset", "equal", "disjoint", "undefined"
MAX_NAME = 512
_VALUE = re.compile(r"(?:\?+|\*)?(?:[a-z0-9_.\-]|\\[!-/:-@\[-`{-~]|[^\x00-\x7f])+(?:\?+|\*)?")


class CpeError(ValueError):
    """This is no CPE name; the text says why."""


class Cpe(msgspec.Struct, frozen=True):
    """The attributes as formatted strings hold them (quoted, lower case)."""

    part: str = ANY
    vendor: str = ANY
    product: str = ANY
    version: str = ANY
    update: str = ANY
    edition: str = ANY
    language: str = ANY
    sw_edition: str = ANY
    target_sw: str = ANY
    target_hw: str = ANY
    other: str = ANY

    def __str__(self) -> str:
        return "cpe:2.3:" + ":".join(getattr(self, name) for name in ATTRIBUTES)


def parse(text: str) -> Cpe:
    """The name. Raises CpeError."""
    if len(text) > MAX_NAME:
        raise CpeError(f"a CPE name has at most {MAX_NAME} characters")
    if text.startswith("cpe:2.3:"):
        values = _split(text[len("cpe:2.3:") :])
        if len(values) != len(ATTRIBUTES):
            raise CpeError(f"a CPE 2.3 name has {len(ATTRIBUTES)} attributes, this one {len(values)}")
        return _made([value.lower() for value in values])
    if text.startswith("cpe:/"):
        return _made([_from_uri(value) for value in text[len("cpe:/") :].split(":")])
    raise CpeError("a CPE name begins with cpe:2.3: or cpe:/")


def plain(value: str) -> str:
    """A value without its quoting; "" for ANY and NA."""
    return "" if value in (ANY, NA) else re.sub(r"\\(.)", r"\1", value)


def quoted(text: str) -> str:
    """A plain text as the value of an attribute, ANY for ""."""
    made = re.sub(r"([^\w.\-]|^-$)", r"\\\1", re.sub(r"\s+", "_", text.strip().lower()), flags=re.ASCII)
    return re.sub(r"\\([^\x00-\x7f])", r"\1", made) or ANY


def compare_value(source: str, target: str) -> str:
    """The relation of two values of an attribute (NISTIR 7696, table 6-2)."""
    if _is_pattern(target):
        return UNDEFINED
    if source == target:
        return EQUAL
    if source == ANY:
        return SUPERSET
    if target == ANY:
        return SUBSET
    if NA in (source, target):
        return DISJOINT
    return SUPERSET if _is_pattern(source) and _pattern(source).fullmatch(target) else DISJOINT


def compare(source: Cpe, target: Cpe, attributes: Sequence[str] = ATTRIBUTES) -> str:
    """The relation of two names (NISTIR 7696, table 6-4), or of some of their attributes."""
    found = {compare_value(getattr(source, name), getattr(target, name)) for name in attributes}
    if DISJOINT in found:
        return DISJOINT
    if UNDEFINED in found:
        return UNDEFINED
    if found == {EQUAL}:
        return EQUAL
    if found <= {SUPERSET, EQUAL}:
        return SUPERSET
    return SUBSET if found <= {SUBSET, EQUAL} else UNDEFINED


def _split(text: str) -> list[str]:
    """At the colons that are not quoted."""
    return [part.replace("\0", "\\:") for part in text.replace("\0", "").replace("\\:", "\0").split(":")]


def _made(values: Sequence[str]) -> Cpe:
    if len(values) > len(ATTRIBUTES):
        raise CpeError("this CPE name has too many attributes")
    for name, value in zip(ATTRIBUTES, values, strict=False):
        if value not in (ANY, NA) and not _VALUE.fullmatch(value):
            raise CpeError(f"{name} of this CPE name cannot be read: {value[:40]!r}")
    if values[0] not in ("a", "o", "h", ANY, NA):
        raise CpeError(f"part of a CPE name is a, o or h, not {values[0][:10]!r}")
    return Cpe(**dict(zip(ATTRIBUTES, values, strict=False)))


def _from_uri(value: str) -> str:
    """An attribute of a 2.2 URI: empty is ANY, percent signs quote."""
    return NA if value == NA else quoted(unquote(value).partition("~")[0])


def _is_pattern(value: str) -> bool:
    return value not in (ANY, NA) and re.search(r"(?<!\\)(?:\\\\)*[*?]", value) is not None


def _pattern(value: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", value, re.DOTALL)
    signs = {"*": ".*", "?": r"(?:\\?.)?"}
    return re.compile("".join(signs.get(part) or re.escape(part) for part in parts), re.DOTALL)
