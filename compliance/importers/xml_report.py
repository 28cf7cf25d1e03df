"""Elements of a report that is XML (compliance.hostile_xml); what is wrong with it is said as a ReportError."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.hostile_xml import Element, XmlError, elements
from compliance.importers.contract import ReportError


def report_elements(octets: bytes, wanted: frozenset[str], roots: frozenset[str]) -> Iterator[Element]:
    """Each element of a wanted name, as it ends. Raises ReportError."""
    try:
        yield from elements(octets, wanted, roots)
    except XmlError as error:
        raise ReportError(error.message, error.hint) from error
