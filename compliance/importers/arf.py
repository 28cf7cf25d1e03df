"""Results of OpenSCAP and other SCAP scanners: XCCDF 1.1 and 1.2 (NISTIR 7275r4, 6.6.4), alone or within ARF 1.1 (NISTIR 7694).

``pass`` and ``fixed`` count as met; ``notselected``, ``notchecked`` and ``informational`` say nothing (NISTIR 7275r4, table 26).
"""

from __future__ import annotations

from compliance.hostile_xml import Element
from compliance.importers.contract import MOST_RESULTS, Report, ReportError, Said, ToolResult
from compliance.importers.moments import written
from compliance.importers.xml_report import report_elements

_ROOTS = frozenset({"asset-report-collection", "Benchmark", "TestResult"})
_SAID: dict[str, Said] = {
    "pass": "pass", "fixed": "pass", "fail": "fail", "error": "error", "unknown": "error", "notapplicable": "not_applicable",
    "notchecked": "none", "notselected": "none", "informational": "none",
}  # fmt: skip


def read(octets: bytes) -> Report:
    """Raises ReportError."""
    results: list[tuple[Element, str]] = []
    targets: dict[str, str] = {}
    tool = ""
    for one in report_elements(octets, frozenset({"rule-result", "target"}), _ROOTS):
        test = one.around.get("TestResult")
        if test is None:
            continue
        tool = tool or test.get("test-system", "")
        place = f"{test.get('id', '')} {test.get('start-time', '')}"
        if one.name == "target":
            targets.setdefault(place, one.text.strip()[:200])
        else:
            results.append((one, place))
        if len(results) > MOST_RESULTS:
            raise ReportError(f"the report has more than {MOST_RESULTS:,} results")
    if not results:
        raise ReportError("the report has no results of rules", "oscap xccdf eval --results-arf FILE …")
    return Report(_name(tool) or "XCCDF", tuple(_result(one, targets.get(place, "")) for one, place in results))


def _result(one: Element, target: str) -> ToolResult:
    word = one.said("result").lower()
    if word not in _SAID:
        raise ReportError(f"a rule has the result {word[:40]!r}")
    at = written(one.attributes.get("time", "")) or written(one.around["TestResult"].get("end-time", ""))
    return ToolResult(short(one.attributes.get("idref", "")), "", _SAID[word], target, one.excerpt, at)


def _name(system: str) -> str:
    """Name and version of a scanner out of its CPE (cpe:/a:redhat:openscap:1.3.7)."""
    parts = system.removeprefix("cpe:/").split(":")
    return " ".join(parts[2:4])[:200] if len(parts) > 2 else system[:200]


def short(identifier: str) -> str:
    """The name of a rule without the part that XCCDF 1.2 puts before it (xccdf_NAMESPACE_rule_)."""
    return (identifier.partition("_rule_")[2] if identifier.startswith("xccdf_") else identifier)[:200]
