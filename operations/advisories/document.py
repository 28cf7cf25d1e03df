"""Reading documents of advisories: bounded JSON, and helpers that never trust a type. Nothing is fetched from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from operations.advisories.schema import Told
from operations.errors import Invalid
from operations.json_document import read_json
from operations.software.schema import Problem

MAX_BYTES = 32 * 1024 * 1024
MAX_RECORDS = 20_000
MAX_STATEMENTS = 2_000
MAX_TEXT = 8_000
Records = Iterator["Told | Problem"]
CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,12}")
_ALIAS = re.compile(r"\b(?:CNNVD-[0-9]{6}-[0-9]{3,6}|CNVD-(?:C-)?[0-9]{4}-[0-9]{4,7})\b")
_DAY = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(?:T.*)?", re.DOTALL)


def load(raw: bytes) -> dict[str, Any]:
    """The JSON object. Raises Invalid."""
    found = read_json(raw, MAX_BYTES)
    if not isinstance(found, dict):
        raise Invalid("this is no advisory document: a JSON object is wanted", field="file")
    return found


def kind_of(document: dict[str, Any]) -> str:
    """kev, nvd or csaf. Raises Invalid."""
    head = document.get("document")
    if isinstance(head, dict) and "csaf_version" in head:
        return "csaf"
    listed = document.get("vulnerabilities")
    if document.get("format") == "NVD_CVE" or "resultsPerPage" in document:
        return "nvd"
    if isinstance(listed, list) and ("catalogVersion" in document or "dateReleased" in document):
        return "kev"
    raise Invalid(
        "this is no advisory document that can be read", "KEV catalogue, NVD CVE API 2.0 or CSAF 2.0 as JSON", field="file"
    )


def text(value: Any, most: int = MAX_TEXT) -> str:
    """A storable text, cut; "" for what is none."""
    if not isinstance(value, str):
        return ""
    return "".join(sign for sign in value[: most * 2] if sign.isprintable() or sign in "\n\t").strip()[:most]


def day(value: Any) -> str:
    """YYYY-MM-DD, "" for what is none."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else ""


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing for what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def score(value: Any) -> float | None:
    """A CVSS base score, None for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10 else None


def numbers_of(*texts: str) -> tuple[str, ...]:
    """CNNVD and CNVD numbers that texts name."""
    return tuple(dict.fromkeys(found for one in texts for found in _ALIAS.findall(one)))[:20]
