"""STIX 2.1 (OASIS): the indicators of a bundle. A pattern is taken where it is comparisons of one observation joined with OR; what
asks for several things at once (AND, FOLLOWEDBY, WITHIN) is no single value, and is refused with this reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from operations.indicators.formats.document import objects_of
from operations.indicators.schema import Candidate, Refused

_COMPARISON = re.compile(
    r"""\s*(?P<path>[\w:.'"\[\]-]+?)\s*(?P<operator>=|IN|ISSUBSET)\s*"""
    r"""(?P<value>'(?:[^'\\]|\\.)*'|\((?:[^()']|'(?:[^'\\]|\\.)*')*\))\s*"""
)
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'")
_OR = re.compile(r"OR\b")
_KINDS: dict[str, str] = {
    "ipv4-addr:value": "address",
    "ipv6-addr:value": "address",
    "domain-name:value": "domain",
    "url:value": "url",
    "email-addr:value": "email",
    "email-message:sender_ref.value": "email",
    "email-message:from_ref.value": "email",
    "network-traffic:src_ref.value": "address",
    "network-traffic:dst_ref.value": "address",
}
_HASHES = re.compile(
    r"(?:file:hashes|file:content_ref\.hashes|artifact:hashes)\.(?:'?(?:MD5|SHA-?1|SHA-?256|SM3)'?)", re.IGNORECASE
)
_MARKINGS: dict[str, str] = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "clear",
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "clear",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "green",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "amber",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "amber+strict",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "red",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
}
"""The marking definitions of TLP 2.0 and, before it, of STIX 2.1 itself (section 7.2.1.4)."""


class _NotOne(ValueError):
    """A pattern that is not one value."""


def read(file: BinaryIO) -> Iterator[Candidate | Refused]:
    """Raises Invalid where the file is no bundle."""
    for number, one in enumerate(objects_of(file, "objects", "a bundle of STIX 2.1"), start=1):
        place = str(one.get("id") or f"object {number}") if isinstance(one, dict) else f"object {number}"
        if not isinstance(one, dict):
            yield Refused(place, str(one)[:80], "an object of a bundle is an object of JSON")
        elif one.get("type") == "indicator":
            yield from _candidates(one, place)


def values_of(pattern: str) -> list[tuple[str, str]]:
    """Kind and value of each comparison. Raises ValueError with the reason where the pattern is not one value."""
    text, found = pattern.strip(), []
    while True:
        if not text.startswith("["):
            raise _NotOne("it is no pattern of STIX")
        inside, text = _comparisons(text[1:])
        found += inside
        text = text.strip()
        if not text:
            return found
        if (joined := _OR.match(text)) is None:
            raise _NotOne("the pattern asks for several things together (AND, FOLLOWEDBY, WITHIN …), it is not one value")
        text = text[joined.end() :].strip()


def _comparisons(text: str) -> tuple[list[tuple[str, str]], str]:
    found = []
    while True:
        match = _COMPARISON.match(text)
        if match is None:
            raise _NotOne("only comparisons with =, IN and ISSUBSET are one value")
        kind = "hash" if _HASHES.fullmatch(match["path"]) else _KINDS.get(match["path"], "")
        if not kind:
            raise _NotOne(f"{match['path'][:60]} is nothing that is looked up in events")
        values = [re.sub(r"\\(.)", r"\1", value) for value in _STRING.findall(match["value"])]
        found += [("network" if "/" in value and kind == "address" else kind, value) for value in values]
        text = text[match.end() :]
        if text.startswith("]"):
            return found, text[1:]
        if (joined := _OR.match(text)) is None:
            raise _NotOne("the pattern asks for several things together (AND …), it is not one value")
        text = text[joined.end() :]


def _candidates(one: dict[str, Any], place: str) -> Iterator[Candidate | Refused]:
    pattern, kind = one.get("pattern"), one.get("pattern_type", "stix")
    if kind != "stix" or not isinstance(pattern, str):
        yield Refused(place, str(pattern)[:80], f"a pattern of {str(kind)[:20]} is no indicator with a value")
        return
    if len(pattern) > 100_000:
        yield Refused(place, pattern[:80], "the pattern is too long")
        return
    try:
        values = values_of(pattern)
    except ValueError as error:
        yield Refused(place, pattern[:80], str(error))
        return
    confidence = one.get("confidence")
    links = one.get("external_references")
    urls = [link.get("url") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    marks = one.get("object_marking_refs")
    tlp = next((_MARKINGS[str(mark)] for mark in marks if str(mark) in _MARKINGS), "") if isinstance(marks, list) else ""
    note = " — ".join(words for words in (one.get("name"), one.get("description")) if isinstance(words, str) and words)
    for value_kind, value in values:
        yield Candidate(
            value,
            place,
            value_kind,
            confidence if isinstance(confidence, int) and not isinstance(confidence, bool) else None,
            tlp,
            note,
            next((url for url in urls if isinstance(url, str)), ""),
            one["valid_until"] if isinstance(one.get("valid_until"), str) else "",
            one.get("revoked") is True,
        )
