"""What an HTTP answer holds, by its content type: JSON, XML, CSV or text, each as a value that a JSON pointer points into.

XML: ``{"root": {"@attribute": "…", "child": "…", "#text": "…"}}``, names without their namespace, a list where an element stands
more than once, a text where it has nothing but text. CSV: a list of objects by the names of the first record. What is none of what
it says to be has no value; nothing of it is taken half.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from xml.etree import ElementTree

import msgspec

from playbooks.actions.http_answer import Answer
from playbooks.bodies import is_csv, says_xml

_DEEPEST = 64
_CHARSETS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1", "utf-16": "utf-16", "gbk": "gb18030",
    "gb2312": "gb18030", "gb18030": "gb18030", "big5": "big5",
}  # fmt: skip
"""Encodings by the names that servers give them; older systems of the city send GBK."""
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9_-]{1,20})", re.ASCII | re.IGNORECASE)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_-]{1,20})[\"']")
_DECLARATION = re.compile(r"\s*<\?xml.*?\?>", re.DOTALL)


def text_of(answer: Answer) -> str:
    """The body as text; octets that are none of its encoding become U+FFFD."""
    found = _CHARSET.search(answer.headers.get("content-type", ""))
    name = found[1] if found else ""
    if not name and _says_xml(answer) and (declared := _DECLARED.match(answer.body)):
        name = declared[1].decode()
    return answer.body.decode(_CHARSETS.get(name.lower(), "utf-8"), "replace")


def content_of(answer: Answer) -> Any:
    """The body as a value, None where it has none."""
    if _says_xml(answer):
        return _xml(text_of(answer)) if answer.whole else None
    if is_csv(_kinds(answer)):
        return _csv(text_of(answer)) if answer.whole else None
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def members_of(answer: Answer, content: Any) -> dict[str, Any]:
    """Values by name: members of a JSON object, or what the root element of XML holds."""
    if _says_xml(answer) and isinstance(content, dict):
        content = next(iter(content.values()))
    return content if isinstance(content, dict) else {}


def _kinds(answer: Answer) -> frozenset[str]:
    return frozenset({answer.headers.get("content-type", "").partition(";")[0].strip().lower()})


def _says_xml(answer: Answer) -> bool:
    return says_xml(_kinds(answer))


def _xml(text: str) -> Any:
    if "<!DOCTYPE" in text or "\0" in text:  # with NUL the parser would take it for another encoding
        return None
    try:
        root = ElementTree.fromstring(_DECLARATION.sub("", text.lstrip("\ufeff"), count=1))  # noqa: S314 — there are no entities
        return {_name(root.tag): _value(root, _DEEPEST)}
    except (ElementTree.ParseError, ValueError, LookupError):
        return None


def _value(element: ElementTree.Element, deeper: int) -> Any:
    """Raises ValueError for what is nested too deep."""
    if deeper == 0:
        raise ValueError(element.tag)
    found: dict[str, Any] = {f"@{_name(name)}": value for name, value in element.attrib.items()}
    repeated: set[str] = set()
    for child in element:
        name, value = _name(child.tag), _value(child, deeper - 1)
        if name not in found:
            found[name] = value
        elif name in repeated:
            found[name].append(value)
        else:
            found[name] = [found[name], value]
            repeated.add(name)
    text = (element.text or "").strip()
    if not found:
        return text
    return {**found, "#text": text} if text else found


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _csv(text: str) -> list[dict[str, str]] | None:
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    try:
        names = next(rows, [])
        return [dict(zip(names, row, strict=False)) for row in rows if row]
    except csv.Error:
        return None
