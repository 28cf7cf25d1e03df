"""Windows event XML (``<Event><System>…<EventData>…``) → the nested shape that ``kernel.windows_event`` reads.

Source: Event Schema, https://learn.microsoft.com/windows/win32/wes/eventschema-schema. Sysmon for Linux and agents that forward
rendered XML send it in syslog; transports cut it off and Sysmon for Linux writes ``&lt unknown process&gt``, so what is left of a
damaged element is read by its marks. DTDs and entities are refused: a log line needs none, and they are how XML parsers are
attacked.
"""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree import ElementTree

from kernel.errors import ParseError

_FORBIDDEN = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_START = re.compile(r"<Event[\s>]")


def looks_like(text: str) -> bool:
    """True if the text starts an event in XML."""
    return _START.match(text) is not None


def to_object(text: str) -> dict[str, Any]:
    """The evtx-rs JSON shape of one ``<Event>`` element; raises ParseError with the position in the text."""
    if _FORBIDDEN.search(text):
        raise ParseError("event XML with a DTD or an entity definition is refused")
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314 - DTDs are refused above, so no entity can expand
    except (ElementTree.ParseError, ValueError) as error:
        return _salvage(text, str(error))
    body: dict[str, Any] = {}
    for part in root:
        name = _local(part.tag)
        if name == "System":
            body["System"] = {_local(child.tag): _value(child) for child in part}
        elif name == "EventData":
            body["EventData"] = _event_data(part)
        elif name == "UserData":
            body["UserData"] = {_local(child.tag): _value(child) for child in part}
    if "System" not in body:
        raise ParseError("event XML has no System part")
    return {"Event": body}


_SYSTEM_TEXT = re.compile(r"<(EventID|Channel|Computer|EventRecordID|Keywords)(?:\s[^>]*)?>([^<]*)<")
_SYSTEM_ATTRIBUTE = re.compile(r"<(TimeCreated|Provider)\s[^>]*?\b(SystemTime|Name)=[\"']([^\"']*)[\"']")
_DATA = re.compile(r"<Data Name=[\"']([^\"']*)[\"']\s*(?:/>|>(.*?)(?:</Data>|$))", re.DOTALL)


def _salvage(text: str, reason: str) -> dict[str, Any]:
    """What a damaged element still says; raises ParseError if not even the event number is there."""
    head, _, body = text.partition("</System>")
    system: dict[str, Any] = {name: html.unescape(value).strip() for name, value in _SYSTEM_TEXT.findall(head + "<")}
    for element, attribute, value in _SYSTEM_ATTRIBUTE.findall(head):
        system[element] = {"#attributes": {attribute: value}}
    if "EventID" not in system:
        raise ParseError(f"event XML is damaged: {reason}")
    return {"Event": {"System": system, "EventData": {name: html.unescape(value).strip() for name, value in _DATA.findall(body)}}}


def _event_data(part: ElementTree.Element) -> dict[str, Any]:
    named: dict[str, Any] = {}
    unnamed: list[str] = []
    for child in part:
        text = (child.text or "").strip()
        name = child.get("Name")
        if name:
            named[name] = text
        elif _local(child.tag) == "Data":
            unnamed.append(text)
        else:
            named[_local(child.tag)] = _value(child)
    if unnamed:
        named["Data"] = {"#text": unnamed}
    return named


def _value(element: ElementTree.Element) -> Any:
    if len(element):
        return {_local(child.tag): _value(child) for child in element}
    text = (element.text or "").strip()
    if not element.attrib:
        return text
    attributes: dict[str, Any] = {"#attributes": dict(element.attrib)}
    if text:
        attributes["#text"] = text
    return attributes


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]
