"""How values stand in a query in the language of Lucene (``query_string`` of Elasticsearch), so that none becomes more than a term.

Within double quotes a value is escaped there; elsewhere every sign that is no letter and no digit is escaped, also in a regular
expression (``/…/``): a backslash makes it mean itself (org.apache.lucene.queryparser.classic). What that cannot help is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from playbooks.references import references
from playbooks.variables import VariableError

_OPERATORS = frozenset({"AND", "OR", "NOT", "TO"})
_SPECIAL = re.compile(r"[^0-9A-Za-z_\u0080-\U0010ffff]|[\u0080-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff]")
_RANGE = re.compile(r"[<>]")
"""Signs that no backslash takes the meaning from (Elasticsearch, query_string, reserved characters)."""


def writer(text: str) -> Callable[[str], str]:
    """How ``variables.substitute`` writes the values of this query, from left to right."""
    places = _places(text)

    def put(value: str) -> str:
        return _quoted(value) if next(places) else _bare(value)

    return put


def _places(text: str) -> Iterator[bool]:
    """For each name whether it stands within double quotes."""
    end, within = 0, False
    for found in references(text):
        for mark in re.finditer(r'\\.|"', text[end : found.start], re.DOTALL):
            if mark[0] == '"':
                within = not within
        yield within
        end = found.end


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _bare(value: str) -> str:
    if not value.strip():
        raise VariableError("an empty value cannot be a term of a query", 'quote the name: "__name__:value"')
    if _RANGE.search(value) or value in _OPERATORS:
        raise VariableError(f"the value {value[:60]!r} cannot stand in a query without quotes", 'quote the name: "__name__:value"')
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", value)
