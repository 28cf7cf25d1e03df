"""A report as results of probes, from which findings are made (compliance.probes.findings), and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from compliance.importers import arf, lynis, nessus, wazuh
from compliance.importers.contract import MOST_OCTETS, Report, ReportError, Said, Tool, ToolResult, of_target
from compliance.importers.mapping import items_of, mapping
from compliance.probes.formats.hidden import hidden
from compliance.probes.result import CHINESE, Outcome, Result
from crypto.sm3 import sm3

READERS: dict[Tool, Callable[[bytes], Report]] = {"arf": arf.read, "lynis": lynis.read, "nessus": nessus.read, "wazuh": wazuh.read}
_OUTCOME: dict[Said, Outcome] = {
    "pass": "met", "fail": "not_met", "weak": "partly", "not_applicable": "not_applicable", "error": "error",
}  # fmt: skip


class Counts(msgspec.Struct, frozen=True):
    """Results of a report: ``mapped`` to ``items``, ``unmapped`` (nobody has said what they speak to), ``without`` a verdict."""

    results: int
    mapped: int
    items: int
    unmapped: int
    without: int


def take(tool: Tool, octets: bytes, target: str | None = None, at: str = "") -> tuple[list[Result], Counts]:
    """Results that speak to items, each with its raw excerpt and SM3. Raises ReportError.

    at  moment (UTC) of results of which the report does not say one; "" = now
    """
    if len(octets) > MOST_OCTETS:
        raise ReportError(f"the report is larger than {MOST_OCTETS >> 20} MiB (limit)")
    report = of_target(READERS[tool](octets), target)
    at = at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    judged = [one for one in report.results if one.said != "none"]
    results = [_result(tool, report.tool, one, items, at) for one in judged if (items := items_of(tool, one))]
    spoken_to = {item for one in results for item in one.items}
    without = len(report.results) - len(judged)
    return results, Counts(len(report.results), len(results), len(spoken_to), len(judged) - len(results), without)


def _result(tool: Tool, name: str, one: ToolResult, items: tuple[str, ...], at: str) -> Result:
    outcome = _OUTCOME[one.said]
    about = _plain(f"{one.rule} {one.title}".strip())
    excerpt = hidden(one.excerpt).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Result(
        probe=f"{tool}:{_plain(one.rule)}",
        items=items,
        units=(),
        target=one.target,
        source=tool,
        outcome=outcome,
        reason=f"{outcome.replace('_', ' ')}: {_plain(name)} says so of {about}",
        reason_zh=f"{CHINESE[outcome]}：{_plain(name)} 检查项 {about}",
        to_be_confirmed=mapping().to_be_confirmed,
        evidence=excerpt,
        sm3=sm3(excerpt.encode()).hex(),
        reproduce=f"{_plain(name)}: {_plain(one.rule)}",
        at=one.at or at,
    )


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)[:300]
