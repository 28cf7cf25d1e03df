"""Advisories of vulnerabilities (KEV, CSAF, NVD), matched with the software of assets."""
