"""Where a text uses a variable: ``__name__:value`` (CACAO 2.0, 10.18.2).

A reference may stand anywhere in a text (``https://__host__:value/__path__:value``). A name reaches back from ``:value`` to the
first ``__`` of the word it stands in. Searching is linear in the length of the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from playbooks.vocabulary import LONGEST_VARIABLE_NAME, is_variable_name

_SUFFIX = ":value"
_USED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?=:value)", re.ASCII)
"""A whole word before ``:value``; possessive, and begun at the start of a word only, so each letter is looked at once."""
_BARE = re.compile(r"(?<![A-Za-z0-9_-])__[A-Za-z0-9_-]*+(?!:value)", re.ASCII)


class Reference(NamedTuple):
    """``text[start:end]`` is ``name`` and ``:value``."""

    start: int
    end: int
    name: str


def references(text: str) -> Iterator[Reference]:
    """Each use of a variable, from left to right."""
    for word in _USED.finditer(text) if _SUFFIX in text else ():
        name, start = _name_in(word[0])
        if name:
            yield Reference(word.start() + start, word.end() + len(_SUFFIX), name)


def forgotten(text: str) -> Iterator[str]:
    """Names that stand in a text without ``:value``, so that nothing replaces them."""
    for word in _BARE.finditer(text) if "__" in text else ():
        if is_variable_name(word[0]):
            yield word[0]


@lru_cache(maxsize=4096)
def the_one(text: str) -> str:
    """The name where the whole text is one reference, or the bare name of a variable; "" otherwise."""
    name = text.strip().removesuffix(_SUFFIX)
    return name if is_variable_name(name) else ""


def names_within(value: Any) -> frozenset[str]:
    """Names of all variables used in the texts of a JSON value, keys included."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.update(reference.name for reference in references(one))
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return frozenset(found)


def _name_in(word: str) -> tuple[str, int]:
    """The name that ends the word, and where it begins in it; "" for none."""
    if not word.endswith("__"):
        return "", 0
    before = max(0, len(word) - LONGEST_VARIABLE_NAME)
    start = word.find("__", before)
    while start >= 0:
        if is_variable_name(word[start:]):
            return word[start:], start
        start = word.find("__", start + 1)
    return "", 0
