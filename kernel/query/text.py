"""How texts are compared: folded to lower case character by character, so that every back end agrees."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson


def fold(text: str) -> str:
    """Lower case, one character for one (DuckDB's ``lower``): no special case for final sigma or dotted I."""
    if text.isascii():
        return text.lower()
    return text.replace("İ", "i").replace("Σ", "σ").lower()


@lru_cache(maxsize=1)
def _unfolded() -> dict[str, str]:
    """Folded character → all characters that fold to it (cased letters lie below U+20000)."""
    sources: dict[str, str] = {}
    for code in range(0x20000):
        character = chr(code)
        folded = fold(character)
        if folded != character:
            sources[folded] = sources.get(folded, folded) + character
    return sources


def spellings(character: str) -> str:
    """All characters that fold to the same as a folded one, itself included: ``k`` → ``kKK`` (the last is the Kelvin sign)."""
    return _unfolded().get(character, character)


def element_text(value: Any) -> str:
    """The text of one element: see :mod:`kernel.query.tree`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return orjson.dumps(value).decode().replace("e+", "e")
    return str(value)


def wildcard_tokens(pattern: str) -> list[tuple[str, str]]:
    """``("*", "")``, ``("?", "")`` and ``("text", literal)`` in order; runs of ``*`` collapse."""
    tokens: list[tuple[str, str]] = []
    literal: list[str] = []

    def flush() -> None:
        if literal:
            tokens.append(("text", "".join(literal)))
            literal.clear()

    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            literal.append(next(characters, "\\"))
        elif character in "*?":
            flush()
            if character == "?" or not tokens or tokens[-1][0] != "*":
                tokens.append((character, ""))
        else:
            literal.append(character)
    flush()
    return tokens
