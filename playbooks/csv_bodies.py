"""How values stand in a body that is CSV (RFC 4180): each within one field of one record.

Within quotes, quotes of a value are doubled. A value that is a field as a whole is put into quotes where it needs them; in a part
of a field without quotes it has to be free of what divides fields, of whichever dialect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from playbooks.references import references
from playbooks.variables import VariableError

_DIVIDES = re.compile(r'[",;\t\r\n]')
_BORDER = frozenset(",;\t\r\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def writer(content: str) -> Callable[[str], str]:
    """How ``variables.substitute`` writes the values of this body, from left to right. Raises VariableError."""
    if problem := mistake(content):
        raise VariableError(f"the body should be CSV, but {problem}", "close the quotes of a field")
    following = _places(content)
    return lambda value: _WRITERS[next(following)](value)


def mistake(content: str) -> str:
    """What is wrong with a body whose names have no values yet; "" for nothing."""
    return "a field in quotes does not end" if content.count('"') % 2 else ""


def _places(content: str) -> Iterator[str]:
    """For each name where it stands: within quotes, as a whole field, or in a part of one."""
    end, quoted = 0, False
    for found in references(content):
        quoted ^= content.count('"', end, found.start) % 2 == 1
        before = content[found.start - 1] if found.start else ","
        after = content[found.end] if found.end < len(content) else ","
        end = found.end
        yield "quoted" if quoted else "field" if before in _BORDER and after in _BORDER else "part"


def _quoted(value: str) -> str:
    return _written(value).replace('"', '""')


def _field(value: str) -> str:
    """In quotes also where blanks at its ends would be lost."""
    return f'"{_quoted(value)}"' if _DIVIDES.search(value) or value != value.strip() else _written(value)


def _part(value: str) -> str:
    if _DIVIDES.search(value):
        raise VariableError("a value with separators or quotes cannot stand in a part of a field", "put the field into quotes")
    return _written(value)


def _written(value: str) -> str:
    if _CONTROL.search(value):
        raise VariableError("a value with control characters cannot stand in CSV")
    return value


_WRITERS: dict[str, Callable[[str], str]] = {"quoted": _quoted, "field": _field, "part": _part}
