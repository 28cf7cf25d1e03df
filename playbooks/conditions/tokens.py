"""A condition cut into words (STIX 2.1, 9.9), from left to right in linear time."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from playbooks.conditions.errors import ConditionError
from playbooks.vocabulary import is_variable_name

Kind = Literal["text", "number", "flag", "variable", "word", "sign", "end"]
WORDS = frozenset({"AND", "OR", "NOT", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS"})
_SIGNS = {"==": "=", "<>": "!=", "!=": "!=", "<=": "<=", ">=": ">=", "=": "=", "<": "<", ">": ">"}
_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.:/-])", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TYPED_QUOTE = re.compile(r"[tbh]['\"]")
_SHOWN = 40


class Token(NamedTuple):
    """``text`` is the content of a quoted text, the name of a variable, or the word or sign in its one spelling."""

    kind: Kind
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """All words of a condition and the end after them. Raises ConditionError."""
    found: list[Token] = []
    at = 0
    while True:
        if blanks := _BLANKS.match(text, at):
            at = blanks.end()
        if at >= len(text):
            return [*found, Token("end", "", len(text))]
        token, at = _next(text, at)
        found.append(token)


def _next(text: str, at: int) -> tuple[Token, int]:
    letter = text[at]
    if letter in "'\"":
        return _quoted(text, at)
    if letter in "()[],":
        return Token("sign", {"[": "(", "]": ")"}.get(letter, letter), at), at + 1
    for sign in (text[at : at + 2], letter):
        if sign in _SIGNS:
            return Token("sign", _SIGNS[sign], at), at + len(sign)
    if number := _NUMBER.match(text, at):
        return Token("number", number[0], at), number.end()
    if _TYPED_QUOTE.match(text, at):
        if letter == "b":
            raise ConditionError("binary literals cannot be compared", "compare text: '…'", at)
        return _quoted(text, at + 1)
    if name := _NAME.match(text, at):
        return _named(text, name[0], at)
    raise ConditionError(f"{text[at : at + 10]!r} is not understood here", "text stands in quotes: 'a b'", at)


def _named(text: str, name: str, at: int) -> tuple[Token, int]:
    end = at + len(name)
    if text.startswith(":value", end) and not _NAME.match(text, end + 6):
        if not is_variable_name(name):
            hint = "names begin and end with two underscores: __address__:value"
            raise ConditionError(f"{name[:_SHOWN]!r} cannot name a variable", hint, at)
        return Token("variable", name, at), end + 6
    if is_variable_name(name):
        raise ConditionError(f"{name[:_SHOWN]} without :value", f"write {name[:_SHOWN]}:value", at)
    if name.upper() in WORDS:
        return Token("word", name.upper(), at), end
    if name.lower() in ("true", "false"):
        return Token("flag", name.lower(), at), end
    raise ConditionError(f"{text[at : at + _SHOWN].split(' ')[0]!r} is not understood", "text stands in quotes: 'a b'", at)


def _quoted(text: str, at: int) -> tuple[Token, int]:
    """A text in quotes; ``\\'`` and ``\\\\`` are the letter itself, any other backslash stays (regular expressions need it)."""
    quote, parts, here = text[at], [], at + 1
    while True:
        stop = _first(text, here, quote)
        if stop < 0:
            raise ConditionError("the quote is never closed", f"write {quote} at its end; a quote inside is \\{quote}", at)
        parts.append(text[here:stop])
        if text[stop] == quote:
            return Token("text", "".join(parts), at), stop + 1
        following = text[stop + 1 : stop + 2]
        parts.append(following if following in (quote, "\\") else "\\" + following)
        here = stop + 1 + len(following)


def _first(text: str, at: int, quote: str) -> int:
    for place in range(at, len(text)):
        if text[place] == quote or text[place] == "\\":
            return place
    return -1
