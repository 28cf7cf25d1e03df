"""How texts are compared: folded to lower case character by character, so that every back end agrees."""

from __future__ import annotations

from typing import Any

import orjson


def fold(text: str) -> str:
    """Lower case, one character for one (DuckDB's ``lower``): no special case for final sigma or dotted I."""
    if text.isascii():
        return text.lower()
    return text.replace("İ", "i").replace("Σ", "σ").lower()


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
