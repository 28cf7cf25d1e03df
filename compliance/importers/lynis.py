"""The report of lynis (lynis-report.dat): lines ``key=value`` and ``key[]=value``.

A warning or suggestion names the test that it comes from: ``ID|text|details|solution|``. A test that was carried out and says
neither counts as met only where the mapping says that its silence tells something.
"""

from __future__ import annotations

from compliance.importers.contract import MOST_EXCERPT, MOST_RESULTS, Report, ReportError, Said, ToolResult

_KINDS: dict[str, Said] = {"warning[]": "fail", "suggestion[]": "weak"}


def read(octets: bytes) -> Report:
    """Raises ReportError."""
    text = octets.decode("utf-8", "replace")
    if "lynis_version=" not in text[:4_000] and "# Lynis Report" not in text[:200]:
        raise ReportError("this is no report of lynis", "it is /var/log/lynis-report.dat")
    values: dict[str, str] = {}
    told: dict[str, list[tuple[Said, str, str]]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        kind = _KINDS.get(key)
        if kind is not None:
            test, _, rest = value.partition("|")
            told.setdefault(test.strip()[:60], []).append((kind, rest.partition("|")[0].strip()[:300], line))
        elif separator and not key.endswith("[]"):
            values[key] = value
        if len(told) > MOST_RESULTS:
            raise ReportError(f"the report has more than {MOST_RESULTS:,} tests")
    target = values.get("hostname", "")[:200]
    executed = [test for test in values.get("tests_executed", "").split("|") if test.strip()]
    results = [_told(test, lines, target) for test, lines in told.items()]
    results += [
        ToolResult(test[:60], "", "pass", target, f"tests_executed: {test[:60]}")
        for test in dict.fromkeys(executed)
        if test not in told
    ]
    if not executed:
        raise ReportError("the report of lynis does not come to its end", "tests_executed is missing")
    return Report(f"lynis {values.get('lynis_version', '')}".strip()[:200], tuple(results))


def _told(test: str, lines: list[tuple[Said, str, str]], target: str) -> ToolResult:
    said: Said = "fail" if any(kind == "fail" for kind, _, _ in lines) else "weak"
    title = "; ".join(dict.fromkeys(words for _, words, _ in lines))[:300]
    return ToolResult(test, title, said, target, "\n".join(line for _, _, line in lines)[:MOST_EXCERPT])
