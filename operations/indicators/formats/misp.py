"""MISP core format: the attributes of an event (or of several) that are meant for detection (``to_ids``), those of objects, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from operations.indicators.formats.document import objects_of
from operations.indicators.schema import Candidate, Refused

_KINDS: dict[str, tuple[tuple[str, int], ...]] = {
    "ip-src": (("address", 0),),
    "ip-dst": (("address", 0),),
    "ip-src|port": (("address", 0),),
    "ip-dst|port": (("address", 0),),
    "domain": (("domain", 0),),
    "hostname": (("domain", 0),),
    "hostname|port": (("domain", 0),),
    "domain|ip": (("domain", 0), ("address", 1)),
    "url": (("url", 0),),
    "link": (("url", 0),),
    "uri": (("url", 0),),
    "md5": (("hash", 0),),
    "sha1": (("hash", 0),),
    "sha256": (("hash", 0),),
    "filename|md5": (("hash", 1),),
    "filename|sha1": (("hash", 1),),
    "filename|sha256": (("hash", 1),),
    "email": (("email", 0),),
    "email-src": (("email", 0),),
    "email-reply-to": (("email", 0),),
}
"""Type of an attribute → kind and which of its parts (they are joined by ``|``)."""


def read(file: BinaryIO) -> Iterator[Candidate | Refused]:
    """Raises Invalid where the file is no JSON of MISP."""
    for number, one in enumerate(objects_of(file, "response", "events of MISP"), start=1):
        event = one.get("Event", one) if isinstance(one, dict) else None
        if not isinstance(event, dict) or not ({"Attribute", "Object"} & event.keys()):
            yield Refused(f"event {number}", str(one)[:80], "it is no event of MISP")
            continue
        yield from _event(event)


def _event(event: dict[str, Any]) -> Iterator[Candidate | Refused]:
    identifier = str(event.get("uuid") or event.get("id") or "")[:64]
    tlp = _tlp(event)
    info = event.get("info") if isinstance(event.get("info"), str) else ""
    for attribute in _attributes(event):
        place = str(attribute.get("uuid") or identifier)[:64]
        kind, value = attribute.get("type"), attribute.get("value")
        if attribute.get("to_ids") not in (True, 1, "1"):
            continue
        if not isinstance(value, str) or not isinstance(kind, str) or kind not in _KINDS:
            yield Refused(place, str(value)[:80], f"attributes of the type {str(kind)[:40]} are not looked up in events")
            continue
        comment = attribute.get("comment")
        note = " — ".join(words for words in (info, comment) if isinstance(words, str) and words)
        parts = value.split("|")
        for of, position in _KINDS[kind]:
            if position >= len(parts):
                yield Refused(place, value[:80], f"the value of {kind} has too few parts")
                continue
            part = parts[position]
            named = "network" if of == "address" and "/" in part else of
            yield Candidate(
                part, place, named, None, _tlp(attribute) or tlp, note, revoked=attribute.get("deleted") in (True, 1, "1")
            )


def _attributes(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for holder in (event, *_dicts(event.get("Object"))):
        yield from _dicts(holder.get("Attribute"))


def _dicts(found: Any) -> Iterator[dict[str, Any]]:
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _tlp(of: dict[str, Any]) -> str:
    names = [tag.get("name") for tag in _dicts(of.get("Tag"))]
    return next((name for name in names if isinstance(name, str) and name.lower().startswith("tlp:")), "")
