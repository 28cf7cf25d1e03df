"""The encoding modifiers ``wide``, ``utf16le``, ``utf16be`` and ``utf16`` for pySigma.

Sigma specification 2.0, modifiers appendix: ``wide`` is another name of ``utf16le``; ``utf16`` puts the byte order mark in front.
pySigma 1.5 has no ``utf16le``, keeps text instead of bytes (so a base64 of ``utf16`` gets a wrong mark) and refuses non-ASCII text.
"""

from __future__ import annotations

from codecs import BOM_UTF16_LE
from typing import Any, cast

from sigma.exceptions import SigmaValueError
from sigma.modifiers import SigmaValueModifier, modifier_mapping
from sigma.types import SigmaString


class EncodedString(SigmaString):  # type: ignore[misc, unused-ignore]
    """A text as bytes: one character per byte, wildcards left as they are."""

    def __init__(self, parts: list[Any]) -> None:
        super().__init__("")
        self.s = parts

    def __bytes__(self) -> bytes:
        return "".join(cast("list[str]", self.s)).encode("latin-1")

    def __len__(self) -> int:
        return sum(len(part) if isinstance(part, str) else 1 for part in self.s)


class _EncodingModifier(SigmaValueModifier[SigmaString, SigmaString]):  # type: ignore[misc, unused-ignore]
    codec = "utf-16-le"
    mark = ""

    def modify(self, val: SigmaString) -> SigmaString:
        try:
            parts = [part.encode(self.codec).decode("latin-1") if isinstance(part, str) else part for part in val.s]
        except UnicodeEncodeError as error:
            raise SigmaValueError(f"text {str(val)!r} cannot be encoded: {error}", source=self.source) from error
        return EncodedString([self.mark, *parts] if self.mark else parts)


class Utf16LittleEndian(_EncodingModifier):
    """``wide``, ``utf16le``."""


class Utf16BigEndian(_EncodingModifier):
    """``utf16be``."""

    codec = "utf-16-be"


class Utf16WithMark(_EncodingModifier):
    """``utf16``: little endian with byte order mark."""

    mark = BOM_UTF16_LE.decode("latin-1")


def register() -> None:
    """Make pySigma use these modifiers (its only way to add one is this table)."""
    modifier_mapping["wide"] = modifier_mapping["utf16le"] = Utf16LittleEndian
    modifier_mapping["utf16be"] = Utf16BigEndian
    modifier_mapping["utf16"] = Utf16WithMark
