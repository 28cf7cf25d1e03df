"""How values stand in a body that is XML: as text between tags, or in the value of an attribute, and as nothing else.

A value is escaped, so it can become no element, no attribute, no entity. Where it cannot be (names of elements, comments, CDATA,
processing instructions) a name is refused. A body has no document type: what one may declare changes what the rest means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

from playbooks.references import Reference, references
from playbooks.variables import VariableError

_PART = re.compile(
    r"""(?P<comment><!--.*?(?:-->|\Z))
      | (?P<cdata><!\[CDATA\[.*?(?:\]\]>|\Z))
      | (?P<instruction><\?.*?(?:\?>|\Z))
      | (?P<declaration><!)
      | (?P<tag><(?:"[^"]*"|'[^']*'|[^"'<>])*>)
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"\"[^\"]*\"|'[^']*'")
_NO_LETTER = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (2.2) has no way to write."""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_IN_TEXT = re.compile("[&<>\r]")
_IN_ATTRIBUTE = re.compile("[&<>\"'\r\n\t]")


def mistake(content: str) -> str:
    """What is wrong with a body whose names have no values yet; "" for nothing."""
    if (place := next((place for place in _places(content) if place not in _WRITERS), "")) != "":
        return f"a value cannot stand in {place}"
    parts, end = [], 0
    for found in references(content):
        parts += [content[end : found.start], "x"]
        end = found.end
    return malformed("".join([*parts, content[end:]]))


def malformed(content: str) -> str:
    """Why this is no XML as it is; "" where it is."""
    if any(part.lastgroup == "declaration" for part in _PART.finditer(content)):
        return "XML with a document type is not sent"
    if _NO_LETTER.search(content):
        return "it holds letters that XML cannot"
    try:
        ElementTree.fromstring(content)  # noqa: S314 — without a document type there are no entities
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        return f"it is no XML: {error}"[:200]
    return ""


def writer(content: str) -> Callable[[str], str]:
    """How ``variables.substitute`` writes the values of this body, from left to right. Raises VariableError."""
    if problem := mistake(content):
        raise VariableError(f"the body should be XML, but {problem}", "names stand between tags, or in values of attributes")
    following = _places(content)
    return lambda value: _WRITERS[next(following)](value)


def _places(content: str) -> Iterator[str]:
    """For each name where it stands."""
    parts = iter([*_PART.finditer(content), None])
    part = next(parts)
    for found in references(content):
        while part is not None and part.end() <= found.start:
            part = next(parts)
        yield _place(content, part, found)


def _place(content: str, part: re.Match[str] | None, found: Reference) -> str:
    if part is None or found.end <= part.start():
        return "text"
    if part.lastgroup == "tag":
        inside = _ATTRIBUTE.finditer(content, part.start(), part.end())
        return (
            "attribute" if any(one.start() < found.start and found.end < one.end() for one in inside) else "the name of an element"
        )
    return {"comment": "a comment", "cdata": "CDATA", "instruction": "a processing instruction"}.get(str(part.lastgroup), "a tag")


def _text(value: str) -> str:
    return _IN_TEXT.sub(lambda found: _ESCAPES[found[0]], _written(value))


def _attribute(value: str) -> str:
    return _IN_ATTRIBUTE.sub(lambda found: _ESCAPES[found[0]], _written(value))


def _written(value: str) -> str:
    if _NO_LETTER.search(value):
        raise VariableError("a value with control characters cannot stand in XML")
    return value


_WRITERS: dict[str, Callable[[str], str]] = {"text": _text, "attribute": _attribute}
