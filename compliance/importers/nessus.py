"""Reports of Nessus, version 2 (NessusClientData_v2): vulnerabilities by severity, and results of policy compliance checks.

A vulnerability (severity 1 to 4) speaks to the item about known vulnerabilities: from 3 (high) on it is not met, below partly.
Plugins that only inform (severity 0) give no verdict. That a host has none counts only where the scan could log in to it.
"""

from __future__ import annotations

from compliance.hostile_xml import Element
from compliance.importers.contract import MOST_RESULTS, Report, ReportError, Said, ToolResult
from compliance.importers.moments import seconds
from compliance.importers.xml_report import report_elements

VULNERABILITY, NONE_FOUND = "severity", "credentialed scan"
_HIGH = 3
_SAID: dict[str, Said] = {"PASSED": "pass", "FAILED": "fail", "WARNING": "weak", "ERROR": "error"}


def read(octets: bytes) -> Report:
    """Raises ReportError."""
    results: list[ToolResult] = []
    properties: dict[str, dict[str, str]] = {}
    vulnerable: set[str] = set()
    for one in report_elements(octets, frozenset({"ReportItem", "HostProperties"}), frozenset({"NessusClientData_v2"})):
        host = one.around.get("ReportHost", {}).get("name", "")[:200]
        if not host:
            continue
        if one.name == "HostProperties":
            properties[host] = {tag.attributes.get("name", ""): tag.text.strip() for tag in one.all("tag")}
            continue
        at = seconds(properties.get(host, {}).get("HOST_END_TIMESTAMP", ""))
        found = _checked(one, host, at) if one.all("compliance-result") else _vulnerability(one, host, at)
        if found.rule == VULNERABILITY:
            vulnerable.add(host)
        results.append(found)
        if len(results) > MOST_RESULTS:
            raise ReportError(f"the report has more than {MOST_RESULTS:,} results")
    for host, tags in properties.items():
        if host not in vulnerable and tags.get("Credentialed_Scan", "").lower() == "true":
            at = seconds(tags.get("HOST_END_TIMESTAMP", ""))
            results.append(ToolResult(NONE_FOUND, "no vulnerability was found", "pass", host, "Credentialed_Scan: true", at))
    return Report("Nessus", tuple(results))


def _checked(one: Element, host: str, at: str) -> ToolResult:
    word = one.said("compliance-result").upper()
    title = one.said("compliance-check-name")[:300]
    return ToolResult(one.said("compliance-check-id")[:200] or title, title, _SAID.get(word, "error"), host, one.excerpt, at)


def _vulnerability(one: Element, host: str, at: str) -> ToolResult:
    text = one.attributes.get("severity", "")
    severity = int(text) if text in ("0", "1", "2", "3", "4") else -1
    plugin, name = one.attributes.get("pluginID", "")[:20], one.attributes.get("pluginName", "")[:200]
    if severity == 0:
        return ToolResult(f"plugin {plugin}", name, "none", host, one.excerpt, at)
    if severity < 0:
        raise ReportError(f"a result of {host} has the severity {text[:20]!r}")
    return ToolResult(
        VULNERABILITY, f"{plugin} {name} ({severity})", "fail" if severity >= _HIGH else "weak", host, one.excerpt, at
    )
