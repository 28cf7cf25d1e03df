"""How values stand in the body of an HTTP command, so that none becomes more than the one value it is.

JSON: within a string a value is escaped; outside of strings it has to be a number, true, false or null. Whether a text is JSON is
asked of what is left when each name within a string is an ``x`` and every other one a ``0``. A form: values are percent-encoded.
XML and CSV: ``xml_bodies``, ``csv_bodies``. Every other body is text, in which a value stands as it is, on its one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

import msgspec

from playbooks import csv_bodies, xml_bodies
from playbooks.references import references
from playbooks.variables import VariableError, for_json

Put = Callable[[str], str]
_FORM = "application/x-www-form-urlencoded"
_CSV = frozenset({"text/csv", "application/csv"})
_XML = re.compile(r"(?:application|text)/xml|[a-z]+/[a-z0-9.-]+\+xml", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
"""Letters that end a line, or mean something to a terminal; a tab does not."""
_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json|text/json", re.ASCII)
_BARE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null", re.ASCII)
_SPACE = " \t\r\n\v\f\ufeff\u00a0\u2028\u2029"
_SHORT = 2_048


def kinds_of(headers: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The media types that headers give, in lower case."""
    values = [value for name, given in headers.items() if name.lower() == "content-type" for value in given]
    return frozenset(value.partition(";")[0].strip().lower() for value in values)


def is_form(kinds: Iterable[str]) -> bool:
    return _FORM in kinds


def is_csv(kinds: Iterable[str]) -> bool:
    return any(kind in _CSV for kind in kinds)


def says_xml(kinds: Iterable[str]) -> bool:
    """Whether one of these media types is XML (RFC 7303)."""
    return any(_XML.fullmatch(kind) for kind in kinds)


def counts_as_xml(content: str, kinds: Iterable[str]) -> bool:
    """Whether a body has to be XML: it says so, or says nothing and begins so."""
    named = frozenset(kinds)
    return says_xml(named) or (not named and content.lstrip(_SPACE).startswith("<?xml"))


def mistake(content: str, kinds: frozenset[str]) -> tuple[str, str]:
    """What is wrong with a body with names in it, and what to do; twice "" for nothing."""
    if is_form(kinds):
        return "", ""
    if counts_as_xml(content, kinds):
        problem = xml_bodies.mistake(content)
        return (
            (f"the body should be XML, but {problem}", "names stand between tags, or in values of attributes")
            if problem
            else ("", "")
        )
    if is_csv(kinds):
        problem = csv_bodies.mistake(content)
        return (f"the body should be CSV, but {problem}", "close the quotes of a field") if problem else ("", "")
    if counts_as_json(content, kinds) and not is_json(content):
        return (
            "the body begins like JSON and is none",
            "quote names that stand for text; others stand for numbers, true, false or null",
        )
    return "", ""


def counts_as_json(content: str, kinds: Iterable[str]) -> bool:
    """Whether a body has to be JSON: it begins so, or says so."""
    return content.lstrip(_SPACE)[:1] in ("{", "[") or any(_JSON.fullmatch(kind) for kind in kinds)


def is_json(content: str) -> bool:
    """Whether a body with names in it is JSON once they have values."""
    return _places(content) is not None


def writer(content: str, kinds: frozenset[str]) -> Put:
    """How ``variables.substitute`` writes the values of this body, from left to right.

    Raises VariableError for what should be JSON, XML or CSV and is none.
    """
    if is_form(kinds):
        return _for_form
    if counts_as_xml(content, kinds):
        return xml_bodies.writer(content)
    if is_csv(kinds):
        return csv_bodies.writer(content)
    if not counts_as_json(content, kinds):
        return _for_text
    places = _places(content)
    if places is None:
        raise VariableError("the body begins like JSON and is none", "names without quotes stand for numbers, true, false or null")
    following = iter(places)

    def put(value: str) -> str:
        return for_json(value) if next(following) else _bare(value)

    return put


def check_result(content: str, kinds: frozenset[str]) -> None:
    """Values have been put into a body. Raises VariableError where it is no JSON, or no XML, and should be."""
    if counts_as_xml(content, kinds):
        if problem := xml_bodies.malformed(content):
            raise VariableError(f"with these values the body is no XML any more: {problem}")
        return
    if not is_form(kinds) and not is_csv(kinds) and counts_as_json(content, kinds) and not _decodes(content):
        raise VariableError("with these values the body is no JSON any more", "give a number a place of its own")


def _for_form(value: str) -> str:
    return quote(value, safe="")


def _for_text(value: str) -> str:
    if _CONTROL.search(value):
        raise VariableError("a value with line ends or control characters cannot stand in a body of text", "JSON takes any value")
    return value


def _bare(value: str) -> str:
    if not _BARE.fullmatch(value):
        shown = repr(value if len(value) <= 60 else value[:57] + "…")
        raise VariableError(
            f"the value {shown} cannot stand in JSON without quotes", "a number, true, false or null can; quote the name"
        )
    return value


def _places(content: str) -> tuple[bool, ...] | None:
    """For each name whether it stands within a string; None where this is no JSON."""
    return _looked(content) if len(content) <= _SHORT else _looked.__wrapped__(content)


@lru_cache(maxsize=2048)
def _looked(content: str) -> tuple[bool, ...] | None:
    parts, places, end, within = [], [], 0, False
    for found in references(content):
        text = content[end : found.start]
        within = _within(text, within)
        parts += [text, "x" if within else "0"]
        places.append(within)
        end = found.end
    return tuple(places) if _decodes("".join([*parts, content[end:]])) else None


def _within(text: str, within: bool) -> bool:
    """Whether a JSON string is open after ``text``. A name cannot follow a backslash: the x in its place would be no escape."""
    for mark in re.finditer(r'\\.|"', text, re.DOTALL):
        if mark[0] == '"':
            within = not within
    return within


def _decodes(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    return True
