"""Documents after the public schemas, in our own words."""

from __future__ import annotations

import json
from typing import Any

KEV: dict[str, Any] = {
    "title": "Catalogue", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T10:00:00Z", "count": 3,
    "vulnerabilities": [
        {"cveID": "CVE-2021-41773", "vendorProject": "Apache", "product": "HTTP Server",
         "vulnerabilityName": "Path traversal in Apache HTTP Server",
         "dateAdded": "2021-11-03", "shortDescription": "Files outside of the root can be read.", "requiredAction": "Update.",
         "dueDate": "2021-11-17", "knownRansomwareCampaignUse": "Known", "notes": "CNNVD-202110-197"},
        {"cveID": "CVE-2021-36260", "vendorProject": "Hikvision", "product": "Security cameras web server",
         "vulnerabilityName": "Command injection",
         "dateAdded": "2022-01-10", "shortDescription": "Commands can be run.", "requiredAction": "Update.",
         "dueDate": "2022-01-24",
         "knownRansomwareCampaignUse": "Unknown"},
        {"cveID": "no number"},
    ],
}  # fmt: skip


def nvd(key: str, *matches: dict[str, Any], score: float = 7.5, platform: str = "") -> dict[str, Any]:
    nodes = [{"operator": "OR", "negate": False, "cpeMatch": [{"vulnerable": True, **match} for match in matches]}]
    configuration: dict[str, Any] = {"nodes": nodes}
    if platform:
        nodes.append({"operator": "OR", "negate": False, "cpeMatch": [{"vulnerable": False, "criteria": platform}]})
        configuration["operator"] = "AND"
    return {
        "format": "NVD_CVE", "version": "2.0", "resultsPerPage": 1, "vulnerabilities": [{"cve": {
            "id": key, "published": "2021-10-05T09:15:07.593", "descriptions": [{"lang": "en", "value": "A flaw."}],
            "metrics": {"cvssMetricV31": [{"cvssData": {"baseScore": score}}]}, "configurations": [configuration],
        }}],
    }  # fmt: skip


HTTPD = nvd("CVE-2021-41773", {"criteria": "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"})
LOG4J = nvd(
    "CVE-2021-44228",
    {"criteria": "cpe:2.3:a:apache:log4j:*:*:*:*:*:*:*:*", "versionStartIncluding": "2.0.1", "versionEndExcluding": "2.3.1"},
    {"criteria": "cpe:2.3:a:apache:log4j:*:*:*:*:*:*:*:*", "versionStartIncluding": "2.4.0", "versionEndExcluding": "2.12.2"},
    score=10.0,
)


def csaf(number: str, cve: str, branches: list[dict[str, Any]], status: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "document": {"csaf_version": "2.0", "title": "Advisory",
                     "tracking": {"id": number, "initial_release_date": "2026-01-02T00:00:00Z"}},
        "product_tree": {"branches": branches},
        "vulnerabilities": [{"cve": cve, "ids": [{"system_name": "CNVD", "text": "CNVD-2026-12345"}], "product_status": status,
                             "scores": [{"cvss_v3": {"baseScore": 9.1}, "products": []}]}],
    }  # fmt: skip


SIEMENS = csaf(
    "SSA-1", "CVE-2026-1000",
    [{"category": "vendor", "name": "Siemens", "branches": [{"category": "product_name", "name": "WinCC", "branches": [
        {"category": "product_version_range", "name": "vers:generic/>=7.0|<7.5",
         "product": {"product_id": "P1", "name": "WinCC <7.5"}},
        {"category": "product_version", "name": "7.5", "product": {"product_id": "P2", "name": "WinCC 7.5"}}]}]}],
    {"known_affected": ["P1"], "fixed": ["P2"], "under_investigation": ["nobody"], "first_fixed": ["P9"]},
)  # fmt: skip
DEBIAN = csaf(
    "DSA-1", "CVE-2026-2000",
    [{"category": "product_name", "name": "openssl", "branches": [
        {"category": "product_version_range", "name": "vers:deb/<3.0.11-1~deb12u2", "product": {
            "product_id": "O1", "name": "openssl", "product_identification_helper": {"purl": "pkg:deb/debian/openssl"}}}]}],
    {"known_affected": ["O1"]},
)  # fmt: skip


def raw(document: Any) -> bytes:
    return json.dumps(document).encode()
