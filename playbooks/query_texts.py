"""Queries and rules with their values: ``elastic`` in JSON or in the language of Lucene, ``sigma`` in YAML, ``yara`` in its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from playbooks import bodies, lucene, sigma_text, yara_text
from playbooks.model import Variable
from playbooks.references import names_within, references
from playbooks.variables import VariableError, substitute

_INDEX_PART = re.compile(r"[a-z0-9._-]+", re.ASCII)
_JSON = frozenset({"application/json"})
_WRITTEN_ANEW = frozenset({"query_string", "simple_query_string", "regexp", "wildcard", "intervals"})
"""Queries of the DSL whose texts are a language of their own, in which an escaped value could still mean more than itself."""


def filled(kind: str, text: str, scope: Mapping[str, Variable], readable: frozenset[str] | None) -> str:
    """The text of a command of this kind with its values. Raises VariableError."""
    return _WRITERS[kind](text, scope, readable)


def index_filled(text: str, scope: Mapping[str, Variable], readable: frozenset[str] | None) -> str:
    """The ``index`` of an ``elastic`` query with its values: each is a part of one name, no pattern and no further name.

    One that is the whole index keeps its structure. Raises VariableError.
    """
    whole = [(one.start, one.end) for one in references(text)] == [(0, len(text))]
    return substitute(text, scope, readable, _whole_index if whole else _part_of_index)


def _whole_index(value: str) -> str:
    if not value.strip():
        raise VariableError("an empty value would be every index", "name one")
    return value


def _part_of_index(value: str) -> str:
    if not _INDEX_PART.fullmatch(value):
        raise VariableError(f"the value {value[:60]!r} is no part of the name of an index", "a-z 0-9 . _ - only")
    return value


def is_dsl(text: str) -> bool:
    """Whether an ``elastic`` query is JSON; else it is in the language of Lucene."""
    return bodies.counts_as_json(text, ())


def languages_within(text: str) -> list[str]:
    """Queries of a text in the DSL that hold names in a language of their own."""
    try:
        waiting: list[Any] = [msgspec.json.decode(text)]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []  # names without quotes: there is no text in them
    found = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found |= {name for name, inner in one.items() if name in _WRITTEN_ANEW and names_within(inner)}
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return sorted(found)


def _elastic(text: str, scope: Mapping[str, Variable], readable: frozenset[str] | None) -> str:
    if not is_dsl(text):
        return substitute(text, scope, readable, lucene.writer(text))
    if found := languages_within(text):
        raise VariableError(f"a value cannot stand in a {found[0]} query", "term, match, prefix and range take values as they are")
    written = substitute(text, scope, readable, bodies.writer(text, _JSON))
    bodies.check_result(written, _JSON)
    return written


_WRITERS: dict[str, Callable[[str, Mapping[str, Variable], frozenset[str] | None], str]] = {
    "elastic": _elastic,
    "sigma": sigma_text.filled,
    "yara": yara_text.filled,
}
KINDS = frozenset(_WRITERS)
