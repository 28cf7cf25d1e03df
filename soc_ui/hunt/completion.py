"""What may stand at the caret of the query bar: fields, their commonest values, operators, pipes.

The grammar is that of kernel.query.parser; here only the word at the caret is looked at, so a query need not be complete.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import QueryError
from kernel.query import Query, parse_query
from kernel.query.tree import And, Exists, Match, Node, Wildcard
from kernel.store.contract import EventStore, TimeRange
from kernel.store.time_limit import within
from soc_ui.event_view import term

MOST = 12
MAX_TEXT = 16_384
MAX_PREFIX = 80
SECONDS = 3.0
"""Values that take longer to find are not suggested."""
PIPES = ("top ", "count", "histogram ", "fields ", "sort ")
OPERATORS = ("AND ", "OR ", "NOT ")
_FIELD = re.compile(r"[\w@$#~./-]*")


class Suggestion(msgspec.Struct, frozen=True):
    """``insert`` replaces the text from ``start`` to ``end``; ``note`` is a type or a count.

    kind  field | value | operator | pipe
    """

    insert: str
    label: str
    kind: str
    note: str
    start: int
    end: int


Values = Callable[[str, str], Sequence[tuple[str, int]]]
"""Commonest values of a field that begin with a prefix, with how often."""


def complete(text: str, at: int, popular: Sequence[str], values: Values) -> list[Suggestion]:
    """At most MOST suggestions for the caret ``at`` (0 … len(text))."""
    text = text[:MAX_TEXT]
    at = max(0, min(at, len(text)))
    start = _word_start(text, at)
    word = text[start:at]
    if "|" in _outside_quotes(text[:start]):
        return _after_pipe(text, start, at, word, popular)
    field, colon, typed = word.lstrip("(").partition(":")
    start += len(word) - len(word.lstrip("("))
    if colon and _FIELD.fullmatch(field):
        prefix = typed.lstrip('"(')[:MAX_PREFIX]
        found = values(field, prefix)
        return [Suggestion(term(field, value), value[:120], "value", f"{count:,}", start, at) for value, count in found[:MOST]]
    if not _FIELD.fullmatch(field):
        return []
    operators = _operators(word, text[:start])
    names = [Suggestion(f"{name}:", name, "field", FIELD_TYPES.get(name, ""), start, at) for name in _fields(field, popular)]
    told = [Suggestion(one, one.strip(), "operator", "", start, at) for one in operators]
    return [*told, *names][:MOST]


def values_of(store: EventStore, text: str, at: int, when: TimeRange, field: str, prefix: str) -> list[tuple[str, int]]:
    """Commonest values of a field among the hits of what stands before the caret; none where that takes too long."""
    try:
        narrower = starting_with(_readable(before(text, at)), field, prefix)
        with within(SECONDS):
            return [(str(entry.key), entry.count) for entry in store.top(narrower, when, field, limit=MOST)]
    except QueryError:
        return []  # too slow, or no field that can be counted: typing goes on


def _readable(text: str) -> Query:
    try:
        return parse_query(text)
    except QueryError:
        return parse_query("")


def starting_with(query: Query, field: str, prefix: str) -> Query:
    """The hits of ``query`` in which ``field`` begins with ``prefix``."""
    escaped = re.sub(r"([\\*?])", r"\\\1", prefix)
    predicate = Wildcard(escaped + "*") if prefix else Exists()
    parts: tuple[Node, ...] = (query.root, Match(field, predicate))
    return Query(query.text, And(parts))


def before(text: str, at: int) -> str:
    """The part of the query before the word at the caret, where values are looked for; "" where it is not complete."""
    head = text[: _word_start(text, max(0, min(at, len(text))))].rstrip()
    return re.sub(r"(?:\s*\b(?:AND|OR|NOT)|\s*\()+$", "", head, flags=re.IGNORECASE).strip()


def _word_start(text: str, at: int) -> int:
    """Where the word at the caret begins; a quoted value belongs to its field."""
    start, quoted = 0, False
    position = 0
    while position < at:
        sign = text[position]
        if sign == "\\":
            position += 2
            continue
        if sign == '"':
            quoted = not quoted
        elif not quoted and (sign.isspace() or sign == "|"):
            start = position + 1
        position += 1
    return min(start, at)


def _outside_quotes(text: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', "", text)


def _after_pipe(text: str, start: int, at: int, word: str, popular: Sequence[str]) -> list[Suggestion]:
    head = text[:start].rstrip()
    if head.endswith("|"):
        return [Suggestion(one, one.strip(), "pipe", "", start, at) for one in PIPES if one.startswith(word.lower())]
    if not _FIELD.fullmatch(word):
        return []
    return [Suggestion(name, name, "field", FIELD_TYPES.get(name, ""), start, at) for name in _fields(word, popular)][:MOST]


def _operators(word: str, head: str) -> list[str]:
    """Those that begin with the word, or all of them after a condition."""
    if word:
        return [one for one in OPERATORS if one.startswith(word.upper())]
    return list(OPERATORS) if _complete_before(head) else []


def _complete_before(head: str) -> bool:
    """Whether a condition has just ended, so that an operator may follow."""
    words = head.split()
    return bool(words) and words[-1].upper() not in ("AND", "OR", "NOT") and not head.rstrip().endswith("(")


def _fields(typed: str, popular: Sequence[str]) -> list[str]:
    """Those that begin with what was typed, the popular ones first; then those that have it anywhere."""
    wanted = typed.lower()
    order = list(dict.fromkeys([*popular, *sorted(FIELD_TYPES)]))
    first = [name for name in order if name.lower().startswith(wanted)]
    return [*first, *(name for name in order if wanted and wanted in name.lower() and name not in first)][:MOST]
