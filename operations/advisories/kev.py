"""The Known Exploited Vulnerabilities catalogue of CISA (its public JSON schema): vendor and product by name, no versions."""

from __future__ import annotations

from typing import Any

from operations.advisories.document import CVE, MAX_RECORDS, Records, day, numbers_of, text
from operations.advisories.schema import Statement, Told
from operations.errors import Invalid
from operations.software.schema import Problem


def read(document: dict[str, Any]) -> Records:
    """Every entry, or why it is none."""
    listed = document.get("vulnerabilities")
    if not isinstance(listed, list) or len(listed) > MAX_RECORDS:
        raise Invalid(f"vulnerabilities: a list of at most {MAX_RECORDS} is wanted", field="file")
    for number, one in enumerate(listed):
        yield _entry(one, f"vulnerabilities[{number}]")


def _entry(one: Any, where: str) -> Told | Problem:
    if not isinstance(one, dict):
        return Problem(where, "an object is wanted")
    key = one.get("cveID")
    if not isinstance(key, str) or not CVE.fullmatch(key):
        return Problem(where, f"cveID: {str(key)[:40]!r} is no CVE number")
    vendor, product = text(one.get("vendorProject"), 128), text(one.get("product"), 160)
    if not vendor or not product:
        return Problem(f"{where} {key}", "vendorProject and product are wanted")
    added, due = day(one.get("dateAdded")), day(one.get("dueDate"))
    if not added:
        return Problem(f"{where} {key}", "dateAdded: a day (2026-11-27) is wanted")
    return Told(
        key, "kev", title=text(one.get("vulnerabilityName"), 512), summary=text(one.get("shortDescription")), vendor=vendor,
        product=product, kev_added=added, due=due, action=text(one.get("requiredAction")),
        ransomware=text(one.get("knownRansomwareCampaignUse"), 20).casefold() == "known",
        aliases=numbers_of(text(one.get("notes"))), statements=(Statement(vendor, product),),
    )  # fmt: skip
